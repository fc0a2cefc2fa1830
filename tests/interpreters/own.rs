//! QEMU's own tests of user-mode emulation, and one of ours for signal handlers that use SSE.

use crate::common::namespace::Said;
use crate::common::{TOP, run};
use crate::{Board, Both, quick};
use std::path::Path;
use std::process::Command;

/// Runs `tests/interpreters/tcg`.
pub fn tcg(arguments: &[&str]) -> Result<String, String> {
    run(Command::new(Path::new(TOP).join("tests/interpreters/tcg")).args(arguments))
}

/// The Debian with cross compilers, and all that is compiled there.
pub fn prepare(both: &Both) {
    tcg(&["prepare", both.ours.join("../source").to_str().unwrap()]).unwrap();
}

/// Each test of a target by name, and whether it passes.
fn results(directory: &Path, name: &str) -> Vec<(String, bool)> {
    let said = tcg(&["run", directory.to_str().unwrap(), name]).unwrap();
    let result = |line: &str| line.split_once(' ').map(|(word, test)| (test.to_string(), word == "pass"));
    said.lines().filter_map(result).collect()
}

#[test]
fn tests_of_qemu() {
    let Some(both) = Both::new() else { return };
    prepare(&both);
    let mut board = Board::new("1-own", "QEMU's own tests of user-mode emulation");
    let all = ["aarch64", "arm", "i386", "mips64el", "ppc64le", "riscv64", "s390x", "x86_64"];
    let names = if quick() { &all[..2] } else { &all[..] };
    for name in names.iter().filter(|name| both.have(name)) {
        let ours = results(&both.ours, name);
        // A Makefile that does not even start would pass nothing and fail nothing.
        assert!(ours.len() > 20, "{name}: {ours:?}");
        board.many(name, &ours, &results(&both.debians, name));
    }
    board.close();
}

#[test]
fn signal_handlers_with_sse() {
    let Some(both) = Both::new() else { return };
    prepare(&both);
    let mut board = Board::new("2-signals", "Signal handlers that use SSE");
    for name in ["x86_64", "i386"].into_iter().filter(|name| both.have(name)) {
        let program = Path::new(TOP).join(format!("target/debian/tcg/programs/signal-frame-{name}"));
        let result = |directory: &Path| {
            let said = Said::of(Command::new(directory.join(format!("qemu-{name}"))).arg(&program));
            if said.status == 0 && said.out.contains("ok ") { Ok(()) } else { Err(format!("{said:?}")) }
        };
        board.row(name, result(&both.ours), Some(result(&both.debians)));
    }
    board.close();
}

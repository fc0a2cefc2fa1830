//! QEMU's own tests of user-mode emulation, and one of ours for signal handlers that use SSE.

use crate::common::namespace::{Said, Scratch};
use crate::common::{TOP, run};
use crate::{Board, Both, Outcome, quick};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
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

/// Each test of a target: its name, and how it went.
fn results(directory: &Path, name: &str) -> Vec<(String, Outcome)> {
    results_with(directory, name, &[])
}

/// The same, with more in the environment.
pub fn results_with(directory: &Path, name: &str, environment: &[(&str, &str)]) -> Vec<(String, Outcome)> {
    let mut command = Command::new(Path::new(TOP).join("tests/interpreters/tcg"));
    command.args(["run", directory.to_str().unwrap(), name]).envs(environment.iter().copied());
    let said = run(&mut command).unwrap();
    let result = |line: &str| {
        let (word, test) = line.split_once(' ').unwrap();
        let (test, why) = test.split_once(' ').unwrap_or((test, ""));
        let outcome = match word {
            "pass" => Outcome::Pass,
            "fail" => Outcome::Fail,
            _ => Outcome::LeftOut(why.into()),
        };
        (test.to_string(), outcome)
    };
    said.lines().map(result).collect()
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
        // What fails by both fails nothing, so that something has to pass.
        let passed = ours.iter().filter(|(_, outcome)| *outcome == Outcome::Pass).count();
        assert!(passed > 20, "{name}: {ours:?}");
        board.many(name, &ours, &results(&both.debians, name));
    }
    board.close();
}

/// An interpreter that runs nothing passes nothing, and what is left out is not left out because of the interpreter.
#[test]
fn tests_of_qemu_can_fail() {
    let Some(both) = Both::new() else { return };
    prepare(&both);
    let scratch = Scratch::new();
    let broken = scratch.0.join("qemu-arm");
    fs::write(&broken, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&broken, Permissions::from_mode(0o755)).unwrap();
    let results = results(&scratch.0, "arm");
    let failed = results.iter().filter(|(_, outcome)| *outcome == Outcome::Fail).count();
    assert!(failed > 20 && results.iter().all(|(_, outcome)| *outcome != Outcome::Pass), "{results:?}");
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

//! That what is executed is right where translations are shared: code that changes, threads, signals, forks, a code buffer
//! that is full, and an interpreter that is killed while it adds.

use crate::common::TOP;
use crate::common::namespace::Said;
use crate::quick;
use crate::starts::times;
use crate::tree::{PERL, Tree, interpreter, program};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a program of ours, which counts what was wrong: without a cache, with one that nobody has filled, again with
/// that one, and with one that is full soon.
#[track_caller]
fn right(qemu: &Path, name: &str, environment: &[(&str, &str)]) {
    let check = |what: &str, command: &mut Command| {
        let said = Said::of(command.envs(environment.iter().copied()));
        assert!(said.status == 0 && said.out.starts_with("0 of "), "{name}, {what}: {said:?}");
    };
    let switches = ["off", "on", "1"];
    let few = if quick() { 2 } else { 3 };
    for switch in &switches[..few] {
        check(switch, Command::new(qemu).arg(program(name)).env("QEMU_TBCACHE", switch));
    }
    for limit in &switches[1..few] {
        let tree = Tree::new(qemu, limit);
        for round in ["filled by it", "filled before"] {
            check(round, &mut tree.command(qemu, &[program(name).to_str().unwrap()]));
        }
        assert_eq!(tree.refused(), 0, "{name}");
        assert!(tree.hits() > 1000, "{name}: {}", tree.hits());
    }
}

/// In memory of all kinds.
#[test]
fn code_that_changes() {
    let Some(qemu) = interpreter() else { return };
    right(&qemu, "changed", &[]);
}

#[test]
fn threads_signals_and_forks() {
    let Some(qemu) = interpreter() else { return };
    right(&qemu, "stress", &[]);
}

/// A buffer for translations of 1 MB, where 1 GB is usual: all that is in it goes when it is full, again and again.
#[test]
fn a_full_code_buffer() {
    let Some(qemu) = interpreter() else { return };
    let all = |command: &mut Command| {
        let said = Said::of(command.env("QEMU_TB_SIZE", "1"));
        assert_eq!((said.status, &*said.out), (0, "6b86 500500\n"), "{said:?}");
    };
    let tree = Tree::new(&qemu, "on");
    all(&mut tree.perl());
    let before = tree.hits();
    all(&mut tree.perl());
    let often = tree.hits() - before;
    tree.check();
    let once = tree.hits() - before - often;
    // What is gone is looked for again.
    assert!(often > once + once / 20, "{often}, {once}");
    assert_eq!(tree.refused(), 0);
    if !quick() {
        right(&qemu, "stress", &[("QEMU_TB_SIZE", "1")]);
    }
}

/// QEMU's own test, which crashed once in twenty times; `STARTS` says how often.
#[test]
fn a_thread_ends_while_another_unmaps_code() {
    let Some(qemu) = interpreter() else { return };
    let test = Path::new(TOP).join("target/debian/tcg/tcg/tests/tcg/aarch64-linux-user/munmap-pthread");
    for number in 0..times(100, 10) {
        for switch in ["off", "on"] {
            let said = Said::of(Command::new(&qemu).arg(&test).env("QEMU_TBCACHE", switch));
            assert_eq!(said.status, 0, "{switch}, run {number}: {said:?}");
        }
    }
}

/// Before an entry is written, and then after each instruction of the processor until long after it is in the table.
#[test]
fn killed_at_each_step() {
    let Some(qemu) = interpreter() else { return };
    let killer: PathBuf = Path::new(TOP).join("target/debian/tcg/programs/killed-at");
    let perl = crate::common::debian("arm64", "usr/bin/perl");
    let tree = Tree::new(&qemu, "on");
    for round in 0..if quick() { 300 } else { 1500 } {
        // Which of those that it adds, and when.
        let at = format!("{} {}", 1 + round / 300, round % 150 - 1);
        let mut command = tree.command(&killer, &[perl.to_str().unwrap(), "-e", PERL]);
        let said = Said::of(command.env("QEMU", &qemu).env("AT", &at));
        assert_eq!((said.status, &*said.out), (0, ""), "{at}: {said:?}");
    }
    let entries = tree.entries();
    assert!(entries > 0, "none was completed");
    (0..3).for_each(|_| tree.check());
    assert!(tree.entries() > entries);
    assert_eq!(tree.refused(), 0);
}

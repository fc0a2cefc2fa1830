//! That what is executed is right where translations are shared: code that changes, threads, signals, forks, a code buffer
//! that is full, and an interpreter that is killed while it adds.

use crate::common::namespace::Said;
use crate::common::{TOP, debian};
use crate::quick;
use crate::starts::times;
use crate::tree::{PERL, Tree, interpreter, program};
use std::path::Path;
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

/// While entries are written, and then after each instruction of the processor until long after they are in the table.
#[test]
fn killed_at_each_step() {
    let Some(qemu) = interpreter() else { return };
    let killer = Path::new(TOP).join("target/debian/tcg/programs/killed-at");
    let perl = debian("arm64", "usr/bin/perl");
    let rounds = if quick() { 300 } else { 3000 };
    let mut tree = Tree::new(&qemu, "on");
    let mut killed = 0;
    for round in 0..rounds {
        // Which time, and when.
        let at = format!("{} {}", 1 + round % 3, round * 37 % 3001 - 1);
        let mut command = tree.command(&killer, &[perl.to_str().unwrap(), "-e", PERL]);
        let said = Said::of(command.env("QEMU", &qemu).env("AT", &at));
        match said.status {
            0 => killed += 1,
            // It adds nothing any more.
            3 => {
                assert_eq!(said.out, "6b86 500500\n", "{at}: {said:?}");
                (0..2).for_each(|_| tree.check());
                assert_eq!(tree.refused(), 0, "{at}");
                tree = Tree::new(&qemu, "on");
            }
            _ => panic!("{at}: {said:?}"),
        }
    }
    assert!(killed * 2 > rounds, "{killed} of {rounds}");
    (0..3).for_each(|_| tree.check());
    assert_eq!(tree.refused(), 0);
}

//! A whole Debian for arm64 whose programs share translations: made by them, and the same programs in it as on the board, in
//! trees of their own, in one that has run them before, and with a cache that is full before they end.

use crate::common::namespace::Said;
use crate::common::{TOP, skip};
use crate::programs::Program;
use crate::systems::{Inside, copy_programs, make, wanted};
use crate::tree::{Tree, Waiting, interpreter};
use crate::{Board, quick};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

/// That Debian, in which the interpreter that shares translations is registered. It is made once in a run of the tests.
/// `None`, said aloud, where it cannot be.
pub fn debian() -> Option<(PathBuf, Inside)> {
    static MADE: OnceLock<Result<(), String>> = OnceLock::new();
    let qemu = interpreter()?;
    let inside = Inside::new(qemu.parent()?, "aarch64", &Path::new(TOP).join("target/debian/shared-arm64"))?;
    let made = MADE.get_or_init(|| {
        let said = make(&inside, &["env", "QEMU_TBCACHE=on"], "arm64", &wanted());
        match said.status {
            0 => copy_programs("arm64", &inside.root, &wanted()),
            3 => return Err(said.err),
            _ => panic!("{said:?}"),
        }
        Ok(())
    });
    if let Err(why) = made {
        skip(thread::current().name().unwrap_or_default(), &format!("the mirror does not have all packages: {why}"));
        return None;
    }
    inside.mount();
    Some((qemu, inside))
}

/// Runs all scripts that it gets, as often as it is told first, and says what each printed and its exit status; then waits.
const ALL: &str = r#"rounds=$1
    shift
    for ((round = 0; round < rounds; round++)); do
        for script; do
            timeout 900 bash -c "$script" </dev/null
            printf '\nstatus %s\n' $?
        done
    done
    echo end
    read -r _"#;

/// All programs, by one shell that has the cache: for each round, what each of them did.
fn in_one_tree(
    qemu: &Path,
    inside: &Inside,
    programs: &[&Program],
    switch: &str,
    rounds: usize,
) -> (Tree, Vec<Vec<Result<(), String>>>) {
    let mut command = inside.namespace.long_command("chroot");
    command.arg(&inside.root).args(["/bin/bash", "-c", ALL, "bash", &rounds.to_string()]);
    command.args(programs.iter().map(|program| program.script)).env("QEMU_TBCACHE", switch);
    command.env("HOME", "/root").env("LC_ALL", "C.UTF-8");
    let mut shell = Waiting::new(&mut command);
    let mut one = |program: &Program| {
        let mut said = String::new();
        loop {
            assert!(said.len() < 1 << 20, "{switch}: the shell has ended, or says too much");
            let line = shell.line();
            match line.strip_prefix("status ") {
                Some("0") if said.trim() == program.says => return Ok(()),
                Some(status) => return Err(format!("{switch}: {status}, {said}")),
                None => said = said + &line + "\n",
            }
        }
    };
    let results = (0..rounds).map(|_| programs.iter().map(|program| one(program)).collect()).collect();
    assert_eq!(shell.line(), "end");
    (Tree::of(qemu, shell), results)
}

#[test]
fn programs() {
    let Some((qemu, inside)) = debian() else { return };
    let programs = wanted();
    let mut columns = vec!["the tree's first round", "its second round", "a cache of 2 MB"];
    let (tree, mut results) = in_one_tree(&qemu, &inside, &programs, "on", 2);
    assert_eq!(tree.refused(), 0);
    assert!(tree.hits() > 100_000, "{}", tree.hits());
    drop(tree);
    let (full, more) = in_one_tree(&qemu, &inside, &programs, "2", 1);
    assert_eq!(full.refused(), 0);
    assert!(full.tail() * 16 > (2 << 20) - 65_536, "it is not full: {}", full.tail());
    results.extend(more);
    if !quick() {
        columns.push("each a tree of its own");
        results.push(programs.iter().map(|program| inside.run(&["env", "QEMU_TBCACHE=on"], program)).collect());
        columns.push("without a cache");
        results.push(programs.iter().map(|program| inside.run(&["env", "QEMU_TBCACHE=off"], program)).collect());
    }
    let mut board = Board::with_columns("5-translations", "Debian for arm64, with shared translations", &columns);
    for (number, program) in programs.iter().enumerate() {
        board.results(program.name, results.iter().map(|round| round[number].clone()).collect());
    }
    board.close();
}

/// Asks each command of `/usr/bin` for its help and its version, and says how that ended, and a sum of what it said.
const EACH: &str = r#"cd "$(mktemp -d)"
    for ((round = 0; round < 2; round++)); do
        number=0
        for file in /usr/bin/*; do
            [ -x "$file" ] && [ $((number++ % $1)) = 0 ] || continue
            for option in --help --version; do
                timeout -k 5 30 "$file" $option </dev/null >/tmp/said 2>&1
                echo "$round $file $option $? $(sha256sum </tmp/said)"
            done
        done
    done"#;

/// Compared with what it is without a cache, where that is always the same.
#[test]
fn each_command_says_the_same() {
    let Some((_, inside)) = debian() else { return };
    let of_each = if quick() { "40" } else { "1" };
    let both_rounds = |switch: &str| {
        let mut command = inside.namespace.long_command("chroot");
        command.arg(&inside.root).args(["/bin/bash", "-c", EACH, "bash", of_each]).env("QEMU_TBCACHE", switch);
        let said = Said::of(command.env("HOME", "/root").env("LC_ALL", "C.UTF-8")).exits(0).out;
        let of = |round: &str| said.lines().filter_map(|line| line.strip_prefix(round)).map(String::from).collect();
        let rounds: [Vec<String>; 2] = [of("0 "), of("1 ")];
        rounds
    };
    let without = both_rounds("off");
    let with = both_rounds("on");
    let same = |number: &usize| without[0][*number] == without[1][*number];
    let stable: Vec<_> = (0..without[0].len()).filter(same).collect();
    assert!(stable.len() > 5 && stable.len() * 10 > without[0].len() * 9, "{} of {}", stable.len(), without[0].len());
    for round in with {
        assert_eq!(round.len(), without[0].len());
        for number in &stable {
            assert_eq!(round[*number], without[0][*number]);
        }
    }
    println!("{} answers of {} are compared", stable.len(), without[0].len());
}

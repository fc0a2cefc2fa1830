//! A whole Debian for arm64 whose programs share translations: made by them, and the same programs in it as on the board, in
//! trees of their own, in one that has run them before, and with a cache that is full before they end.

use crate::common::{TOP, skip};
use crate::programs::Program;
use crate::systems::{Inside, copy_programs, make, wanted};
use crate::tree::{Tree, Waiting, interpreter};
use crate::{Board, quick};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::Instant;

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

/// Runs all scripts that it gets, as often as it is told first, each for so many seconds at most, and says what each printed
/// and its exit status; then waits.
const ALL: &str = r#"rounds=$1 seconds=$2
    shift 2
    for ((round = 0; round < rounds; round++)); do
        for script; do
            timeout -k 5 $seconds bash -c "$script" </dev/null
            printf '\nstatus %s\n' $?
        done
    done
    echo end
    read -r _"#;

/// A script that is run in that Debian, by its name.
pub struct Script {
    pub name: String,
    pub text: String,
}

/// How it ended.
pub struct Ended {
    pub status: String,
    pub said: String,
}

/// All scripts, by one shell that has the cache if the switch says so: for each round, how each of them ended. `user` is of
/// the form that `chroot` takes.
pub fn by_one_shell(
    inside: &Inside,
    user: &str,
    scripts: &[Script],
    switch: &str,
    rounds: usize,
    seconds: u32,
) -> (Waiting, Vec<Vec<Ended>>) {
    let mut command = inside.namespace.long_command("chroot");
    command.args(["--userspec", user]).arg(&inside.root).args(["/bin/bash", "-c", ALL, "bash"]);
    command.args([rounds.to_string(), seconds.to_string()]).args(scripts.iter().map(|script| &script.text));
    command.env("QEMU_TBCACHE", switch).env("HOME", "/root").env("LC_ALL", "C.UTF-8");
    let mut shell = Waiting::new(&mut command);
    let mut one = |script: &Script| {
        let (mut said, start) = (String::new(), Instant::now());
        loop {
            assert!(said.len() < 1 << 22, "{switch}: the shell has ended, or says too much");
            let line = shell.line();
            if let Some(status) = line.strip_prefix("status ") {
                println!("{switch}: {}: {:.1} s", script.name, start.elapsed().as_secs_f64());
                return Ended { status: status.into(), said: said.trim().into() };
            }
            said = said + &line + "\n";
        }
    };
    let ended = (0..rounds).map(|_| scripts.iter().map(&mut one).collect()).collect();
    assert_eq!(shell.line(), "end");
    (shell, ended)
}

/// All programs, by one shell that has the cache: for each round, what each of them did.
fn in_one_tree(
    qemu: &Path,
    inside: &Inside,
    programs: &[&Program],
    switch: &str,
    rounds: usize,
) -> (Tree, Vec<Vec<Result<(), String>>>) {
    let scripts: Vec<_> =
        programs.iter().map(|program| Script { name: program.name.into(), text: program.script.into() }).collect();
    let (shell, ended) = by_one_shell(inside, "root", &scripts, switch, rounds, 900);
    let result = |(program, Ended { status, said }): (&&Program, &Ended)| match status == "0" && said == program.says {
        true => Ok(()),
        false => Err(format!("{switch}: {status}, {said}")),
    };
    let results = ended.iter().map(|round| programs.iter().zip(round).map(result).collect()).collect();
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
        for (column, switch) in [("each a tree of its own", "on"), ("without a cache", "off")] {
            columns.push(column);
            let alone = |program: &&Program| {
                let start = Instant::now();
                let result = inside.run(&["env", &format!("QEMU_TBCACHE={switch}")], program);
                println!("{column}: {}: {:.1} s", program.name, start.elapsed().as_secs_f64());
                result
            };
            results.push(programs.iter().map(alone).collect());
        }
    }
    let mut board = Board::with_columns("5-translations", "Debian for arm64, with shared translations", &columns);
    for (number, program) in programs.iter().enumerate() {
        board.results(program.name, results.iter().map(|round| round[number].clone()).collect());
    }
    board.close();
}

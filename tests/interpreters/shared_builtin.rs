//! The translations that the interpreters are built with (docs/translations.md), by the programs that they are of.

use crate::Both;
use crate::common::TOP;
use crate::common::namespace::{Said, Scratch};
use crate::tree::{GUESTS, Guest, Tree, interpreter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where these programs lie, by the release of Debian.
fn roots(qemu: &Path, guest: Guest) -> Vec<PathBuf> {
    let directory = qemu.parent().unwrap().parent().unwrap().join("builtin").join(guest.name);
    let list = fs::read_to_string(Path::new(TOP).join("qemu/interpreters/shared")).unwrap();
    let mut words =
        list.lines().map(str::split_whitespace).find_map(|mut words| (words.next()? == guest.name).then_some(words));
    words.iter_mut().flatten().skip(1).map(|release| directory.join(release)).collect()
}

fn program(root: &Path, name: &str) -> String {
    root.join("usr/bin").join(name).to_str().unwrap().into()
}

/// A process that begins a tree finds nearly all there.
#[test]
fn the_first_process_finds_them() {
    for guest in GUESTS {
        let Some(qemu) = guest.interpreter() else { continue };
        for root in roots(&qemu, guest) {
            for (name, arguments, says) in [
                ("true", &[][..], ""),
                ("dash", &["-c", "for i in 1 2 3; do echo $i; done"], "1\n2\n3\n"),
                ("bash", &["-c", "echo ${BASH##*/}"], "bash\n"),
            ] {
                let what = format!("{} {name}", root.display());
                let tree = Tree::for_guest(guest, &qemu, "on");
                let before = tree.entries();
                let mut words = vec![program(&root, name)];
                words.extend(arguments.iter().map(ToString::to_string));
                let said = Said::of(tree.command_in(&root, &qemu, &words).env("LC_ALL", "C"));
                assert_eq!((said.status, &*said.out), (0, says), "{what}: {said:?}");
                let (found, added) = (tree.built_in(), tree.entries() - before);
                assert!(found > 500 && added * 4 < found, "{what}: {found} found, {added} added");
                assert_eq!(tree.refused(), 0, "{what}");
                assert!(tree.said().contains(&format!("; {found} times one that is built in")), "{}", tree.said());
            }
        }
    }
}

/// Nor for another `-cpu`, nor where they are switched off.
#[test]
fn only_what_they_are_for_finds_them() {
    let Some(qemu) = interpreter() else { return };
    let root = &roots(&qemu, GUESTS[0])[0];
    let dash = program(root, "dash");
    for (options, environment, found) in [
        (&[][..], ("QEMU_TBCACHE", "on"), true),
        (&["-cpu", "cortex-a53"], ("QEMU_TBCACHE", "on"), false),
        (&["-R", "0x8000000000"], ("QEMU_TBCACHE", "on"), false),
        (&[], ("QEMU_TBCACHE", "off"), false),
    ] {
        let tree = Tree::new(&qemu, "on");
        let mut words: Vec<String> = options.iter().map(ToString::to_string).collect();
        words.extend([dash.clone(), "-c".into(), "echo $((6 * 7))".into()]);
        let said = Said::of(tree.command_in(root, &qemu, &words).env(environment.0, environment.1));
        assert_eq!((said.status, &*said.out), (0, "42\n"), "{options:?}: {said:?}");
        // Another cache than this tree's is no place to look.
        let inherited = options.is_empty() && environment.1 == "on";
        assert_eq!(tree.built_in() > 500, inherited && found, "{options:?} {environment:?}");
    }
}

/// Their code is for processors that have what x86-64-v3 has. Others are emulated here, so that it takes a while.
#[test]
fn the_processor_has_to_be_able_to() {
    let Some(both) = Both::new() else { return };
    let Some(qemu) = interpreter() else { return };
    if !both.have("x86_64") {
        return;
    }
    let root = &roots(&qemu, GUESTS[0])[0];
    for (processor, found) in [("Haswell", true), ("max", true), ("SandyBridge", false), ("qemu64", false)] {
        let scratch = Scratch::new();
        let outer = both.ours.join("qemu-x86_64");
        let script = format!("#!/bin/sh\nexec {} -cpu {processor} {} \"$@\"\n", outer.display(), qemu.display());
        let there = scratch.executable("qemu", script);
        let tree = Tree::new(&there, "on");
        let before = tree.entries();
        let words = [program(root, "dash"), "-c".into(), "echo $((6 * 7))".into()];
        let said = Said::of(&mut tree.command_in(root, &there, &words));
        assert_eq!((said.status, &*said.out), (0, "42\n"), "{processor}: {said:?}");
        let (built_in, added) = (tree.built_in(), tree.entries() - before);
        assert_eq!((built_in > 500, added < 500), (found, found), "{processor}: {built_in}, {added} added");
    }
}

/// They are in the file, and nobody can write to them: a process that must not share a cache, here for its limit on the
/// size of files, is quicker for them.
#[test]
fn who_may_not_share_has_them() {
    let Some(qemu) = interpreter() else { return };
    let root = &roots(&qemu, GUESTS[0])[0];
    let time = |switch: &str| {
        let script = "ulimit -f 1; for i in 1 2 3 4 5 6 7 8; do \"$@\" || exit; done; times";
        let mut command = Command::new("bash");
        command.args(["-c", script, "bash"]).arg(&qemu).arg("-L").arg(root).arg(program(root, "true"));
        let said = Said::of(command.env("QEMU_TBCACHE", switch)).exits(0).out;
        // Of its children: 0m0.123s 0m0.045s
        let seconds = |word: &str| {
            let (minutes, rest) = word.trim_end_matches('s').split_once('m').unwrap();
            minutes.parse::<f64>().unwrap() * 60.0 + rest.parse::<f64>().unwrap()
        };
        said.lines().nth(1).unwrap().split_whitespace().map(seconds).sum::<f64>()
    };
    let (without, with) = (time("off"), time("on"));
    assert!(with < without * 0.7, "{with} s, {without} s without");
}

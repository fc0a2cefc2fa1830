//! Who has a cache of translations, and whom it reaches what a hostile program writes to its own. The words are those of
//! docs/translations.md.

use crate::common::debian;
use crate::common::namespace::{Namespace, Said, Scratch};
use crate::tree::{PERL, Tree, interpreter, program};
use std::path::Path;

/// A namespace with all users, in which that interpreter is registered, and the hostile program lies below `/mnt`, with
/// copies that give another user's and another group's rights, and a capability.
fn namespace(qemu: &Path, user: u32) -> Option<Namespace> {
    let namespace = Namespace::with_users()?;
    let directory = format!("QEMU_BINARY_PATH={}", qemu.parent().unwrap().display());
    namespace.tool(&[&directory, "ARCHES=aarch64"], &[]).exits(0);
    let script = format!(
        "mount -t tmpfs tmpfs /mnt && cd /mnt && cp {} hostile && cp hostile setuid && cp hostile setgid &&
        chown {user}:0 setuid && chmod 4755 setuid && chown 0:{user} setgid && chmod 2755 setgid && chmod 755 . hostile &&
        cp hostile capable && setcap cap_chown+ep capable",
        program("hostile").display()
    );
    namespace.sh(&script).exits(0);
    Some(namespace)
}

/// It overwrites an entry, so that a function of others returns 13 instead of 42.
#[test]
fn a_hostile_program_reaches_its_own_tree_only() {
    let Some(qemu) = interpreter() else { return };
    let of_root = [
        ("same rights", 13, "user 0 0, group 0 0"),
        ("setuid", 42, "user 0 2, group 0 0"),
        ("setgid", 42, "user 0 0, group 0 2"),
        ("no new privileges", 42, "user 0 0, group 0 0"),
        ("another user namespace", 42, "user 65534 65534, group 65534 65534"),
        ("capabilities", 13, "user 0 0, group 0 0"),
        ("another user", 42, "user 1 1, group 0 0"),
        ("another group", 42, "user 0 0, group 1 1"),
        ("another root", 42, "user 0 0, group 0 0"),
        ("other mounts", 42, "user 0 0, group 0 0"),
    ];
    let of_user = [
        ("same rights", 13, "user 1000 1000, group 1000 1000"),
        ("setuid", 42, "user 1000 0, group 1000 1000"),
        ("setgid", 42, "user 1000 1000, group 1000 0"),
        ("no new privileges", 42, "user 1000 1000, group 1000 1000"),
        ("another user namespace", 42, "user 65534 65534, group 65534 65534"),
        ("capabilities", 42, "user 1000 1000, group 1000 1000"),
    ];
    for (user, owner, expected) in [(0, 2, &of_root[..]), (1000, 0, &of_user[..])] {
        let Some(namespace) = namespace(&qemu, owner) else { return };
        let mut command = namespace.command("setpriv");
        command.arg(format!("--reuid={user}")).arg(format!("--regid={user}")).arg("--clear-groups");
        command
            .args(["/mnt/hostile", "attack", "/mnt/setuid", "/mnt/setgid", "/mnt/capable"])
            .env("QEMU_TBCACHE", "on");
        let said = Said::of(&mut command);
        let lines: Vec<_> = expected.iter().map(|(what, number, ids)| format!("{what}: {number}, {ids}")).collect();
        assert_eq!(said.out.lines().collect::<Vec<_>>(), lines, "{said:?}");
    }
}

/// For whom the kernel does not set `AT_SECURE` when a program gives it a capability.
#[test]
fn a_root_without_capabilities() {
    let Some(qemu) = interpreter() else { return };
    let Some(namespace) = namespace(&qemu, 0) else { return };
    let mut command = namespace.command("setpriv");
    command.args(["--securebits=+noroot,+noroot_locked", "--inh-caps=-all", "/mnt/hostile", "attack"]);
    let said = Said::of(command.args(["/mnt/setuid", "/mnt/setgid", "/mnt/capable"]).env("QEMU_TBCACHE", "on"));
    for (what, number) in [("same rights", 13), ("capabilities", 42)] {
        assert!(said.out.contains(&format!("{what}: {number}, user 0 0, group 0 0\n")), "{said:?}");
    }
}

/// By a name, or a descriptor, that leads to another file between the look at it and the change of its mode.
#[test]
fn no_guest_marks_a_file_by_a_race() {
    let Some(qemu) = interpreter() else { return };
    let Some(namespace) = namespace(&qemu, 0) else { return };
    for switch in ["on", "off"] {
        let mut command = namespace.command("/mnt/hostile");
        let said = Said::of(command.arg("race").env("QEMU_TBCACHE", switch));
        assert_eq!((said.status, &*said.out), (0, "not marked, and a file with a name was\n"), "{switch}: {said:?}");
    }
}

/// While another thread starts programs.
#[test]
fn no_guest_takes_the_number() {
    let Some(qemu) = interpreter() else { return };
    let Some(namespace) = namespace(&qemu, 0) else { return };
    let said = Said::of(namespace.command("/mnt/hostile").arg("number").env("QEMU_TBCACHE", "on"));
    assert_eq!(said.out, "meanwhile: 42, user 0 0, group 0 0\n".repeat(50), "{said:?}");
}

/// A native program, such as what starts containers, may hand the descriptor on to an interpreter in another place.
#[test]
fn one_of_another_place_is_ignored() {
    let Some(qemu) = interpreter() else { return };
    let scratch = Scratch::new();
    let tree = Tree::new(&qemu, "on");
    tree.check();
    let perl = debian("arm64", "usr/bin/perl");
    for (number, (place, found)) in
        [("env", true), ("unshare -m", false), ("unshare -pf", false), ("unshare -U", false)].into_iter().enumerate()
    {
        let script = format!("#!/bin/sh\nexec {place} '{}' \"$@\"\n", qemu.display());
        let starter = scratch.executable(&format!("starter-{number}"), script);
        let hits = tree.hits();
        let said = Said::of(&mut tree.command(&starter, &[perl.to_str().unwrap(), "-e", PERL]));
        assert_eq!((said.status, &*said.out), (0, "6b86 500500\n"), "{place}: {said:?}");
        assert_eq!(tree.hits() > hits, found, "{place}");
    }
}

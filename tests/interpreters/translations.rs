//! The interpreters that share translations (docs/translations.md), where they are built:
//! `make interpreters NAMES=aarch64 TRANSLATIONS=shared`.

use crate::common::namespace::{Namespace, Said, Scratch};
use crate::common::{debian, fetch, skip};
use crate::machine::{Machine, need_of};
use crate::own::results_with;
use crate::tree::{GUESTS, PERL, Tree, Waiting, interpreter, program};
use crate::{Both, Outcome, quick};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{FileExt, fchown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

#[test]
fn translations_are_shared() {
    for guest in GUESTS {
        let Some(qemu) = guest.interpreter() else { continue };
        let tree = Tree::for_guest(guest, &qemu, "on");
        tree.check();
        let (entries, hits) = (tree.entries(), tree.hits());
        assert!(entries > 1000, "{}: {entries}", guest.name);
        tree.check();
        let (more, hits) = (tree.entries() - entries, tree.hits() - hits);
        assert!(hits > 20 * more && hits > entries / 2, "{}: {hits} hits, {more} more entries", guest.name);
        assert_eq!(tree.refused(), 0, "{}", guest.name);
        let numbers = format!("of 48 MB, {} translations, used {} times; ", tree.entries(), tree.hits());
        assert!(tree.said().contains(&numbers), "{}: {}", guest.name, tree.said());
    }
}

#[test]
fn the_switch() {
    let Some(qemu) = interpreter() else { return };
    for (switch, on) in [
        (None, true),
        (Some("on"), true),
        (Some("1"), true),
        (Some(""), false),
        (Some("off"), false),
        (Some("2000"), false),
        (Some("yes"), false),
    ] {
        let mut command = Command::new(&qemu);
        command.arg(program("hidden")).arg("wait").env_remove("QEMU_TBCACHE").stderr(Stdio::null());
        command.envs(switch.map(|switch| ("QEMU_TBCACHE", switch)));
        let mut waiting = Waiting::new(&mut command);
        assert_eq!((waiting.line(), waiting.has_cache()), ("here".into(), (on, on)), "{switch:?}");
        waiting.go_on();
    }
}

/// From each program, its child, and what it executes.
#[test]
fn it_is_hidden() {
    for guest in GUESTS {
        let Some(qemu) = guest.interpreter() else { continue };
        let Some(namespace) = Namespace::new() else { return };
        let (mut command, lines) = if guest.native() {
            let mut command = namespace.command(&qemu);
            command.arg(guest.program("hidden")).arg("alone");
            (command, 1)
        } else {
            let directory = format!("QEMU_BINARY_PATH={}", qemu.parent().unwrap().display());
            namespace.tool(&[&directory, &format!("ARCHES={}", guest.name)], &[]).exits(0);
            // The second line is of a program that it executes.
            (namespace.command(guest.program("hidden")), 2)
        };
        let said = Said::of(command.env("QEMU_TBCACHE", "on"));
        let right = said.out.lines().filter(|line| line.starts_with("0 of ")).count();
        assert!(said.status == 0 && right == lines, "{}: {said:?}", guest.name);
    }
}

/// On AArch64, as far as an interpreter shows it that emulates such a host: the interpreter in it has its kernel's calls and
/// processes, but its instructions are translated once more.
#[test]
fn on_aarch64() {
    let Some(both) = Both::new() else { return };
    let outer = both.ours.join("qemu-aarch64");
    if !both.have("aarch64") {
        return;
    }
    for guest in GUESTS {
        let Some(inner) = guest.interpreter_for(&both, "arm64") else { continue };
        let scratch = Scratch::new();
        let script = format!("#!/bin/sh\nexec {} {} \"$@\"\n", outer.display(), inner.display());
        let qemu = scratch.executable("qemu", script);
        let hidden = Said::of(Command::new(&qemu).arg(guest.program("hidden")).arg("alone").env("QEMU_TBCACHE", "on"));
        assert!(hidden.status == 0 && hidden.out.starts_with("0 of "), "{}: {hidden:?}", guest.name);
        let tree = Tree::for_guest(guest, &qemu, "on");
        tree.check();
        let (entries, hits) = (tree.entries(), tree.hits());
        tree.check();
        let (more, hits) = (tree.entries() - entries, tree.hits() - hits);
        assert!(entries > 1000 && hits > 20 * more && hits > entries / 2, "{}: {hits} hits, {more}", guest.name);
        assert_eq!(tree.refused(), 0, "{}", guest.name);
    }
}

/// On a machine of AArch64, booted in emulation: its kernel starts an interpreter for each program of a tree. One waits until
/// what is in their cache has been looked at.
#[test]
fn on_a_machine_of_aarch64() {
    const SUM: &str = "edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb  -\n";
    let Some(both) = Both::new() else { return };
    let guest = GUESTS.into_iter().find(|guest| guest.name == "x86_64").unwrap();
    let Some(qemu) = guest.interpreter_for(&both, "arm64") else { return };
    if let Err(why) = need_of("trixie", "arm64", &[]).and_then(|()| fetch("amd64", "busybox-static")) {
        return skip("on_a_machine_of_aarch64", &why);
    }
    let busybox = debian("amd64", "usr/bin/busybox");
    let header = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00";
    let mask = r"\xff\xff\xff\xff\xff\xfe\xfe\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";
    let register = format!(
        "mkdir -p /proc /tmp && mount -t proc proc /proc && mount -t devtmpfs dev /dev &&
        mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc &&
        printf %s ':x86_64:M::{header}:{mask}:/qemu-x86_64:' >/proc/sys/fs/binfmt_misc/register"
    );
    // Its header has how often a translation was found, how many there are, and how many were not believed.
    let tree = r#"mkfifo /done /go
        /amd64/busybox sh -c 'for i in 1 2 3 4; do echo abc | /amd64/busybox sha256sum; done; echo >/done; read x </go' &
        read x </done && dd if=/proc/$!/fd/1000 bs=8 skip=5 count=3 2>/dev/null | od -A n -t d8 -v
        echo >/go && wait"#;
    let machine = Machine::of("trixie", "arm64").file("/qemu-x86_64", qemu).file("/amd64/busybox", busybox);
    let machine = machine.file("/amd64/hidden", guest.program("hidden"));
    let console = machine.run(&register).run("/amd64/hidden").run(tree).boot();
    let [registered, hidden, shared] = console.ran();
    assert_eq!(registered.said(), (0, ""));
    let right = hidden.output.lines().filter(|line| line.starts_with("0 of ")).count();
    assert_eq!((hidden.status, right), (0, 2), "{}", hidden.output);
    let numbers = shared.output.strip_prefix(&SUM.repeat(4)).unwrap_or_else(|| panic!("{}", shared.output));
    let numbers: Vec<u64> = numbers.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let [hits, entries, wrong] = numbers[..] else { panic!("{numbers:?}") };
    assert!(entries > 1000 && hits > entries && wrong == 0, "{hits} hits, {entries} entries, {wrong} wrong");
}

/// Each interpreter of a tree that the kernel starts has it, and a native program has it not.
#[test]
fn it_is_inherited() {
    let Some(qemu) = interpreter() else { return };
    let Some(namespace) = Namespace::new() else { return };
    let directory = format!("QEMU_BINARY_PATH={}", qemu.parent().unwrap().display());
    namespace.tool(&[&directory, "ARCHES=aarch64"], &[]).exits(0);
    let perl = debian("arm64", "usr/bin/perl");
    let script = r#"system "/bin/sh", "-c", "ls -l /proc/self/fd /proc/\$PPID/fd" "#;
    let mut command = namespace.command(perl);
    let said =
        Said::of(command.args(["-e", script]).env("QEMU_TBCACHE", "on").env("QEMU_LD_PREFIX", debian("arm64", "/")));
    // The interpreter has it, as a program outside sees; a native child of it has not.
    assert_eq!(said.out.matches("qemu-translations").count(), 1, "{said:?}");
}

/// In that process before the call is made, with all of its threads.
#[test]
fn it_is_dropped_before_privileges_change() {
    let all = "capset chroot pivot_root unshare setns clone seccomp landlock PR_SET_SECCOMP PR_SET_NO_NEW_PRIVS
        PR_CAPBSET_DROP PR_CAP_AMBIENT PR_SET_SECUREBITS PR_SET_KEEPCAPS PR_SET_DUMPABLE";
    let confined = Path::new("/proc/self/attr/exec").exists();
    if !confined {
        skip("it_is_dropped_before_privileges_change", "for attr: this kernel has no /proc/self/attr/exec");
    }
    let ids = "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups";
    for guest in GUESTS {
        let Some(qemu) = guest.interpreter() else { continue };
        let second = ids.split_whitespace().filter(|_| guest.second_ids).map(|call| format!("{call}32"));
        let calls = all.split_whitespace().chain(ids.split_whitespace()).map(String::from).chain(second);
        let calls = calls.chain(confined.then(|| "attr".into()));
        for (call, stays) in calls.map(|call| (call, false)).chain([("nothing".into(), true)]) {
            let what = format!("{}: {call}", guest.name);
            let mut command = Command::new(&qemu);
            let mut waiting = Waiting::new(command.arg(guest.program("parts")).arg(&call).env("QEMU_TBCACHE", "on"));
            assert_eq!((waiting.line(), waiting.has_cache()), ("before".into(), (true, true)), "{what}");
            waiting.go_on();
            assert!(waiting.line().starts_with("after "), "{what}");
            assert_eq!(waiting.has_cache(), (stays, stays), "{what}");
            waiting.go_on();
            assert_eq!(waiting.line(), "end", "{what}");
        }
    }
}

#[test]
fn what_a_guest_makes_is_not_taken_for_a_cache() {
    // That has to start another interpreter.
    for guest in GUESTS.into_iter().filter(|guest| !guest.native()) {
        let Some(qemu) = guest.interpreter() else { continue };
        let Some(namespace) = Namespace::new() else { return };
        let directory = format!("QEMU_BINARY_PATH={}", qemu.parent().unwrap().display());
        namespace.tool(&[&directory, &format!("ARCHES={}", guest.name)], &[]).exits(0);
        let said = Said::of(namespace.command(guest.program("parts")).arg("forge").env("QEMU_TBCACHE", "off"));
        assert_eq!((said.status, &*said.out), (0, "not taken\n"), "{}: {said:?}", guest.name);
    }
}

/// Whatever is written to one. That is no protection from who wants to do harm; no wild write does.
#[test]
fn what_is_overwritten_is_refused() {
    let Some(qemu) = interpreter() else { return };
    let tree = Tree::new(&qemu, "on");
    tree.check();
    let file = tree.file();
    assert!(file.set_len(4096).is_err(), "it is sealed");
    let (begin, end) = (4096, tree.tail() * 16);
    let mut random: u64 = 15;
    for _ in 0..20_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        file.write_all_at(&random.to_le_bytes()[5..], begin + (random >> 16) % (end - begin)).unwrap();
    }
    (0..5).for_each(|_| tree.check());
    assert!(tree.refused() > 100, "{}", tree.refused());
    // The end of it, too.
    for tail in [0, 1, u32::MAX] {
        file.write_all_at(&tail.to_le_bytes(), 32).unwrap();
        tree.check();
    }
}

#[test]
fn it_is_limited() {
    let Some(qemu) = interpreter() else { return };
    let tree = Tree::new(&qemu, "1");
    (0..3).for_each(|_| tree.check());
    assert_eq!(tree.file().metadata().unwrap().len(), 1 << 20);
    assert!(tree.tail() * 16 <= 1 << 20 && tree.tail() * 16 > (1 << 20) - 65_536, "{}", tree.tail());
    assert_eq!(tree.refused(), 0);
    assert!(tree.left_out() > 1000, "{}", tree.left_out());
    assert!(tree.said().ends_with(&format!("{} without room\n", tree.left_out())), "{}", tree.said());
}

/// What a process may write to files has no part in this: neither a limit that it begins with, nor one that another process
/// sets for it meanwhile.
#[test]
fn a_limit_on_the_size_of_files() {
    let Some(qemu) = interpreter() else { return };
    let tree = Tree::new(&qemu, "on");
    let scratch = Scratch::new();
    let limited = scratch.executable("limited", format!("#!/bin/sh\nulimit -f 1\nexec '{}' \"$@\"\n", qemu.display()));
    let perl = debian("arm64", "usr/bin/perl");
    let said = Said::of(&mut tree.command(&limited, &[perl.to_str().unwrap(), "-e", PERL]));
    assert_eq!((said.status, &*said.out), (0, "6b86 500500\n"), "{said:?}");
    assert!(tree.entries() > 1000, "{}", tree.entries());

    let mut command = Command::new(&qemu);
    command.arg(program("hidden")).arg("wait").env("QEMU_TBCACHE", "on");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    Said::of(Command::new("prlimit").arg("--fsize=4096").arg(format!("--pid={}", child.id()))).exits(0);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

/// Where the system makes memory files that cannot be executed (vm.memfd_noexec, of a PID namespace), a cache is one, too.
#[test]
fn where_no_memory_file_can_be_executed() {
    let Some(qemu) = interpreter() else { return };
    if !Path::new("/proc/sys/vm/memfd_noexec").exists() {
        skip("where_no_memory_file_can_be_executed", "this kernel has no vm.memfd_noexec, which Linux 6.3 has");
        return;
    }
    for level in ["1", "2"] {
        let script = "echo $1 >/proc/sys/vm/memfd_noexec
            coproc \"$2\" \"$3\" wait
            read -r _ <&${COPROC[0]} && exec 1000<>/proc/$COPROC_PID/fd/1000 && \"$2\" \"$3\" alone";
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--mount-proc", "bash", "-c", script, "bash", level]);
        let said = Said::of(command.arg(&qemu).arg(program("hidden")).env("QEMU_TBCACHE", "on"));
        assert!(said.status == 0 && said.out.starts_with("0 of "), "{level}: {said:?}");
    }
}

/// Another build's, and one for another `-cpu`: it is left as it was, and there is another.
#[test]
fn a_foreign_one_is_ignored() {
    let Some(qemu) = interpreter() else { return };
    let tree = Tree::new(&qemu, "on");
    tree.check();
    let (tail, hits) = (tree.tail(), tree.hits());
    let perl = debian("arm64", "usr/bin/perl");
    let words = ["-cpu", "cortex-a53", perl.to_str().unwrap(), "-e", PERL];
    assert_eq!(Said::of(&mut tree.command(&qemu, &words)).exits(0).out, "6b86 500500\n");
    // The same but for the build's identity: a note of the type 3, 20 bytes, of GNU.
    let scratch = Scratch::new();
    let mut bytes = fs::read(&qemu).unwrap();
    let note = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0";
    let at = bytes.windows(note.len()).position(|window| window == note).unwrap() + note.len();
    bytes[at] ^= 1;
    let other = scratch.executable("qemu-aarch64", bytes);
    let words = [perl.to_str().unwrap(), "-e", PERL];
    assert_eq!(Said::of(&mut tree.command(&other, &words)).exits(0).out, "6b86 500500\n");
    assert_eq!((tree.tail(), tree.hits()), (tail, hits));
}

/// The kernel says whose it is; that is how one of another user comes that a program with more rights inherits.
#[test]
fn one_of_another_user_is_refused() {
    let Some(qemu) = interpreter() else { return };
    for (user, group) in [(Some(1), None), (None, Some(1))] {
        let tree = Tree::new(&qemu, "on");
        tree.check();
        let hits = tree.hits();
        fchown(tree.file(), user, group).unwrap();
        tree.check();
        assert_eq!(tree.hits(), hits, "{user:?} {group:?}");
    }
}

#[test]
fn many_at_once_and_killed() {
    let Some(qemu) = interpreter() else { return };
    let tree = Tree::new(&qemu, "on");
    let start = || tree.perl().stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let killed: Vec<_> = (0..64).map(|_| start()).collect();
    for (number, mut child) in killed.into_iter().enumerate() {
        thread::sleep(Duration::from_millis(number as u64 % 40));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let all: Vec<_> = (0..64).map(|_| start()).collect();
    for child in all {
        let said = Said::from(child.wait_with_output().unwrap());
        assert_eq!((said.status, &*said.out), (0, "6b86 500500\n"), "{said:?}");
    }
    assert_eq!(tree.refused(), 0);
}

/// Without a cache, with one that is empty at first, and with one that has been filled by the same tests.
#[test]
fn tests_of_qemu_with_translations() {
    for guest in if quick() { &GUESTS[..2] } else { &GUESTS[..] } {
        let Some(qemu) = guest.interpreter() else { continue };
        let results = |environment: &[(&str, &str)]| results_with(qemu.parent().unwrap(), guest.name, environment);
        let without = results(&[("QEMU_TBCACHE", "off")]);
        let passed = without.iter().filter(|(_, outcome)| *outcome == Outcome::Pass).count();
        assert!(passed > 20, "{}: {without:?}", guest.name);
        let all = ["", "1"];
        let rounds = if quick() { &all[1..] } else { &all[..] };
        for warm in rounds {
            let with = results(&[("QEMU_TBCACHE", "on"), ("WARM", warm)]);
            assert_eq!(with, without, "{}, warm: {warm:?}", guest.name);
        }
    }
}

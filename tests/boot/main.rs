//! Boots the kernels of four Debian releases: what lasts, and what does not, where nothing but a test mounts anything.

#[path = "../common/mod.rs"]
mod common;
mod hosts;
mod machine;

use common::{debian, shipped, skip};
use machine::{Machine, need};
use std::fs;

/// Makes each function a test of its own on every kernel.
macro_rules! on_every_kernel {
    ($($test:ident)*) => { on_every_kernel! { @ bullseye bookworm trixie sid: [$($test)*] } };
    (@ $($suite:ident)*: $tests:tt) => { $( on_every_kernel! { @@ $suite $tests } )* };
    (@@ $suite:ident [$($test:ident)*]) => {
        mod $suite {
            $(
                #[test]
                fn $test() {
                    super::on(stringify!($suite), stringify!($test), super::$test);
                }
            )*
        }
    };
}

on_every_kernel! {
    without_the_pin_registrations_die_with_the_mount
    registrations_last
    entries_of_others_are_left_alone
    programs_are_proven_without_proc_and_dev
}

mod hold;
mod init;
mod linuxkit;
mod pin;
mod rootless;
mod rules;

fn on(suite: &str, name: &str, test: impl Fn(&str)) {
    match need(suite) {
        Ok(()) => test(suite),
        Err(why) => skip(&format!("boot {suite}::{name}"), &why),
    }
}

/// What every other tool loses: since Linux 6.7, and in stable series before it, the last umount removes all entries.
fn without_the_pin_registrations_die_with_the_mount(suite: &str) {
    let rules = fs::read_to_string(debian("amd64", "/usr/lib/binfmt.d/qemu-aarch64.conf")).unwrap();
    let rule = rules.trim().rsplitn(3, ':').last().unwrap(); // without interpreter and flags
    let qemu = "/usr/bin/qemu-aarch64";
    let console = Machine::new(suite)
        .file(qemu, debian("amd64", qemu))
        .file("/arm64/busybox", debian("arm64", "/usr/bin/busybox"))
        .run("mkdir /binfmt_misc && mount -t binfmt_misc binfmt_misc /binfmt_misc")
        .run(&format!("echo '{rule}:{qemu}:F' >/binfmt_misc/register"))
        .run("/arm64/busybox uname -m")
        .run("umount /binfmt_misc")
        .run("/arm64/busybox uname -m")
        .boot();
    let [mount, register, mounted, umount, unmounted] = console.ran();
    for quiet in [mount, register, umount] {
        assert_eq!(quiet.said(), (0, ""));
    }
    assert_eq!(mounted.said(), (0, "aarch64\n"));
    // Linux 5.10 keeps the entry. By output: where the kernel refuses, the shell may take the program for a script.
    assert_eq!(unmounted.output == "aarch64\n", suite == "bullseye");
}

/// A foreign program, which ends well only if it runs, and its standard output.
const ARM64: &str = "/arm64/busybox uname -m";

/// The same where it must not run: the shell may take it for a script, and complain.
const NO_ARM64: &str = "! /arm64/busybox true 2>/dev/null";

/// A program for an entry of somebody else's, made by [`THEIRS`]: `cat` shows it; a shell would execute it.
const THEIR_PROGRAM: &str = "/program.theirs";
const NO_THEIR_PROGRAM: &str = "! /program.theirs | grep echo";
const THEY_RAN: &str = "echo not by their interpreter\n";

/// Registers that entry, where binfmt_misc is mounted.
const THEIRS: &str = "
    echo 'echo not by their interpreter' >/program.theirs && chmod +x /program.theirs
    cd /proc/sys/fs/binfmt_misc && echo :theirs:E::theirs::/bin/cat: >register";

const MOUNT: &str = "mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc";
const UMOUNT: &str = "umount /proc/sys/fs/binfmt_misc";
const LIST: &str = "ls -1 /proc/sys/fs/binfmt_misc";

const REMOVED: &str = "qemu-aarch64: removed\n";
const ALL_REMOVED: &str = "qemu-aarch64: removed\nbinfmt_register: removed\n";
const KEPT: &str = "aarch64: kept, entry qemu-aarch64 handles it\n";

/// A machine with the tool, an interpreter and a foreign program.
fn the_machine(suite: &str) -> Machine {
    let qemu = "/usr/bin/qemu-aarch64";
    Machine::new(suite)
        .file("/bin/binfmt_register", shipped())
        .file(qemu, debian("amd64", qemu))
        .file("/arm64/busybox", debian("arm64", "/usr/bin/busybox"))
}

/// Boots it and runs each command, which must succeed and say exactly this.
fn all_succeed(suite: &str, commands: &[(&str, &str)]) {
    the_machine(suite).all_succeed(commands);
}

/// What the machine runs by itself is up to its kernel, whatever its CPU.
#[test]
fn i386_is_registered_if_the_kernel_may_not_run_it() {
    on("trixie", "i386_is_registered_if_the_kernel_may_not_run_it", |suite| {
        Machine::new(suite).file("/bin/binfmt_register", shipped()).append("ia32_emulation=0").all_succeed(&[(
            "ARCHES=i386 MODE=execution binfmt_register",
            "i386: registered /usr/bin/qemu-i386-static (POC)\n",
        )]);
    });
}

/// What is said of a new entry with these flags on a kernel that has the flag `P` (from 5.12 on), or has not.
fn registered(suite: &str, flags: &str) -> String {
    let p = if suite == "bullseye" { "" } else { "P" };
    format!("aarch64: registered /usr/bin/qemu-aarch64 ({p}{flags})\n")
}

/// The pin: no process, no mount and no namespace is left, and the entries are still there.
fn registrations_last(suite: &str) {
    let p = if suite == "bullseye" { "" } else { "P" };
    let new = &registered(suite, "OCF");
    all_succeed(
        suite,
        &[
            // No /proc, no modules.
            ("mv /lib/modules /lib/away", ""),
            (
                "binfmt_register; test $? = 1",
                "binfmt_misc: ENODEV: this kernel has none; run 'modprobe binfmt_misc' on the host\n",
            ),
            ("mv /lib/away /lib/modules", ""),
            // No /proc, and nothing loaded or mounted.
            ("ARCHES=arm64 binfmt_register", new),
            (ARM64, "aarch64\n"),
            ("binfmt_register --install arm64", KEPT),
            ("REPLACE=true MODE=registration binfmt_register", &new.replace("registered", "replaced by")),
            (ARM64, "aarch64\n"),
            ("binfmt_register --uninstall '*'", ALL_REMOVED),
            (NO_ARM64, ""),
            // With /proc, to look at it from here on.
            ("mkdir /proc && mount -t proc proc /proc", ""),
            (MOUNT, ""),
            (LIST, "register\nstatus\n"),
            (UMOUNT, ""),
            // No residue, be /proc writable or not.
            ("cat /proc/self/mountinfo >/before", ""),
            ("MODE=registration binfmt_register", new),
            ("cmp /before /proc/self/mountinfo", ""),
            ("binfmt_register --uninstall qemu-aarch64", ALL_REMOVED),
            ("mount -o remount,ro /proc && cat /proc/self/mountinfo >/before", ""),
            ("binfmt_register", new),
            ("cmp /before /proc/self/mountinfo", ""),
            (ARM64, "aarch64\n"),
            // What it looks like.
            (MOUNT, ""),
            (LIST, "binfmt_register\nqemu-aarch64\nregister\nstatus\n"),
            ("grep flags /proc/sys/fs/binfmt_misc/qemu-aarch64", &format!("flags: {p}OCF\n")),
            ("head -n 1 /proc/sys/fs/binfmt_misc/binfmt_register", "disabled\n"),
            // What a restart of systemd-binfmt does.
            ("echo -1 >/proc/sys/fs/binfmt_misc/status", ""),
            (LIST, "register\nstatus\n"),
            (NO_ARM64, ""),
            ("MODE=execution binfmt_register", &registered(suite, "OC")),
            (UMOUNT, ""),
            (ARM64, "aarch64\n"),
            ("binfmt_register --uninstall arm64", ALL_REMOVED),
            (NO_ARM64, ""),
            // A container: the file system with the interpreter goes with it, too.
            (
                "mkdir /image && unshare -m sh -c '
                     mount -t tmpfs tmpfs /image && mkdir -p /image/usr/bin &&
                     mv /usr/bin/qemu-aarch64 /image/usr/bin && cp /bin/binfmt_register /image &&
                     exec chroot /image /binfmt_register'",
                new,
            ),
            ("ls -1 /image /usr/bin", "/image:\n\n/usr/bin:\n"),
            (ARM64, "aarch64\n"),
            ("unshare -m binfmt_register --uninstall '*'", ALL_REMOVED),
            (NO_ARM64, ""),
        ],
    );
}

/// They live as long as they would without this tool, or longer.
fn entries_of_others_are_left_alone(suite: &str) {
    let new = &registered(suite, "OCF");
    // Linux 5.10 keeps entries without the pin too.
    let gone = if suite == "bullseye" { (THEIR_PROGRAM, THEY_RAN) } else { (NO_THEIR_PROGRAM, "") };
    all_succeed(
        suite,
        &[
            ("mkdir /proc && mount -t proc proc /proc && modprobe binfmt_misc", ""),
            (MOUNT, ""),
            (THEIRS, ""),
            ("binfmt_register", new),
            ("binfmt_register", KEPT),
            (UMOUNT, ""),
            (ARM64, "aarch64\n"),
            (THEIR_PROGRAM, THEY_RAN),
            // Nothing but the pin keeps theirs.
            (
                "binfmt_register --uninstall '*'",
                "qemu-aarch64: removed\nbinfmt_register: kept, entries of others may need it\n",
            ),
            (NO_ARM64, ""),
            (THEIR_PROGRAM, THEY_RAN),
            ("binfmt_register", new),
            ("binfmt_register --uninstall arm64", REMOVED),
            (THEIR_PROGRAM, THEY_RAN),
            ("binfmt_register", new),
            // The mount does.
            (MOUNT, ""),
            (LIST, "binfmt_register\nqemu-aarch64\nregister\nstatus\ntheirs\n"),
            ("binfmt_register --uninstall '*'", ALL_REMOVED),
            (NO_ARM64, ""),
            (THEIR_PROGRAM, THEY_RAN),
            (LIST, "register\nstatus\ntheirs\n"),
            // By its exact name it goes.
            ("binfmt_register", new),
            (UMOUNT, ""),
            ("binfmt_register --uninstall arm64", REMOVED),
            (THEIR_PROGRAM, THEY_RAN),
            ("binfmt_register --uninstall binfmt_register", "binfmt_register: removed\n"),
            gone,
        ],
    );
}

/// In an initramfs there may be neither, which a program executed from memory would be looked for in.
fn programs_are_proven_without_proc_and_dev(suite: &str) {
    all_succeed(
        suite,
        &[
            ("rm -rf /dev && test ! -e /proc", ""),
            ("ARCHES=i386 MODE=execution binfmt_register", "i386: native, this machine runs it\n"),
            ("VERIFY=true binfmt_register", &registered(suite, "OCF")),
            ("binfmt_register --status >/status", ""),
            // The kernels are of x86_64, and run i386 by themselves.
            (
                "tr -d ' \n' </status",
                r#"{"supported":["linux/amd64","linux/arm64","linux/386"],"emulators":["qemu-aarch64"]}"#,
            ),
        ],
    );
}

#[test]
fn the_harness_tells_what_happened() {
    on("trixie", "the_harness_tells_what_happened", |suite| {
        let console = Machine::new(suite)
            .append("MODE=execution")
            .run("printf 'no newline'")
            .run("echo two; echo lines >&2; exit 3")
            .run("printf $MODE; test $$ = 1 && ! test -e /proc")
            .boot();
        let [one, two, three] = console.ran();
        assert_eq!(one.said(), (0, "no newline"));
        assert_eq!(two.said(), (3, "two\nlines\n"));
        assert_eq!(three.said(), (0, "execution"));
        assert!(!console.text.contains("panic"));
    });
}

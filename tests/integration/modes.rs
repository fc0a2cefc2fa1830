//! `MODE`: the five rules of the reference document, and what each mode means for the programs.

use crate::common::host::{self, OLD, exchanged};
use crate::common::namespace::{Namespace, Said, Scratch, interpreters, program};
use std::fs;

/// Rules 1 and 2, and 4: what a kernel with registration mode does.
#[test]
fn a_kernel_with_registration_mode_does_as_it_is_told_and_takes_that_mode_by_default() {
    let Some(namespace) = Namespace::new() else { return };
    for (mode, flags) in [("execution", "POC"), ("registration", "POCF"), ("", "POCF")] {
        let mode = format!("MODE={mode}");
        namespace.tool(&[&mode, "ARCHES=arm64", "REPLACE=true"], &[]).exits(0);
        assert_eq!(namespace.entry("qemu-aarch64").unwrap().flags, flags, "{mode}");
    }
}

/// Rule 3.
#[test]
fn a_kernel_without_registration_mode_that_is_told_to_use_it_is_an_error() {
    let Some(namespace) = Namespace::new() else { return };
    let release = match host::other() {
        Some(_) => OLD[1].replace("QEMU_UNAME=", ""),
        None => Said::of(namespace.command(OLD[0]).args(&OLD[1..]).args(["uname", "-r"])).exits(0).out,
    };
    let words = ["MODE=registration", release.trim(), "4.8"];
    assert!(release.starts_with("2.6."));
    namespace.under(OLD, &["MODE=registration"], &[]).exits(1).says_only(&words);
    namespace.under(OLD, &["MODE=registration", "ARCHES=arm64"], &[]).exits(1).says_only(&words);
    namespace.under(OLD, &["MODE=registration"], &["--install", "all"]).exits(1).says_only(&words);
    assert!(namespace.entries().is_empty());
    // What is there stays, too.
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    let before = namespace.state();
    namespace.under(OLD, &["MODE=registration", "REPLACE=true"], &[]).exits(1).says_only(&words);
    assert_eq!(namespace.state(), before);
}

/// Rules 1 and 5. Such a kernel cannot tell QEMU that `argv[0]` is preserved, either.
#[test]
fn a_kernel_without_registration_mode_takes_execution_mode() {
    let Some(namespace) = Namespace::new() else { return };
    for mode in ["MODE=", "MODE=execution"] {
        namespace.under(OLD, &[mode, "ARCHES=arm64", "REPLACE=true"], &[]).exits(0).says(&["aarch64: ", "(OC)"]);
        assert_eq!(namespace.entry("qemu-aarch64").unwrap().flags, "OC", "{mode}");
        assert!(namespace.runs("arm64"), "{mode}");
    }
}

#[test]
fn in_execution_mode_the_interpreter_is_the_one_where_the_program_runs() {
    let Some(namespace) = Namespace::new() else { return };
    // Empty: the interpreter need not exist when it is registered.
    let place = Scratch::new();
    let directory = place.variable();
    namespace.tool(&[&directory, "MODE=execution", "ARCHES=arm64"], &[]).exits(0);
    let entry = namespace.entry("qemu-aarch64").unwrap();
    assert_eq!(
        (entry.interpreter.as_str(), entry.flags.as_str()),
        (&*format!("{}/qemu-aarch64-static", place.path()), "POC")
    );
    assert!(!namespace.runs("arm64"), "there is no interpreter");
    // A mount namespace, as a container has one, in which it is there.
    let script = format!(
        "mount -t tmpfs tmpfs {0} && ln -s {1} {0}/qemu-aarch64-static && {2} echo it runs",
        place.path(),
        interpreters().join("qemu-aarch64").display(),
        program("arm64").display(),
    );
    let said = Said::of(namespace.command("unshare").args(["-m", "sh", "-c", &exchanged(&script)])).exits(0);
    assert_eq!(said.out, "it runs\n");
    assert!(!namespace.runs("arm64"), "it was in that namespace only");
    // And once it is there, it is there without another registration.
    place.copy(interpreters().join("qemu-aarch64"), "qemu-aarch64-static");
    assert!(namespace.runs("arm64"));
}

#[test]
fn in_execution_mode_all_are_registered_if_none_is_here() {
    let Some(namespace) = Namespace::new() else { return };
    let place = Scratch::new();
    let directory = place.variable();
    let said = namespace.tool(&[&directory, "MODE=execution"], &[]).exits(0);
    let entries = namespace.entries();
    for name in ["qemu-aarch64", "qemu-arm", "qemu-cris", "qemu-riscv64", "qemu-s390x", "qemu-xtensaeb"] {
        if name == format!("qemu-{}", host::own().0) {
            continue;
        }
        assert!(entries.contains(&name.to_string()), "{name}; {said:#?}");
    }
    assert!(!entries.contains(&format!("qemu-{}", host::own().0)), "its own");
    assert!(!namespace.runs("arm64"), "{said:#?}");
}

/// What `ARCHES=arm64 MODE=execution` with a dynamically linked interpreter does: it may well work where the program
/// runs.
#[test]
fn in_execution_mode_the_interpreter_may_be_dynamically_linked() {
    let Some(namespace) = Namespace::new() else { return };
    let place = Scratch::new();
    place.copy(std::env::current_exe().unwrap(), "qemu-aarch64");
    namespace.tool(&[&place.variable(), "MODE=execution"], &[]).exits(0).says(&["aarch64: registered"]);
    assert_eq!(namespace.entries(), ["qemu-aarch64"]);
}

#[test]
fn in_registration_mode_the_interpreter_may_go_afterwards() {
    let Some(namespace) = Namespace::new() else { return };
    let place = Scratch::new();
    let copy = place.copy(interpreters().join("qemu-aarch64"), "qemu-aarch64");
    namespace.tool(&[&place.variable(), "MODE=registration"], &[]).exits(0);
    fs::remove_file(copy).unwrap();
    assert!(namespace.runs("arm64"));
    // Nor need it be where the program runs: here is nothing but the program.
    let script = format!(
        "mount -t tmpfs tmpfs /mnt && cp {} /mnt/busybox && chroot /mnt /busybox echo it runs",
        program("arm64").display()
    );
    let said = Said::of(namespace.command("unshare").args(["-m", "sh", "-c", &script])).exits(0);
    assert_eq!(said.out, "it runs\n");
}

#[test]
fn a_registration_lasts_as_long_as_the_namespace() {
    let Some(namespace) = Namespace::bare() else { return };
    assert!(namespace.entries().is_empty());
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0).says(&["user namespace", "/proc/sys/fs/binfmt_misc"]);
    assert_eq!(namespace.entries(), ["qemu-aarch64"], "mounted, and left so");
    assert!(namespace.runs("arm64"));
    let mounts = || namespace.sh("grep -c ' - binfmt_misc ' /proc/self/mountinfo").out;
    let before = mounts();
    namespace.tool(&["ARCHES=riscv64"], &[]).exits(0);
    assert_eq!(namespace.entries(), ["qemu-aarch64", "qemu-riscv64"]);
    assert_eq!(mounts(), before, "a second run does not mount a second time");
}

#[test]
fn the_mount_may_be_elsewhere() {
    let Some(namespace) = Namespace::bare() else { return };
    let place = Scratch::new();
    for arguments in [&["--mount", place.path()] as &[&str], &[&format!("--mount={}", place.path())]] {
        namespace.tool(&["ARCHES=arm64"], arguments).exits(0).says(&["user namespace", place.path()]);
        assert!(namespace.runs("arm64"));
    }
    let said = namespace.sh(&format!("ls {}", place.path())).exits(0);
    assert_eq!(said.out, "qemu-aarch64\nregister\nstatus\n");
    assert!(namespace.entries().is_empty(), "the usual place is not touched");
    let said = namespace.tool(&[], &["--status", "--mount", place.path()]).exits(0);
    assert!(said.out.contains("\"qemu-aarch64\""), "{said:#?}");
    namespace.tool(&[], &["--uninstall", "arm64", "--mount", place.path()]).exits(0);
    assert!(!namespace.runs("arm64"));
}

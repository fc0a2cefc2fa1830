//! The ways to reach binfmt_misc, and what is said where none leads there. That it is mounted already counts in the
//! first user namespace only, for which see `tests/boot`.

use crate::common::host::{self, OLD, binary};
use crate::common::namespace::{Namespace, Said, Scratch, clean, has};
use std::fs;
use std::process::Command;

const NONE: &[&str] = &["ARCHES=arm64"];

/// strace with system calls that fail, each as `CALL=ERROR`.
fn failing(calls: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = ["strace", "-f", "-o", "/dev/null"].map(String::from).into();
    for call in calls {
        let (call, error) = call.split_once('=').unwrap();
        words.extend(["-e".into(), format!("inject={call}:error={error}")]);
    }
    words
}

fn tool(namespace: &Namespace, calls: &[&str], arguments: &[&str]) -> Said {
    let words = failing(calls);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    namespace.under(&words, NONE, arguments)
}

#[test]
fn the_new_mount_calls_come_first() {
    if !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::bare() else { return };
    let scratch = Scratch::new();
    let trace = scratch.0.join("trace");
    namespace.under(&["strace", "-f", "-o", trace.to_str().unwrap()], NONE, &[]).exits(0);
    let trace = fs::read_to_string(trace).unwrap();
    for call in ["fsopen(\"binfmt_misc\"", "fsconfig(", "fsmount("] {
        assert!(trace.contains(call), "{call}: {trace}");
    }
    assert!(!trace.contains(" mount("), "{trace}");
    assert!(namespace.runs("arm64"));
}

#[test]
fn without_them_mount_is_called() {
    if !has("strace") {
        return;
    }
    // ENOSYS: before Linux 5.2. EPERM: a seccomp filter that is older than the call. EACCES: AppArmor.
    for error in ["ENOSYS", "EPERM", "EACCES"] {
        let Some(namespace) = Namespace::bare() else { return };
        let call = format!("fsopen={error}");
        tool(&namespace, &[&call], &[]).exits(0).says(&["aarch64: registered"]);
        assert_eq!(namespace.entries(), ["qemu-aarch64"], "{error}");
        assert!(namespace.runs("arm64"));
        tool(&namespace, &[&call], &[]).exits(0).says(&["aarch64: kept"]);
    }
}

#[test]
fn without_any_such_file_system_the_module_is_named() {
    if !has("strace") {
        return;
    }
    for fsopen in ["fsopen=ENODEV", "fsopen=ENOSYS", "fsopen=EPERM"] {
        let Some(namespace) = Namespace::bare() else { return };
        let said = tool(&namespace, &[fsopen, "mount=ENODEV"], &[]).exits(1);
        said.says_only(&["binfmt_misc", "ENODEV", "modprobe binfmt_misc"]);
        assert!(namespace.entries().is_empty());
    }
    let Some(namespace) = Namespace::bare() else { return };
    let said = tool(&namespace, &["fsopen=ENODEV"], &["--uninstall", "*"]).exits(1);
    said.says_only(&["binfmt_misc", "ENODEV", "modprobe binfmt_misc"]);
}

/// A kernel without the new mount calls, which would tell, has told when it made no directory to mount it at.
#[test]
fn without_the_mount_point_that_the_kernel_makes_it_has_none() {
    if !has("strace") {
        return;
    }
    let missing = &["fsopen=ENOSYS", "mount=ENOENT"];
    let none = &["binfmt_misc", "ENODEV", "this kernel has none", "modprobe binfmt_misc"];
    let Some(namespace) = Namespace::bare() else { return };
    for arguments in [&[] as &[&str], &["--hold"], &["--install", "arm64", "--", "true"]] {
        tool(&namespace, missing, arguments).exits(1).says_only(none);
    }
    assert!(namespace.entries().is_empty());
    // Elsewhere it is another's to make.
    let said = tool(&namespace, missing, &["--mount", "/nonexistent"]).exits(1);
    said.says_only(&["binfmt_misc", "ENOENT", "/nonexistent", "--mount"]);
    if host::cannot("without_the_mount_point_that_the_kernel_makes_it_has_none", "QEMU itself needs /proc") {
        return;
    }
    // Nor does its absence tell anything where all of /proc is missing.
    let strace = failing(missing);
    let hide = ["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /proc && exec \"$0\" \"$@\""];
    let words: Vec<&str> = hide.into_iter().chain(strace.iter().map(String::as_str)).collect();
    namespace.under(&words, NONE, &[]).exits(1).says_only(&["binfmt_misc", "ENOENT", "--mount"]);
}

#[test]
fn without_permission_the_capability_is_named() {
    if !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::bare() else { return };
    tool(&namespace, &["fsopen=EPERM", "mount=EPERM"], &[]).exits(1).says_only(&[
        "binfmt_misc",
        "EPERM",
        "CAP_SYS_ADMIN",
    ]);
    tool(&namespace, &["fsopen=EACCES", "mount=EACCES"], &[]).exits(1).says_only(&[
        "binfmt_misc",
        "EACCES",
        "CAP_SYS_ADMIN",
    ]);
    // Before Linux 6.7 no capability in a user namespace would do.
    let mut words: Vec<String> = OLD.iter().map(|word| word.to_string()).collect();
    words.extend(failing(&["fsopen=ENOSYS", "mount=EPERM"]));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    namespace.under(&words, NONE, &[]).exits(1).says_only(&["binfmt_misc", "EPERM", "6.7", "2.6."]);
}

#[test]
fn without_a_capability_nothing_changes() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=riscv64"], &[]).exits(0);
    let before = namespace.state();
    let bounded = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    for (variables, arguments) in [
        (NONE, &[] as &[&str]),
        (&["REPLACE=true"], &[]),
        (&[], &["--uninstall", "*"]),
        (&[], &["--uninstall", "riscv64"]),
    ] {
        let said = namespace.under(&bounded, variables, arguments).exits(1);
        said.says_only(&["binfmt_misc", "EPERM", "CAP_SYS_ADMIN"]);
        assert_eq!(namespace.state(), before);
    }
}

/// A command in the namespace the tests run in: what is started there must have no rights.
fn outside(words: &[&str], scratch: &Scratch) -> Said {
    let mut command = Command::new(words[0]);
    clean(&mut command);
    // Not at the usual place: to look there may make systemd mount it.
    Said::of(command.args(&words[1..]).args(["--mount", scratch.path()]).env("ARCHES", "arm64"))
}

#[test]
fn an_ordinary_user_is_told_what_is_needed() {
    if !host::is_for_everybody() {
        host::cannot("an_ordinary_user_is_told_what_is_needed", "that user has no access to the directory QEMU is in");
        return;
    }
    let scratch = Scratch::new();
    let root = Said::of(Command::new("id").arg("-u")).out == "0\n";
    // By a descriptor: the user need not have access to the directory the binary is in.
    let drop = if root { "setpriv --reuid=65534 --regid=65534 --clear-groups" } else { "" };
    let script = format!("exec 9<{}; exec {drop} /proc/self/fd/9 \"$@\"", binary());
    let said = outside(&["sh", "-c", &script, "sh"], &scratch).exits(1);
    assert!(said.err.contains("EPERM") || said.err.contains("EACCES"), "{said:#?}");
    said.says_only(&["binfmt_misc", "CAP_SYS_ADMIN"]);
}

#[test]
fn a_user_namespace_without_rights_is_told_what_is_needed() {
    let Some(_) = Namespace::new() else { return };
    outside(&["unshare", "-U", binary()], &Scratch::new()).exits(1).says_only(&[
        "binfmt_misc",
        "EPERM",
        "CAP_SYS_ADMIN",
    ]);
}

/// `CAP_SYS_ADMIN` is there, but counts for mounts only in a mount namespace that belongs to the user namespace.
#[test]
fn a_user_namespace_without_a_mount_namespace_is_told_so() {
    let Some(_) = Namespace::new() else { return };
    outside(&["unshare", "-Ur", binary()], &Scratch::new()).exits(1).says_only(&["binfmt_misc", "mount namespace"]);
}

#[test]
fn without_a_place_for_the_mount_it_says_that_the_registrations_are_gone() {
    let Some(namespace) = Namespace::bare() else { return };
    let said = namespace.tool(NONE, &["--mount", "/nonexistent"]).exits(1);
    said.says(&["gone", "/nonexistent"]);
    assert!(!namespace.runs("arm64"));
    // Where something else keeps them they stay, and that is as asked.
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(NONE, &["--mount", "/nonexistent"]).exits(0).says(&["aarch64: registered"]);
    assert!(namespace.runs("arm64"));
}

#[test]
fn a_read_only_proc_is_no_obstacle() {
    let Some(namespace) = Namespace::bare() else { return };
    namespace.sh("mount -o remount,bind,ro /proc && ! echo 1 2>/dev/null >/proc/self/comm").exits(0);
    namespace.tool(NONE, &[]).exits(0);
    assert!(namespace.runs("arm64"));
    // As Docker has it: what is mounted there is read-only, too.
    let Some(namespace) = Namespace::new() else { return };
    namespace.sh("mount -o remount,bind,ro /proc/sys/fs/binfmt_misc").exits(0);
    namespace.tool(NONE, &[]).exits(0);
    assert!(namespace.runs("arm64"));
}

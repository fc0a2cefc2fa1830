//! In a user namespace of one's own: what is there for the command only, and what it hides. That an ordinary user can
//! have it, on a machine with nothing else: `tests/boot/rootless.rs`.

use crate::common::namespace::{MOUNT, Namespace, Scratch, program};
use std::fs;
use std::os::unix::fs::symlink;

const OWN: &[&str] = &["unshare", "-Ur"];
const ARM64: &[&str] = &["ARCHES=arm64"];

#[test]
fn a_foreign_root_file_system_runs_there_and_nowhere_else() {
    let Some(namespace) = Namespace::new() else { return };
    let root = Scratch::new();
    fs::create_dir(root.0.join("bin")).unwrap();
    root.copy(program("arm64"), "bin/busybox");
    symlink("busybox", root.0.join("bin/sh")).unwrap();
    let script = "busybox uname -m; /bin/busybox id -u";
    let said = namespace.under(OWN, ARM64, &["--", "chroot", root.path(), "/bin/sh", "-c", script]).exits(0);
    assert_eq!(said.out, "aarch64\n0\n");
    said.says(&["aarch64: registered"]).says(&["registered for this user namespace"]);
    assert!(namespace.entries().is_empty() && !namespace.runs("arm64"));
}

#[test]
fn what_it_hides_is_said() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.register(":theirs:E::theirs::/bin/cat:");
    namespace.register(":off:E::off::/bin/cat:");
    namespace.sh(&format!("echo 0 >{MOUNT}/off")).exits(0);
    let before = namespace.state();
    // It is true: the program runs before, and not then. A second run finds the namespace's own, and hides nothing.
    let scratch = Scratch::new();
    let program = scratch.executable("program.theirs", "text");
    let program = program.to_str().unwrap();
    let script =
        format!("{program}; \"$TOOL\" --install arm64 -- sh -c '! {program} 2>/dev/null; ls {MOUNT}; exec \"$TOOL\"'");
    let said =
        namespace.sh(&format!("ARCHES=arm64 exec unshare -Ur sh -c '{}'", script.replace('\'', "'\\''"))).exits(0);
    assert_eq!(said.out, "textqemu-aarch64\nregister\nstatus\n");
    assert_eq!(said.err.matches("out of force").count(), 1, "{said:#?}");
    let said = said.says(&["aarch64: registered"]).says(&["aarch64: kept"]);
    assert!(said.err.contains("entries are out of force: theirs\n"), "{said:#?}");
    assert_eq!(namespace.state(), before);
    // Nor is it said where there is nothing.
    let Some(namespace) = Namespace::new() else { return };
    let said = namespace.under(OWN, ARM64, &["--", "true"]).exits(0);
    assert!(!said.err.contains("out of force"), "{said:#?}");
}

/// Without a command or `--hold` there would be nobody to profit from it: see `access`.
#[test]
fn a_mount_namespace_is_made_only_where_there_is_none() {
    let Some(namespace) = Namespace::new() else { return };
    let look = "readlink /proc/self/ns/mnt";
    let script = format!("{look}; exec \"$TOOL\" --install arm64 -- {look}");
    for (unshare, same) in [("-Ur", false), ("-Urm", true)] {
        let said = namespace.sh(&format!("exec unshare {unshare} sh -c '{script}'")).exits(0);
        let (before, after) = said.out.trim().split_once('\n').unwrap();
        assert_eq!(before == after, same, "{unshare}");
    }
}

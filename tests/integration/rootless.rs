//! In a user namespace of one's own: what is there for the command only, and what it hides. That an ordinary user can
//! have it, on a machine with nothing else: `tests/boot/rootless.rs`.

use crate::common::host::{binary, exchanged};
use crate::common::namespace::{MOUNT, Namespace, Said, Scratch, interpreters, program};
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

/// A script in a user namespace that outlives its containers, as that of rootless podman does; there `container` starts
/// one. Podman itself: `tests/podman`.
fn among_containers(namespace: &Namespace, script: &str) -> Said {
    let script = format!("container() {{ unshare -mpf --mount-proc -- \"$@\"; }}; {script}");
    let mut command = namespace.command("unshare");
    command.args(["-Ur", "sh", "-c", &exchanged(&script)]).env("TOOL", binary()).env("PROGRAM", program("arm64"));
    Said::of(command.env("QEMU_BINARY_PATH", interpreters()).env("ARCHES", &*exchanged("arm64")))
}

/// Even one that is mounted nowhere any more, and so is empty, would hide what the parent has.
#[test]
fn a_container_leaves_the_parents_entries_in_force() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(ARM64, &[]).exits(0);
    let before = namespace.state();
    let refused = "run as root (sudo podman run), or with --hold or COMMAND";
    for (run, status, words) in [
        (r#"container "$TOOL""#, 1, refused),
        (r#"container "$TOOL" --install all --uninstall '*'"#, 1, refused),
        (r#"export REPLACE=true; container "$TOOL""#, 1, refused),
        (r#"container "$TOOL" --mount $0"#, 1, refused),
        // An init that is there for the tool alone.
        (r#"container sh -c '"$TOOL"; exit $?'"#, 1, refused),
        // Without the rights.
        (r#"container setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$TOOL""#, 1, "sudo podman run"),
        // What does not register mounts nothing, in a container or not.
        (r#"container "$TOOL" --uninstall '*'"#, 0, "*: nothing registered"),
        (r#"container "$TOOL" --uninstall arm64 -- true"#, 0, "arm64: nothing registered"),
        (r#"unshare -m "$TOOL" --uninstall '*'"#, 0, "*: nothing registered"),
        (r#"container "$TOOL" --status >/dev/null"#, 0, ""),
        (r#"unshare -m "$TOOL" --status >/dev/null"#, 0, ""),
        (r#"container "$TOOL" --print >/dev/null"#, 0, ""),
    ] {
        let next = r#"echo status $?; "$PROGRAM" echo it runs; container "$PROGRAM" echo it runs"#;
        let scratch = Scratch::new();
        let run = run.replace("$0", scratch.path());
        let said = among_containers(&namespace, &format!("{run}; {next}")).exits(0);
        assert_eq!(said.out, format!("status {status}\nit runs\nit runs\n"), "{run}: {said:#?}");
        assert!(said.err.contains(words), "{run}: {said:#?}");
    }
    assert_eq!(namespace.state(), before);
}

#[test]
fn a_container_that_has_something_of_it_registers() {
    let Some(namespace) = Namespace::new() else { return };
    for (run, status) in [
        (r#"container "$TOOL" -- "$PROGRAM" echo it runs"#, 0),
        // By timeout(1), which is its process 1.
        (r#"container timeout 1 "$TOOL" --hold"#, 124),
        // A system, with more than this to do.
        (r#"container sh -c 'sleep 9 & "$TOOL" && "$PROGRAM" echo it runs'"#, 0),
        // It is there already.
        (r#"container sh -c 'mount -t binfmt_misc binfmt_misc $0 && exec "$TOOL"'"#, 0),
    ] {
        let said = among_containers(&namespace, &run.replace("$0", MOUNT)).exits(status);
        assert_eq!(said.out.contains("it runs\n"), run.contains("it runs"), "{said:#?}");
        said.says(&["aarch64: registered"]);
    }
    assert!(namespace.entries().is_empty());
}

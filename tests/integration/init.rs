//! What is not the machine's init, though it is process 1. The machine's init itself: `tests/boot/init.rs`.

use crate::common::host::{self, exchanged};
use crate::common::namespace::{Namespace, Said, Scratch, path};
use std::process::Command;

/// Runs the tool as the first process of a PID namespace, with an init at hand that it must not execute.
fn container(setup: &str) -> Said {
    let scratch = Scratch::new();
    scratch.copy(host::file(), "binfmt_register");
    let mut tool = "./binfmt_register";
    if let Some(host) = host::other() {
        // Not the launcher: there is no shell below it, and no other directory.
        scratch.copy(&host.qemu, "qemu");
        tool = "./qemu ./binfmt_register";
    }
    scratch.executable("init", "never executed");
    let script = format!("mount --bind {0} {0} && cd {0} && {setup}", scratch.path());
    let mut command = Command::new("unshare");
    command.args(["-Urmpf", "sh", "-c", &script]).env("PATH", path()).env("TOOL", tool);
    Said::of(command.env("INIT", "/init").env("ARCHES", &*exchanged("arm64")))
}

#[test]
fn the_first_process_of_a_container_ends() {
    let Some(_) = Namespace::new() else { return };
    let refused = "sudo podman run"; // it registers nothing that nobody would have anything of: `rootless`
    let not_permitted = "CAP_SYS_ADMIN";
    for (setup, why) in [
        // With the host's /proc, with one of its own, and without any.
        ("exec $TOOL", refused),
        ("mount -t proc proc /proc && exec $TOOL", refused),
        ("mount -t tmpfs tmpfs /proc && exec $TOOL", refused),
        ("exec chroot . $TOOL", refused),
        // The same without the right to mount one.
        ("exec setpriv --bounding-set -sys_admin --inh-caps -sys_admin $TOOL", not_permitted),
        (
            "mount -t tmpfs tmpfs /proc && exec setpriv --bounding-set -sys_admin --inh-caps -sys_admin $TOOL",
            not_permitted,
        ),
    ] {
        let said = container(&format!("export QEMU_BINARY_PATH=/nonexistent && {setup}")).exits(1);
        said.says_only(&[why]);
    }
}

//! Registrations last, where nothing but a container that is gone has mounted binfmt_misc; and how little a container
//! needs for it.

use crate::common::skip;
use crate::docker::{Host, container, docker, mounted, script, some, with_shell};
use crate::engine::Engine;

const LEAST: &str = "--cap-drop ALL --cap-add SYS_ADMIN --read-only --network none";

/// A host where binfmt_misc is mounted nowhere.
fn without_mount(test: &str) -> Option<Host> {
    let host = Host::new()?;
    if mounted() {
        skip(test, "binfmt_misc is mounted on this machine");
        return None;
    }
    Some(host)
}

#[test]
fn registrations_outlive_the_container_and_every_mount() {
    let Some(host) = without_mount("registrations_outlive_the_container_and_every_mount") else { return };
    assert!(!host.runs_arm64() && !host.container_runs_arm64());

    // What others do: mount, register, unmount. It is there, and gone with the mount (since Linux 6.7 and in many
    // stable series before).
    let others = "
        ARCHES=arm64 binfmt_register --print >/rules
        mount -t binfmt_misc binfmt_misc /mnt && cat /rules >/mnt/register && head -n 1 /mnt/qemu-aarch64 && umount /mnt";
    assert_eq!(script("--privileged", with_shell(), others).exits(0).out, "enabled\n");
    assert!(!host.runs_arm64() && !host.container_runs_arm64(), "this kernel keeps entries without a mount");

    container(&format!("--privileged {}", some())).exits(0).says(&["aarch64: registered"]);
    let left = docker(&format!("ps -aq --filter ancestor={}", some())).exits(0);
    assert!(left.out.is_empty() && !mounted(), "the container is gone, and no mount is left");
    assert!(host.runs_arm64() && host.container_runs_arm64());

    // Several platforms at once need an engine that keeps images as containerd does.
    let Some(engine) =
        Engine::start("several platforms at once", r#"{"features": {"containerd-snapshotter": true}}"#, "")
    else {
        return;
    };
    let machines = engine.build_everywhere(&["arm64", "riscv64"], "uname -m");
    assert_eq!(machines, ["aarch64\n", "riscv64\n"]);
}

#[test]
fn little_is_needed() {
    let Some(host) = without_mount("little_is_needed") else { return };
    container(&format!("{LEAST} {}", some())).exits(0).says(&["aarch64: registered", "(POCF)"]);
    assert_eq!(host.names(), "binfmt_register qemu-aarch64 qemu-riscv64");
    assert!(host.runs_arm64() && host.container_runs_arm64());
    container(&format!("{LEAST} -e REPLACE=true -e VERIFY=true {}", some())).exits(0).says(&["aarch64: replaced"]);
    assert!(host.runs_arm64());
    let status = container(&format!("{LEAST} {}:binfmt", some())).exits(0);
    assert!(status.out.contains("linux/arm64") && status.err.is_empty(), "{status:#?}");
    container(&format!("{LEAST} {} --uninstall qemu-*", some())).exits(0).says(&["qemu-aarch64: removed"]);
    assert!(host.names().is_empty() && !host.runs_arm64());
}

#[test]
fn without_the_capability_a_line_says_which_is_missing() {
    let Some(host) = Host::new() else { return };
    for options in ["--cap-drop ALL", "", "--user 65534 --cap-add SYS_ADMIN"] {
        let said = container(&format!("{options} {}", some())).exits(1);
        said.says_only(&["binfmt_misc: EPERM", "root", "CAP_SYS_ADMIN", "--cap-add SYS_ADMIN"]);
    }
    assert_eq!(host.names(), "");
}

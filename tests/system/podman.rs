//! podman's own ways to start a container at each boot: Quadlet, and the Kubernetes manifests.

use crate::common::TOP;
use crate::machine::Machine;
use crate::{COME_BACK, RUN, import, system};
use std::path::Path;

/// Plays the DaemonSet, which holds; and ends it, with what it has registered.
pub const PLAY: &str = "podman kube play --network=none /test/daemonset.yaml >/dev/null";
pub const DOWN: &str = "podman kube down /test/daemonset.yaml >/dev/null";

/// With the files for these.
pub fn with_files(machine: Machine) -> Machine {
    let file = |name: &str| Path::new(TOP).join("scratch").join(name);
    machine
        .file("/binfmt_register.container", file("podman/binfmt_register.container"))
        .file("/daemonset.yaml", file("kubernetes/daemonset.yaml"))
}

#[test]
fn quadlet_and_the_daemon_set() {
    let Some(machine) = system("podman", "landlock") else { return };
    let all = "binfmt_register qemu-aarch64 register status\n";
    with_files(machine).all_succeed(&[
        (&import("podman"), ""),
        ("mkdir -p /etc/containers/systemd && cp /test/binfmt_register.container /etc/containers/systemd", ""),
        ("systemctl daemon-reload && systemctl start binfmt_register", ""),
        (RUN, "aarch64\n"),
        ("podman ps --all --quiet", ""),
        // With rules, so that systemd-binfmt does something: it removes all entries.
        ("echo ':theirs:E::theirs::/bin/true:' >/etc/binfmt.d/theirs.conf && systemctl restart systemd-binfmt", ""),
        (COME_BACK, "binfmt_register qemu-aarch64 register status theirs\n"),
        (RUN, "aarch64\n"),
        ("systemctl stop binfmt_register && rm /etc/binfmt.d/theirs.conf", ""),
        ("echo -1 >/proc/sys/fs/binfmt_misc/status", ""),
        // The manifest as it is. Its container holds, and takes all with it.
        (PLAY, ""),
        (COME_BACK, all),
        (RUN, "aarch64\n"),
        (DOWN, ""),
        ("echo $(ls /proc/sys/fs/binfmt_misc)", "register status\n"),
    ]);
}

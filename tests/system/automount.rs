//! systemd mounts binfmt_misc when somebody first looks: until then there is an automount point, and what a tool mounts
//! elsewhere is the only mount.

use crate::common::scratch;
use crate::{NO_HANDLER, RUN, import, rule, system};
use std::fs;

/// Whether binfmt_misc is mounted, without looking into it.
const UNTRIGGERED: &str =
    "grep -q '^systemd-1 /proc/sys/fs/binfmt_misc autofs ' /proc/mounts && ! grep ' binfmt_misc ' /proc/mounts";
const TRIGGERED: &str = "echo $(ls /proc/sys/fs/binfmt_misc) && grep -q ' binfmt_misc ' /proc/mounts";

/// A program for arm64 in a container.
const IN_CONTAINER: &str = "podman run --rm --network=none foreign";

#[test]
fn what_is_registered_before_it_is_triggered_is_there_afterwards() {
    let Some(machine) = system("automount", "landlock") else { return };
    let file = scratch("system-automount").join("rule");
    fs::write(&file, rule("/test/binfmt_register/usr/bin/qemu-aarch64-static")).unwrap();
    let machine = machine.file("/rule", file);
    let no_program = &format!("{RUN} {NO_HANDLER}");
    machine.all_succeed(&[
        (UNTRIGGERED, ""),
        (&import("podman"), ""),
        // The control. What other tools do: mount, register, unmount.
        ("mount -t binfmt_misc binfmt_misc /mnt && cat /test/rule >/mnt/register", ""),
        (RUN, "aarch64\n"),
        ("umount /mnt", ""),
        (no_program, ""),
        (UNTRIGGERED, ""),
        // A container, which is gone, and its image, too.
        (
            "podman run --rm --network=none --privileged binfmt_register 2>&1",
            "aarch64: registered /usr/bin/qemu-aarch64-static (POCF)\n",
        ),
        ("podman image rm binfmt_register >/dev/null", ""),
        (RUN, "aarch64\n"),
        (IN_CONTAINER, "aarch64\n"),
        (UNTRIGGERED, ""),
        (TRIGGERED, "binfmt_register qemu-aarch64 register status\n"),
        (RUN, "aarch64\n"),
        (IN_CONTAINER, "aarch64\n"),
        ("cp /test/binfmt_register/usr/bin/* /usr/bin && binfmt_register --uninstall '*' 2>/dev/null", ""),
        (no_program, ""),
        // By itself, on the host. To look for entries triggers it; the mount goes again, as after a time it may.
        ("systemctl --quiet stop proc-sys-fs-binfmt_misc.mount 2>/dev/null", ""),
        (UNTRIGGERED, ""),
        ("binfmt_register 2>&1", "aarch64: registered /usr/bin/qemu-aarch64-static (POCF)\n"),
        ("systemctl --quiet stop proc-sys-fs-binfmt_misc.mount 2>/dev/null", ""),
        (UNTRIGGERED, ""),
        (RUN, "aarch64\n"),
        (IN_CONTAINER, "aarch64\n"),
        (TRIGGERED, "binfmt_register qemu-aarch64 register status\n"),
        (RUN, "aarch64\n"),
        // A label such as SELinux gives the files of a container means nothing without it.
        ("chcon system_u:object_r:container_file_t:s0:c1,c2 /usr/bin/qemu-aarch64-static", ""),
        ("REPLACE=true binfmt_register 2>&1", "aarch64: replaced by /usr/bin/qemu-aarch64-static (POCF)\n"),
        (RUN, "aarch64\n"),
    ]);
}

//! SELinux denies the files of a container to all others, and so an interpreter that was registered from one.

use crate::common::{debian, scratch};
use crate::podman::{DOWN, PLAY, with_files};
use crate::{RUN, import, rule, system};
use std::fs;

/// A program for arm64 in a container that SELinux confines, with categories of its own. At a terminal, since Debian's policy
/// does not let it write to a pipe of the caller's.
const CONFINED: &str = "podman run -t --rm --network=none foreign";

/// What SELinux said of the interpreter: the label that was denied to which domain.
const DENIED: &str = r#"dmesg -c | grep 'avc: *denied *{ read }.* path="/usr/bin/qemu-aarch64-static"' |
    sed 's/.* scontext=\(.*\):c[0-9]*,c[0-9]* tcontext=\(.*\) tclass=file.*/\1 \2/' | sort -u"#;

/// What most tools do in their containers.
const CONTROL: &str = "there=/proc/sys/fs/binfmt_misc
/bin/busybox mount -t binfmt_misc binfmt_misc $there && /bin/busybox cat /rule >$there/register && /bin/busybox umount $there
";

/// Waits until a holder has registered.
const HELD: &str =
    "for i in $(seq 200); do grep -qs /././ /proc/sys/fs/binfmt_misc/qemu-aarch64 && exit; sleep 0.1; done; false";

const REGISTERED: &str = "aarch64: registered /usr/bin/qemu-aarch64-static (POCF)\n";
const REPLACED: &str = "aarch64: replaced by /usr/bin/qemu-aarch64-static (POCF)\n";

#[test]
fn an_interpreter_of_a_container_serves_all_others() {
    let Some(machine) = system("selinux", "selinux") else { return };
    let files = scratch("system-selinux");
    fs::write(files.join("control"), CONTROL).unwrap();
    fs::write(files.join("rule"), rule("/usr/bin/qemu-aarch64-static")).unwrap();
    fs::write(files.join("Containerfile"), "FROM foreign\nRUN [\"/bin/busybox\", \"true\"]\n").unwrap();
    let machine = with_files(machine)
        .file("/control/control", files.join("control"))
        .file("/control/bin/busybox", debian("amd64", "/usr/bin/busybox"))
        .file("/control/usr/bin/qemu-aarch64-static", debian("amd64", "/usr/bin/qemu-aarch64"))
        .file("/control/rule", files.join("rule"))
        .file("/Containerfile", files.join("Containerfile"));
    let register = |options: &str| format!("podman run -t --rm --network=none {options} binfmt_register");
    let least = "--cap-drop=ALL --cap-add=SYS_ADMIN --read-only";
    let deep = "mount -t overlay -o ro,context=system_u:object_r:container_file_t:s0:c1";
    let cure = "--security-opt label=type:spc_t --security-opt label=level:s0";
    machine.all_succeed(&[
        (
            "getenforce; sed 's/:c[0-9].*/\\n/' /proc/self/attr/current",
            "Enforcing\nunconfined_u:unconfined_r:unconfined_t:s0-s0\n",
        ),
        // QEMU writes machine code. On Fedora containers may.
        ("setsebool allow_execmem 1", ""),
        (&format!("{}\nimport podman control 'CMD [\"/bin/busybox\", \"sh\", \"/control\"]'", import("podman")), ""),
        // The control. The host has it mounted, so that the entry stays.
        ("echo $(ls /proc/sys/fs/binfmt_misc) && dmesg -c >/dev/null", "register status\n"),
        (
            "podman run --rm --network=none --privileged control && echo $(ls /proc/sys/fs/binfmt_misc)",
            "qemu-aarch64 register status\n",
        ),
        (&format!("{CONFINED}; test $? -eq 139"), ""),
        (DENIED, "system_u:system_r:container_t:s0 system_u:object_r:container_file_t:s0:c1022,c1023\n"),
        ("echo -1 >/proc/sys/fs/binfmt_misc/qemu-aarch64", ""),
        // Without the options for it, a container may not even mount, and is told them.
        (
            &format!("{}; test $? -eq 1", register(least)),
            "binfmt_misc: EACCES: SELinux denies it; run with --privileged, or --cap-add SYS_ADMIN \
            --security-opt label=type:spc_t --security-opt label=level:s0\n",
        ),
        // Ours, whose container is gone.
        (&register("--privileged"), REGISTERED),
        (CONFINED, "aarch64\n"),
        (&register(&format!("{least} {cure} --env=REPLACE=true --env=VERIFY=true")), REPLACED),
        (CONFINED, "aarch64\n"),
        (&register("--privileged --read-only --env=REPLACE=true"), REPLACED),
        ("podman run --detach --name=hold --network=none --privileged --env=REPLACE=true binfmt_register --hold >/dev/null", ""),
        (HELD, ""),
        (CONFINED, "aarch64\n"),
        ("podman rm --force hold >/dev/null", ""),
        // The manifest of Kubernetes, with no rights but its own.
        (PLAY, ""),
        (HELD, ""),
        (CONFINED, "aarch64\n"),
        (DOWN, ""),
        (&register("--privileged"), REGISTERED),
        ("podman image rm binfmt_register >/dev/null", ""),
        (CONFINED, "aarch64\n"),
        ("podman build --quiet --network=none --pull=never -f /test/Containerfile /run 2>&1 >/dev/null", ""),
        (DENIED, ""),
        // Where the overlay is refused, as one over an overlay over another is, it is said.
        ("mkdir /run/first /run/deep && cp /test/binfmt_register/usr/bin/* /usr/bin && restorecon /usr/bin/*", ""),
        (&format!("{deep},lowerdir=/usr/bin:/dev overlay /run/first && {deep},lowerdir=/run/first:/dev overlay /run/deep"), ""),
        (
            "REPLACE=true QEMU_BINARY_PATH=/run/deep binfmt_register 2>&1; test $? -eq 1",
            "aarch64: replaced by /run/deep/qemu-aarch64-static (POCF)\n\
            /run/deep/qemu-aarch64-static: SELinux denies it to other containers, by its label; \
            run with --security-opt label=type:spc_t --security-opt label=level:s0\n",
        ),
        (&format!("{CONFINED}; test $? -eq 139"), ""),
        // An interpreter of the host has no categories.
        ("REPLACE=true binfmt_register 2>&1", REPLACED),
        (CONFINED, "aarch64\n"),
    ]);
}

/// A label is an attribute of a file, and may be there where there is no SELinux, as on a disk of another system.
#[test]
fn a_label_means_nothing_without_selinux() {
    let Some(machine) = system("selinux-labels", "landlock") else { return };
    let label = "system_u:object_r:container_file_t:s0:c1,c2";
    machine.all_succeed(&[
        ("test ! -e /sys/fs/selinux && mkdir /run/labelled && cp /test/binfmt_register/usr/bin/* /run/labelled", ""),
        (
            &format!("chcon {label} /run/labelled/* && stat -c %C /run/labelled/qemu-aarch64-static"),
            &format!("{label}\n"),
        ),
        (
            "QEMU_BINARY_PATH=/run/labelled /run/labelled/binfmt_register 2>&1",
            "aarch64: registered /run/labelled/qemu-aarch64-static (POCF)\n",
        ),
        (RUN, "aarch64\n"),
    ]);
}

//! LinuxKit cannot be run here. This does what its init does with a container of `onboot`: `/init` copies the initramfs
//! to a tmpfs, because runc cannot pivot away from the first root file system; then `runc create` and `runc start` with
//! the bundle that `linuxkit build` makes of `build.yml`, and the bundle is unmounted. Here it is deleted, too.

use super::{ALL_REMOVED, ARM64, NO_ARM64, on, registered};
use crate::common::{TOP, debian, fetch, scratch, shipped};
use crate::machine::Machine;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

// LinuxKit's own kernels are 6.x. Trixie's runc does not start on 5.10 ("could not ensure we are a cloned binary").
on_every_kernel! { @ bookworm trixie sid: [onboot] }

const INIT: &str = "#!/bin/busybox sh
set -e
/bin/busybox --install -s /bin
mkdir /new
mount -t tmpfs tmpfs /new
cp -a /bin /containers /lib* /sbin /arm64 /new
cd /new && mkdir dev proc sys tmp
mount -t devtmpfs dev dev
exec switch_root /new /sbin/init <dev/console >dev/console 2>&1
";

/// What LinuxKit's `rc.init` mounts, but for binfmt_misc.
const MOUNTS: &str = "mount -t proc proc /proc && mount -t sysfs sysfs /sys
    mount -t cgroup2 cgroup2 /sys/fs/cgroup && mkdir /run && mount -t tmpfs tmpfs /run && mount --make-rshared /";

/// A container of `onboot`, from its bundle; what it says.
const ONBOOT: &str = "cd /containers/onboot/000-binfmt_register && mount --bind rootfs rootfs &&
    runc create --bundle . --pid-file /tmp/pid binfmt_register && runc start binfmt_register &&
    until runc state binfmt_register | grep -q stopped; do sleep 1; done &&
    runc delete binfmt_register && umount rootfs";

/// `config.json` of the bundle, as LinuxKit's `ConfigToOCI` makes it from `build.yml` and the image.
fn config(build: &Value) -> Value {
    let capabilities = &build["capabilities"];
    let namespace = |kind: &str| json!({ "type": kind });
    let mount = |destination: &str, kind: &str, options: &str| {
        let options: Vec<_> = options.split(',').collect();
        json!({ "destination": destination, "type": kind, "source": kind, "options": options })
    };
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": ["/usr/bin/binfmt_register"],
            "env": ["ARCHES=arm64"],
            "cwd": "/",
            "capabilities": {
                "bounding": capabilities, "effective": capabilities, "inheritable": capabilities, "permitted": capabilities,
            },
            "noNewPrivileges": build["noNewPrivileges"],
        },
        "root": { "path": "rootfs", "readonly": build["readonly"] },
        "mounts": [
            mount("/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k,ro"),
            mount("/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620"),
            mount("/proc", "proc", "nosuid,nodev,noexec,relatime"),
            mount("/sys", "sysfs", "nosuid,noexec,nodev,ro"),
            mount("/sys/fs/cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"),
        ],
        "linux": { "namespaces": [namespace("network"), namespace("ipc"), namespace("pid"), namespace("mount")] },
    })
}

/// The part `config:` of `build.yml`, which has a list of capabilities and plain values.
fn build_yml() -> Value {
    let text = fs::read_to_string(Path::new(TOP).join("scratch/linuxkit/build.yml")).unwrap();
    let (_, text) = text.split_once("\nconfig:\n").unwrap();
    let mut build = json!({ "capabilities": [] });
    for line in text.lines().map(str::trim) {
        match (line.strip_prefix("- "), line.split_once(": ")) {
            (Some(capability), _) => build["capabilities"].as_array_mut().unwrap().push(json!(capability)),
            (_, Some((name, "true"))) => build[name] = json!(true),
            (_, Some((name, value))) => build[name] = json!(value),
            _ => assert_eq!(line, "capabilities:"),
        }
    }
    build
}

fn onboot(suite: &str) {
    for package in ["runc", "libseccomp2", "libc6"] {
        fetch("amd64", package).unwrap();
    }
    let files = scratch(&format!("linuxkit-{suite}"));
    let init = files.join("init");
    fs::write(&init, INIT).unwrap();
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).unwrap();
    let build = build_yml();
    let needed = json!({
        "capabilities": ["CAP_SYS_ADMIN"], "noNewPrivileges": true, "readonly": true, "net": "new", "ipc": "new"
    });
    assert_eq!(build, needed, "what this test does is what build.yml says");
    fs::write(files.join("config.json"), config(&build).to_string()).unwrap();
    let mut without = build;
    without["capabilities"] = json!([]);
    fs::write(files.join("without.json"), config(&without).to_string()).unwrap();

    let bundle = "/containers/onboot/000-binfmt_register";
    let registered = registered(suite, "OCF").replace("/usr/bin/qemu-aarch64", "/usr/bin/qemu-aarch64-static");
    let swap =
        format!("cd {bundle} && mv without.json /tmp/ && mv config.json /tmp/ && cp /tmp/without.json config.json");
    let back = format!("cp /tmp/config.json {bundle}/");
    let commands = [
        (MOUNTS, ""),
        // Less is not enough.
        (&swap, ""),
        (
            ONBOOT,
            "binfmt_misc: EPERM: run as root with CAP_SYS_ADMIN (docker run --privileged or --cap-add SYS_ADMIN)\n",
        ),
        (&back, ""),
        (ONBOOT, &registered),
        ("rm -r /containers", ""),
        (ARM64, "aarch64\n"),
        // Nothing is mounted of it.
        ("! grep -e binfmt_misc -e /containers /proc/self/mountinfo", ""),
        ("binfmt_register --uninstall arm64", ALL_REMOVED),
        (NO_ARM64, ""),
    ];
    Machine::new(suite)
        .file("/init", init)
        .file("/bin/binfmt_register", shipped())
        .file("/arm64/busybox", debian("arm64", "/usr/bin/busybox"))
        .file("/bin/runc", debian("amd64", "/usr/sbin/runc"))
        .file("/lib/libseccomp.so.2", debian("amd64", "/usr/lib/x86_64-linux-gnu/libseccomp.so.2"))
        .file("/lib/libc.so.6", debian("amd64", "/usr/lib/x86_64-linux-gnu/libc.so.6"))
        .file("/lib64/ld-linux-x86-64.so.2", debian("amd64", "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"))
        .file(&format!("{bundle}/config.json"), files.join("config.json"))
        .file(&format!("{bundle}/without.json"), files.join("without.json"))
        .file(&format!("{bundle}/rootfs/usr/bin/binfmt_register"), shipped())
        .file(&format!("{bundle}/rootfs/usr/bin/qemu-aarch64-static"), debian("amd64", "/usr/bin/qemu-aarch64"))
        .all_succeed(&commands);
}

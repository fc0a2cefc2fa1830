//! Makes an initramfs with each of Debian's builders and our hook in it, in a Debian system, and boots it: a foreign
//! program on the real root runs, though the initramfs with the interpreter is gone.

#[path = "../common/mod.rs"]
mod common;
#[path = "../boot/machine.rs"]
mod machine;

use common::{TOP, debian, run, scratch, shipped, skip};
use machine::{Machine, need};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The Debian system with the builders, with our hooks for `arm64` installed.
fn system() -> Result<&'static Path, String> {
    static SYSTEM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let make = || {
        need("trixie")?;
        run(Command::new("mke2fs").arg("-V"))?;
        let system = run(&mut Command::new(Path::new(TOP).join("tests/hooks/system")))?;
        let system = PathBuf::from(system.trim());
        let _ = fs::remove_file(system.join("etc/binfmt_register.conf")); // of the run before
        install(&["install-initramfs-tools", "install-dracut", "install-mkinitcpio", "ARCHES=arm64"], &system)?;
        Ok(system)
    };
    SYSTEM.get_or_init(make).as_deref().map_err(String::clone)
}

/// Installs below `destination`.
fn install(targets: &[&str], destination: &Path) -> Result<(), String> {
    run(Command::new("make").current_dir(TOP).args(targets).arg(format!("DESTDIR={}", destination.display()))).map(drop)
}

/// Runs a command in the system, in namespaces of its own: what it mounts and leaves running ends with it. With its
/// standard error in the output.
fn inside(system: &Path, script: &str) -> Result<String, String> {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--pid", "--fork", "--kill-child"]);
    unshare.arg(format!("--mount-proc={}/proc", system.display()));
    run(unshare.arg("chroot").arg(system).args(["sh", "-c", &format!("exec 2>&1; {script}")]))
}

/// A builder with what it says; the image is called as the test.
fn build(test: &str, command: &str) -> Option<(PathBuf, String)> {
    let built = system().and_then(|system| {
        let said = inside(system, &format!("version=$(ls /usr/lib/modules); {command}"))?;
        Ok((system.join(test), said))
    });
    built.map_err(|why| skip(&format!("hooks {test}"), &why)).ok()
}

/// Boots a machine with that initramfs.
fn boot(initramfs: &Path) {
    // Of the two interpreters in the system only the one of ARCHES was taken.
    let chosen = r#"{"supported":["linux/amd64","linux/arm64","linux/386"],"emulators":["qemu-aarch64"]}"#;
    let console = Machine::new("trixie")
        .initramfs(initramfs)
        .file("/bin/binfmt_register", shipped())
        .file("/arm64/busybox", debian("arm64", "/usr/bin/busybox"))
        .all_succeed(&[
            // The initramfs is gone, and the interpreter with it.
            ("ls /usr/bin 2>/dev/null || echo no interpreter", "no interpreter\n"),
            ("/arm64/busybox uname -m", "aarch64\n"),
            ("binfmt_register --status | tr -d ' \n'", chosen),
        ]);
    assert!(console.text.contains("aarch64: registered /usr/bin/qemu-aarch64 (POCF)\n"));
}

#[test]
fn initramfs_tools() {
    let Some((image, said)) = build("initramfs-tools", "mkinitramfs -o /initramfs-tools $version") else { return };
    assert_eq!(said, "", "the hook finds no fault with the settings");
    boot(&image);
}

#[test]
fn dracut() {
    let Some((image, said)) = build("dracut", "dracut --force --no-hostonly /dracut $version") else { return };
    assert!(said.contains("Including module: binfmt_register"), "{said}");
    boot(&image);
}

/// What the settings lack is said, and the initramfs is made all the same, without anything of ours.
#[test]
fn nothing_chosen() {
    let blank = "sed 's/^ARCHES=.*/ARCHES=/' /etc/binfmt_register.conf >/blank.conf
        mount --bind /blank.conf /etc/binfmt_register.conf";
    let initramfs_tools = "mkinitramfs -o /blank $version && lsinitramfs /blank";
    let dracut = "dracut --force --no-hostonly --no-kernel /blank $version && lsinitrd /blank";
    for command in [initramfs_tools, dracut] {
        let Some((_, said)) = build("blank", &format!("{blank}; {command}")) else { return };
        let complaint = "ARCHES is blank in /etc/binfmt_register.conf";
        assert!(said.contains(complaint) && said.contains("usr/bin/sleep"), "{said}");
        assert!(!said.contains("usr/bin/binfmt_register") && !said.contains("qemu-aarch64"), "{said}");
    }
}

#[test]
fn installed_files() {
    let root = scratch("hooks-install");
    let conf = root.join("etc/binfmt_register.conf");
    install(&["install", "HOOK=initramfs-tools", "ARCHES=arm64,linux/arm/v7 s390x", "PREFIX=/usr"], &root).unwrap();
    install(&["install-dracut", "install-mkinitcpio"], &root).unwrap(); // which leaves the settings as they are
    assert!(fs::read_to_string(&conf).unwrap().contains("\nARCHES='arm64,linux/arm/v7 s390x'\n"));
    let files = run(Command::new("find").current_dir(&root).args([".", "-type", "f", "-printf", "%m %P\n"])).unwrap();
    let mut files: Vec<_> = files.lines().collect();
    files.sort_by_key(|line| &line[4..]);
    let expected = [
        "644 etc/binfmt_register.conf",
        "644 etc/initcpio/binfmt_register.service",
        "644 etc/initcpio/hooks/binfmt_register",
        "644 etc/initcpio/install/binfmt_register",
        "755 etc/initramfs-tools/hooks/binfmt_register",
        "755 etc/initramfs-tools/scripts/init-top/binfmt_register",
        "755 usr/bin/binfmt_register",
        "755 usr/lib/dracut/modules.d/90binfmt_register/module-setup.sh",
        "755 usr/lib/dracut/modules.d/90binfmt_register/register.sh",
        "644 usr/lib/systemd/system/binfmt_register.service",
        "755 usr/local/bin/binfmt_register",
        "644 usr/share/bash-completion/completions/binfmt_register",
        "644 usr/share/fish/vendor_completions.d/binfmt_register.fish",
        "644 usr/share/man/man8/binfmt_register.8",
        "644 usr/share/zsh/site-functions/_binfmt_register",
    ];
    assert_eq!(files, expected);
}

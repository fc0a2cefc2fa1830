//! The Debian package of `make deb`: lintian, and its life in a Debian system of its own, from its installation until it is
//! purged; and the first commands of the README in a fresh one. All of it in a user namespace, so that nothing of it reaches
//! this machine.

#[path = "../common/mod.rs"]
mod common;
#[path = "../boot/machine.rs"]
mod machine;

use common::namespace::{Namespace, Said};
use common::{TOP, debian, fetch, run, scratch, skip};
use machine::{Machine, need};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the package is built as.
fn package() -> PathBuf {
    let file = format!("target/deb/binfmt-register_{}_amd64.deb", env!("CARGO_PKG_VERSION"));
    let file = Path::new(TOP).join(file);
    assert!(file.exists(), "no {}: run make deb", file.display());
    file
}

#[test]
fn lintian_finds_nothing() {
    if let Err(why) = run(Command::new("lintian").arg("--version")) {
        return skip("lintian_finds_nothing", &why);
    }
    let mut lintian = Command::new("lintian");
    let said = Said::of(lintian.args(["--allow-root", "--fail-on=error,warning"]).arg(package())).exits(0);
    assert_eq!(said.out, "");
}

/// Names the files of the package in a system.
const OURS: &str = "find /etc /usr /var/lib/systemd -name '*binfmt[_-]register*' | sort";

/// A Debian system, of which what is written is gone with the test.
struct System {
    namespace: Namespace,
    root: PathBuf,
}

impl System {
    fn new(test: &str) -> Option<Self> {
        let made = run(&mut Command::new(Path::new(TOP).join("tests/hooks/system"))).and_then(|system| {
            fetch("arm64", "busybox-static")?;
            Ok(system.trim().to_string())
        });
        let lower = made.map_err(|why| skip(test, &why)).ok()?;
        let namespace = Namespace::with_users()?;
        let root = scratch(&format!("deb-{test}"));
        let dir = root.display();
        // With this namespace's binfmt_misc, which is below /proc.
        namespace
            .sh(&format!(
                "mount -t tmpfs tmpfs {dir} && cd {dir} && mkdir upper work root && \
                mount -t overlay overlay -o userxattr,lowerdir={lower},upperdir=upper,workdir=work root && \
                mount --rbind /proc root/proc && mount --rbind /dev root/dev && mount -t tmpfs tmpfs root/run && \
                cp {} root/busybox-arm64 && cp {} root/package.deb",
                debian("arm64", "/usr/bin/busybox").display(),
                package().display()
            ))
            .exits(0);
        let system = Self { namespace, root: root.join("root") };
        // The tests of the hooks install what they try in the same system.
        system.sh(&format!("{OURS} | xargs rm -rf")).exits(0);
        Some(system)
    }

    fn sh(&self, script: &str) -> Said {
        let mut chroot = self.namespace.long_command("chroot");
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";
        Said::of(chroot.arg(&self.root).args(["env", "-i", path, "LC_ALL=C", "sh", "-c", script]))
    }

    fn lists(&self, script: &str) -> Vec<String> {
        self.sh(script).exits(0).out.lines().map(String::from).collect()
    }
}

#[test]
fn from_installation_to_purge() {
    let Some(system) = System::new("life") else { return };
    system.sh("dpkg -i /package.deb && dpkg -V binfmt-register").exits(0);

    // It has changed nothing yet.
    assert!(system.namespace.entries().is_empty());
    assert_eq!(system.sh("systemctl is-enabled binfmt_register").out, "disabled\n");

    // Used as its manual page says, and as the service does.
    let unit = fs::read_to_string(Path::new(TOP).join("scratch/systemd/binfmt_register.service")).unwrap();
    let command = |key: &str| unit.lines().find_map(|line| line.strip_prefix(&format!("{key}="))).unwrap().to_string();
    // systemd expands no patterns.
    let service =
        |key: &str| system.sh(&format!("set -f; . /etc/binfmt_register.conf; export ARCHES; {}", command(key)));
    service("ExecStart").exits(0).says(&["aarch64: registered /usr/bin/qemu-aarch64"]).says(&["riscv64: registered"]);
    assert_eq!(system.sh("/busybox-arm64 uname -m").exits(0).out, "aarch64\n");
    service("ExecReload").exits(0).says(&["aarch64: replaced"]);
    service("ExecStop").exits(0);
    assert!(system.namespace.entries().is_empty());
    system.sh("systemd-analyze verify --man=no binfmt_register.service").exits(0);

    // An initramfs has it once ARCHES is set.
    let initramfs = "mkinitramfs -o /initramfs $(ls /usr/lib/modules) && lsinitramfs /initramfs";
    assert!(!system.sh(initramfs).exits(0).out.contains("usr/bin/binfmt_register"));
    system.sh("sed -i 's/^ARCHES=.*/ARCHES=arm64/' /etc/binfmt_register.conf").exits(0);
    let has = system.sh(initramfs).exits(0).out;
    for file in ["usr/bin/binfmt_register", "usr/bin/qemu-aarch64", "scripts/init-top/binfmt_register"] {
        assert!(has.lines().any(|line| line == file), "{file}");
    }

    // Removed, it leaves what was set; purged, nothing.
    system.sh("systemctl enable binfmt_register && dpkg -r binfmt-register").exits(0);
    assert_eq!(system.lists(&format!("{OURS} | grep -v /systemd/")), ["/etc/binfmt_register.conf"]);
    system.sh("dpkg -P binfmt-register").exits(0);
    assert_eq!(system.lists(OURS), [""; 0]);
}

/// What the README says that a fresh Debian 13 needs, typed as it stands there, and then its first command.
#[test]
fn a_fresh_debian_builds_it() {
    let Some(system) = System::new("fresh") else { return };
    let readme = fs::read_to_string(Path::new(TOP).join("README.md")).unwrap();
    let (_, rest) = readme.split_once("`apt-get install ").unwrap();
    let packages = rest.split('`').next().unwrap();
    // A clone, and the crates, for which Debian's cargo would ask a registry that may have another name here.
    let clone = scratch("deb-clone");
    let copy = format!(
        "git ls-files -z | xargs -0 cp -P --parents -t {clone} && mkdir {clone}/.home && \
        cargo vendor --quiet --locked {clone}/.home/vendor >/dev/null && \
        printf '[source.crates-io]\\nreplace-with = \"here\"\\n[source.here]\\ndirectory = \"/clone/.home/vendor\"\\n' \
            >{clone}/.home/config.toml",
        clone = clone.display()
    );
    run(Command::new("sh").args(["-c", &copy]).current_dir(TOP)).unwrap();
    let mount = format!("cp -R {} {}/clone", clone.display(), system.root.display());
    system.namespace.sh(&mount).exits(0);
    let resolv = format!("cp -L /etc/resolv.conf {}/etc/", system.root.display());
    system.namespace.sh(&resolv).exits(0);
    system.sh("echo 'APT::Get::Assume-Yes \"true\";' >/etc/apt/apt.conf.d/yes && apt-get -qq update").exits(0);
    system.sh(&format!("DEBIAN_FRONTEND=noninteractive apt-get install {packages}")).exits(0);
    system.sh("cd /clone && CARGO_HOME=/clone/.home make").exits(0);
    let said = system.sh("cd /clone && CARGO_HOME=/clone/.home make register ARCHES=arm64,riscv64").exits(0);
    let said =
        said.says(&["aarch64: registered /clone/target/qemu/usr/bin/qemu-aarch64"]).says(&["riscv64: registered"]);
    assert!(!said.err.contains("others than root"), "{said:#?}");
    assert_eq!(system.sh("/busybox-arm64 uname -m").exits(0).out, "aarch64\n");
    system.sh("cd /clone && make uninstall").exits(0);
    assert!(system.namespace.entries().is_empty());

    // By a user with sudo, from nothing: what is built is theirs.
    system
        .sh("DEBIAN_FRONTEND=noninteractive apt-get install sudo && useradd -m someone && \
            echo 'someone ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/someone && rm -r /clone/target && \
            mkdir /home/someone/.cargo && cp /clone/.home/config.toml /home/someone/.cargo && \
            chown -R someone /clone /home/someone")
        .exits(0);
    let someone = |command: &str| system.sh(&format!("su someone -c 'cd /clone && {command}'"));
    let said = someone("sudo make register ARCHES=arm64,riscv64").exits(0);
    said.says(&["aarch64: registered /clone/target/qemu/usr/bin/qemu-aarch64"]).says(&["riscv64: registered"]);
    assert_eq!(someone("/busybox-arm64 uname -m").exits(0).out, "aarch64\n");
    assert_eq!(someone("find target ! -user someone").exits(0).out, "");
    someone("sudo make uninstall").exits(0);
    assert!(system.namespace.entries().is_empty());
}

/// What systemd does at boot, and when an administrator asks it to; the last command starts the machine anew, which ends it.
const TRY: &str = "#!/bin/sh
exec >/dev/console 2>&1
echo \"@ is $(systemctl is-active systemd-binfmt) $(systemctl is-active binfmt_register)\"
echo \"@ runs $(/busybox-arm64 uname -m)\"
echo \"@ entries $(cd /proc/sys/fs/binfmt_misc && echo *)\"
systemctl reload binfmt_register
echo \"@ reload $? $(/busybox-arm64 uname -m)\"
systemctl stop binfmt_register
echo \"@ stop $? $(cd /proc/sys/fs/binfmt_misc && echo *)\"
/busybox-arm64 true
echo \"@ then $?\"
journalctl --quiet --no-pager --output=cat --unit=binfmt_register | sed 's/^/@ said /'
reboot -f
";

/// The service as it is, with all of its restrictions, after `systemd-binfmt`, which removes all entries when it starts.
#[test]
fn the_service_registers_at_boot() {
    let test = "the_service_registers_at_boot";
    if let Err(why) = need("trixie").and_then(|()| run(Command::new("mke2fs").arg("-V"))) {
        return skip(test, &why);
    }
    let Some(system) = System::new("boot") else { return };
    let files = scratch("deb-initramfs");
    fs::write(files.join("try"), TRY).unwrap();
    let unit = "[Unit]\nAfter=binfmt_register.service\n[Service]\nType=oneshot\nExecStart=/bin/sh /try\n\
        [Install]\nWantedBy=multi-user.target\n";
    fs::write(files.join("try.service"), unit).unwrap();
    fs::write(files.join("theirs.conf"), ":theirs:E::theirs::/bin/true:\n").unwrap();
    // The mount point is there once the module is, which not every machine loads before it looks for that.
    fs::write(files.join("order.conf"), "[Unit]\nAfter=systemd-modules-load.service\n").unwrap();
    let (root, files) = (system.root.display(), files.display());
    let copy = format!(
        "cp {files}/try {root}/ && cp {files}/try.service {root}/etc/systemd/system/ && \
        cp {files}/theirs.conf {root}/etc/binfmt.d/ && echo binfmt_misc >{root}/etc/modules-load.d/ours.conf && \
        install -D -t {root}/etc/systemd/system/proc-sys-fs-binfmt_misc.automount.d {files}/order.conf"
    );
    system.namespace.sh(&copy).exits(0);
    system
        .sh("dpkg -i /package.deb && systemctl enable binfmt_register try && ln -s /usr/lib/systemd/systemd /init")
        .exits(0);
    // The machine has little memory: without what is not needed to boot.
    let without =
        ["./usr/share/doc", "./usr/share/locale", "./var/cache", "./var/lib/apt", "./usr/share/man", "./boot"];
    let without = without.map(|path| format!("-path {path} -prune -o")).join(" ");
    let pack = format!(
        "cd {root} && find . -xdev {without} ! -name package.deb \\( ! -path '*/modules/*.ko*' -o -name 'binfmt_misc.ko*' -o -name 'autofs4.ko*' \\) -print | \
        cpio --quiet -o -H newc >{files}/initramfs"
    );
    Said::of(system.namespace.long_command("sh").args(["-c", &pack])).exits(0);
    let image = PathBuf::from(format!("{files}/initramfs"));
    let console = Machine::new("trixie").initramfs(&image).append("systemd.show_status=no").boot().text;
    fs::remove_file(image).unwrap();
    let said: Vec<_> = console.lines().filter_map(|line| Some(line.split_once("@ ")?.1)).collect(); // after what resets a terminal
    let expected = [
        "is active active",
        "runs aarch64",
        "entries binfmt_register qemu-aarch64 qemu-riscv64 register status theirs",
        "reload 0 aarch64",
        "stop 0 register status theirs",
    ];
    assert_eq!(said[..5], expected);
    assert!(said[5].starts_with("then 12"), "{said:?}"); // not executable, in the words of the shell
    for line in ["aarch64: registered /usr/bin/qemu-aarch64 (POCF)", "aarch64: replaced", "qemu-aarch64: removed"] {
        assert!(
            said.iter().any(|text| text.strip_prefix("said ").is_some_and(|text| text.starts_with(line))),
            "{said:#?}"
        );
    }
}

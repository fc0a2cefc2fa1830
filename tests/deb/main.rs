//! The Debian package of `make deb`: lintian, and its life in a Debian system of its own, from its installation until it is
//! purged; and the first commands of the README in a fresh one. All of it in a user namespace, so that nothing of it reaches
//! this machine.

#[path = "../common/mod.rs"]
mod common;

use common::namespace::{Namespace, Said};
use common::{TOP, debian, fetch, run, scratch, skip};
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
        Some(Self { namespace, root: root.join("root") })
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
    let files = "find /etc /usr /var/lib/systemd -name '*binfmt[_-]register*' | sort";
    // An earlier test may have installed what it tried in the same system.
    system.sh(&format!("{files} | xargs rm -rf")).exits(0);
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
    assert_eq!(system.lists(&format!("{files} | grep -v /systemd/")), ["/etc/binfmt_register.conf"]);
    system.sh("dpkg -P binfmt-register").exits(0);
    assert_eq!(system.lists(files), [""; 0]);
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
}

//! Boots machines of other architectures: what emulation of single programs (`tests/common/host.rs`) cannot show, a
//! program of this machine's that a handler there executes, and what the CPU there runs by itself.
//!
//! Those of aarch64 are among the tests of `make test-boot`; the others need kernels with everything in them, 100 MB
//! each, of Debian sid: `make test-boot-hosts`.

use crate::common::{TOP, debian_of, fetch, run, skip};
use crate::machine::{Machine, need_of};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The binary for a host, by QEMU's name of it.
fn binary(host: &str) -> Result<PathBuf, String> {
    let built = run(Command::new(Path::new(TOP).join("qemu/cross")).arg(host))?;
    Ok(Path::new(TOP).join(built.split_whitespace().last().unwrap_or_default()))
}

/// The suite's package with static interpreters, and how their names end.
fn interpreters(suite: &str) -> (&'static str, &'static str) {
    if suite == "bookworm" { ("qemu-user-static", "-static") } else { ("qemu-user", "") }
}

/// A machine of a host in the making.
struct Booted {
    suite: &'static str,
    arch: &'static str,
    cpu: Option<&'static str>,
    /// The interpreters that lie there, and programs for them: the architecture as QEMU and as Debian calls it.
    targets: &'static [(&'static str, &'static str)],
}

impl Booted {
    /// Boots it with the tool and runs each command, which must succeed and say exactly this.
    fn all_succeed(&self, test: &str, host: &str, commands: &[(&str, &str)]) {
        let (package, ending) = interpreters(self.suite);
        let ready = need_of(self.suite, self.arch, &[package]).and_then(|()| {
            self.targets.iter().try_for_each(|(_, debian)| fetch(debian, "busybox-static"))?;
            binary(host)
        });
        let binary = match ready {
            Ok(binary) => binary,
            Err(why) => return skip(test, &why),
        };
        let mut machine = Machine::of(self.suite, self.arch).file("/bin/binfmt_register", binary);
        if let Some(cpu) = self.cpu {
            machine = machine.cpu(cpu);
        }
        for (target, debian) in self.targets {
            let qemu = format!("/usr/bin/qemu-{target}{ending}");
            machine = machine
                .file(&qemu, debian_of(self.suite, self.arch, &qemu))
                .file(&format!("/{debian}/busybox"), debian_of("trixie", debian, "/usr/bin/busybox"));
        }
        machine.all_succeed(commands);
    }
}

const MOUNT: &str =
    "mkdir -p /proc && mount -t proc proc /proc && mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc";

/// Registers an entry for x86_64 of somebody else's, whose interpreter is `cat`.
const ROSETTA: &str = r"cd /proc/sys/fs/binfmt_misc && printf %s ':rosetta:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00:\xff\xff\xff\xff\xff\xfe\xfe\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/bin/cat:' >register";

/// The registrations last there too: nothing is mounted when the programs run.
const X86_64: &str = "x86_64: registered /usr/bin/qemu-x86_64 (POCF)\n";
const KEPT_WHERE_IT_IS: &str =
    "x86_64: kept, entry rosetta handles it where /bin/cat exists (no flag F); REPLACE=true registers it everywhere\n";
const ALL_REMOVED: &str = "qemu-x86_64: removed\nbinfmt_register: removed\n";

/// Cortex-A72 executes programs for 32-bit Arm; A64FX, as Apple's and newer server CPUs, does not. `uname` in such a
/// program tells who executes it: the kernel says what it itself is, QEMU what it emulates.
#[test]
fn aarch64_with_aarch32() {
    let machine = Booted {
        suite: "trixie",
        arch: "arm64",
        cpu: Some("cortex-a72"),
        targets: &[("x86_64", "amd64"), ("arm", "armhf")],
    };
    machine.all_succeed(
        "aarch64_with_aarch32",
        "aarch64",
        &[
            ("! /amd64/busybox true 2>/dev/null", ""),
            ("/armhf/busybox uname -m", "aarch64\n"),
            ("VERIFY=true binfmt_register", &format!("arm: native, this machine runs it\n{X86_64}")),
            ("/amd64/busybox uname -m", "x86_64\n"),
            ("/armhf/busybox uname -m", "aarch64\n"),
            ("ARCHES=arm64 REPLACE=true binfmt_register", "aarch64: native, this machine runs it\n"),
            ("binfmt_register --status >/status", ""),
            (
                "tr -d ' \n' </status",
                r#"{"supported":["linux/arm64","linux/amd64","linux/arm/v7","linux/arm/v6"],"emulators":["qemu-x86_64"]}"#,
            ),
            ("binfmt_register --uninstall '*'", ALL_REMOVED),
            ("! /amd64/busybox true 2>/dev/null", ""),
            // Apple's, in a virtual machine.
            (MOUNT, ""),
            (ROSETTA, ""),
            ("binfmt_register --install amd64", KEPT_WHERE_IT_IS),
            ("ls -1 /proc/sys/fs/binfmt_misc", "register\nrosetta\nstatus\n"),
            ("echo -1 >/proc/sys/fs/binfmt_misc/rosetta", ""),
            (
                "mkdir /noexec && mount -t tmpfs -o noexec tmpfs /noexec && cp /usr/bin/qemu-x86_64 /noexec &&
                 QEMU_BINARY_PATH=/noexec binfmt_register 2>&1 | grep -c 'x86_64: not registered: /noexec/qemu-x86_64.*EACCES.*noexec'",
                "1\n",
            ),
        ],
    );
}

#[test]
fn aarch64_without_aarch32() {
    let machine = Booted {
        suite: "trixie",
        arch: "arm64",
        cpu: Some("a64fx"),
        targets: &[("x86_64", "amd64"), ("arm", "armhf")],
    };
    machine.all_succeed(
        "aarch64_without_aarch32",
        "aarch64",
        &[
            ("! /armhf/busybox true 2>/dev/null", ""),
            ("binfmt_register", &format!("arm: registered /usr/bin/qemu-arm (POCF)\n{X86_64}")),
            ("/armhf/busybox uname -m", "armv7l\n"),
            ("/amd64/busybox uname -m", "x86_64\n"),
        ],
    );
}

/// What a machine does with programs of the one other architecture that it has an interpreter for.
fn foreign_runs(host: &str, machine: Booted, uname: &str) {
    let [(qemu, debian)] = machine.targets else { panic!("not one target: {:?}", machine.targets) };
    let (_, ending) = interpreters(machine.suite);
    let refused = format!("! /{debian}/busybox true 2>/dev/null");
    machine.all_succeed(
        host,
        host,
        &[
            (&refused, ""),
            ("VERIFY=true binfmt_register", &format!("{qemu}: registered /usr/bin/qemu-{qemu}{ending} (POCF)\n")),
            (&format!("/{debian}/busybox uname -m"), &format!("{uname}\n")),
            ("binfmt_register --uninstall '*'", &format!("qemu-{qemu}: removed\nbinfmt_register: removed\n")),
            (&refused, ""),
        ],
    );
}

/// A program of this machine's on another host.
fn x86_64_runs(host: &str, arch: &'static str) {
    foreign_runs(host, Booted { suite: "sid", arch, cpu: None, targets: &[("x86_64", "amd64")] }, "x86_64");
}

#[test]
#[ignore = "make test-boot-hosts"]
fn riscv64() {
    x86_64_runs("riscv64", "riscv64");
}

#[test]
#[ignore = "make test-boot-hosts"]
fn s390x() {
    x86_64_runs("s390x", "s390x");
}

#[test]
#[ignore = "make test-boot-hosts"]
fn ppc64le() {
    x86_64_runs("ppc64le", "ppc64el");
}

/// QEMU for machines of 32 bits has no interpreters for 64.
#[test]
#[ignore = "make test-boot-hosts"]
fn arm() {
    foreign_runs("arm", Booted { suite: "sid", arch: "armhf", cpu: None, targets: &[("i386", "i386")] }, "i686");
}

/// Debian 12 is the last to have a kernel of 32 bits for it.
#[test]
#[ignore = "make test-boot-hosts"]
fn i386() {
    foreign_runs("i386", Booted { suite: "bookworm", arch: "i386", cpu: None, targets: &[("arm", "armhf")] }, "armv7l");
}

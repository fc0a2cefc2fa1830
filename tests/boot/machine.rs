//! A machine to try things in: a Debian kernel booted by QEMU in software, with an initramfs made for the occasion
//! and its serial console read back. Nothing is mounted in it, not even /proc, but what the test mounts.
//!
//! The kernel starts `/init`: the test's own program if it gave one, else the harness's `/sbin/init`, a shell script
//! that runs the test's commands one after the other, frames what each said and how it ended, and resets the machine.
#![allow(dead_code)] // each test program uses a part of it

use crate::common::{TOP, debian_of, fetch, fetch_of, run};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a boot may take before it counts as hung. Most take 3, one with an initramfs of Debian's 10 to 60.
const SECONDS: &str = "120";
const SECONDS_OF_DEBIAN: &str = "240";
const SECONDS_OF_SYSTEM: &str = "600";

/// A kind of machine.
struct Kind {
    /// Debian's name of the architecture.
    arch: &'static str,
    /// QEMU's program, and what it is to emulate.
    qemu: &'static str,
    machine: &'static str,
    cpu: &'static str,
    /// The serial console, as the kernel calls it.
    console: &'static str,
}

#[rustfmt::skip]
const KINDS: [Kind; 7] = [
    // Without cmpxchg16b (cx16): with it QEMU 7.2 now and then leaves garbage in the flags, and one boot of trixie in
    // thirty ended in a double fault or an oops.
    Kind { arch: "amd64", qemu: "qemu-system-x86_64", machine: "pc", cpu: "max,-cx16", console: "ttyS0" },
    Kind { arch: "arm64", qemu: "qemu-system-aarch64", machine: "virt,gic-version=3", cpu: "cortex-a72", console: "ttyAMA0" },
    Kind { arch: "riscv64", qemu: "qemu-system-riscv64", machine: "virt", cpu: "rv64", console: "ttyS0" },
    Kind { arch: "s390x", qemu: "qemu-system-s390x", machine: "s390-ccw-virtio", cpu: "max", console: "ttysclp0" },
    Kind { arch: "armhf", qemu: "qemu-system-arm", machine: "virt", cpu: "cortex-a15", console: "ttyAMA0" },
    Kind { arch: "i386", qemu: "qemu-system-i386", machine: "pc", cpu: "coreduo", console: "ttyS0" },
    Kind { arch: "ppc64el", qemu: "qemu-system-ppc64", machine: "pseries", cpu: "power9", console: "hvc0" },
];

fn kind(arch: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.arch == arch).unwrap_or_else(|| panic!("no machine for {arch}"))
}

/// For the kernel, beside the console: silence, a reset when it panics; and neither self-tests nor mitigations, which
/// cost half a second of emulation. (Not `nokaslr`: the kernel hands it on to PID 1 as an argument.)
const ARGUMENTS: &str = "quiet panic=-1 cryptomgr.notests mitigations=off";

/// A command that starts a [`Machine::system`] anew. The next command runs in the next boot.
pub const REBOOT: (&str, &str) = ("touch /run/rebooting && systemctl --no-block reboot", "");

/// Packages of trixie the tests take programs from, as architecture and name.
const PACKAGES: [(&str, &str); 4] = [
    ("amd64", "busybox-static"),   // what runs in the machine
    ("amd64", "qemu-user"),        // the interpreters
    ("amd64", "qemu-user-binfmt"), // Debian's rules for them
    ("arm64", "busybox-static"),   // a foreign program
];

/// Whether machines with this suite's kernel can be had here, and if not, why. Brings what can be brought.
pub fn need(suite: &str) -> Result<(), String> {
    static KNOWN: Mutex<BTreeMap<String, Result<(), String>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap(); // held all along: tests run side by side, and one fetch is enough
    let look = || {
        for tool in ["cpio", "qemu-system-x86_64", "timeout"] {
            run(Command::new(tool).arg("--version"))?;
        }
        for (arch, package) in PACKAGES {
            fetch(arch, package)?;
        }
        kernel(suite, "amd64").map(drop)
    };
    known.entry(suite.into()).or_insert_with(look).clone()
}

/// Whether a machine of another architecture can be had here, with these packages of the suite for it.
pub fn need_of(suite: &str, arch: &str, packages: &[&str]) -> Result<(), String> {
    for tool in ["cpio", kind(arch).qemu, "timeout"] {
        run(Command::new(tool).arg("--version"))?;
    }
    for package in packages.iter().chain(&["busybox-static"]) {
        fetch_of(suite, arch, package)?;
    }
    kernel(suite, arch).map(drop)
}

/// The suite whose busybox runs in a machine: of this architecture that of trixie, whichever the kernel.
fn busybox_of<'a>(suite: &'a str, arch: &str) -> &'a str {
    if arch == "amd64" { "trixie" } else { suite }
}

/// The suite's kernel and the directory of its modules.
fn kernel(suite: &str, arch: &str) -> Result<(PathBuf, PathBuf), String> {
    let said = run(Command::new(Path::new(TOP).join("tests/boot/kernel")).args([suite, arch]))?;
    let mut lines = said.lines().map(PathBuf::from);
    lines.next().zip(lines.next()).ok_or(format!("tests/boot/kernel {suite} {arch} says: {said}"))
}

/// A machine in the making.
pub struct Machine {
    suite: String,
    kind: &'static Kind,
    cpu: String,
    seconds: &'static str,
    files: Vec<(String, PathBuf)>,
    commands: Vec<String>,
    arguments: String,
    counted: bool,
    quiet: bool,
    initramfs: Option<PathBuf>,
    system: Option<PathBuf>,
}

impl Machine {
    /// One with the kernel of this suite of Debian: `bullseye` (Linux 5.10), `bookworm` (6.1), `trixie` (6.12), `sid`.
    pub fn new(suite: &str) -> Self {
        Self::of(suite, "amd64")
    }

    /// The same of another architecture, by Debian's name. Emulation takes longer there: five minutes are allowed.
    pub fn of(suite: &str, arch: &str) -> Self {
        let kind = kind(arch);
        Machine {
            suite: suite.into(),
            kind,
            cpu: kind.cpu.into(),
            seconds: if arch == "amd64" { SECONDS } else { "300" },
            files: Vec::new(),
            commands: Vec::new(),
            arguments: String::new(),
            counted: false,
            quiet: false,
            initramfs: None,
            system: None,
        }
    }

    /// With another CPU than usual, by QEMU's name.
    pub fn cpu(mut self, cpu: &str) -> Self {
        self.cpu = cpu.into();
        self
    }

    /// Boots this initramfs, and puts what would have been in the harness's own on a disk: the root file system.
    pub fn initramfs(mut self, image: impl Into<PathBuf>) -> Self {
        self.initramfs = Some(image.into());
        self.append("root=/dev/vda rw")
    }

    /// Boots a whole Debian system, which is in this directory (tests/system/image), by its systemd. What would have been
    /// in the initramfs is below `/test`. What is written there is gone with the machine, but not when it reboots.
    pub fn system(mut self, image: &Path) -> Self {
        self.system = Some(image.join("disk"));
        self.seconds = SECONDS_OF_SYSTEM;
        self.initramfs(image.join("initramfs")).append("systemd.show_status=no loglevel=1")
    }

    /// Puts a copy of a file of this host at `path`, in place of the harness's own if there is one. `/init` is what
    /// the kernel starts; the test's commands run once that executes `/sbin/init`, which is the harness's.
    pub fn file(mut self, path: &str, host: impl Into<PathBuf>) -> Self {
        self.files.push((path.into(), host.into()));
        self
    }

    /// Adds to the kernel's command line. What the kernel does not know, PID 1 gets: `NAME=value` in its environment,
    /// the rest as arguments.
    pub fn append(mut self, arguments: &str) -> Self {
        self.arguments = format!("{} {arguments}", self.arguments);
        self
    }

    /// Lets a nanosecond pass with each instruction, so that the machine's clock tells how much is executed and not how
    /// slow, and how busy, this host is.
    pub fn count_instructions(mut self) -> Self {
        self.counted = true;
        self
    }

    /// Gives it so many seconds, for a command that takes long and whose output the test itself shows.
    pub fn long(mut self, seconds: &'static str) -> Self {
        (self.seconds, self.quiet) = (seconds, true);
        self
    }

    /// Runs a command, or several lines of shell, in a shell of its own.
    pub fn run(mut self, command: &str) -> Self {
        self.commands.push(command.into());
        self
    }

    /// Boots it and runs each command, which must succeed and say exactly this.
    pub fn all_succeed(mut self, commands: &[(&str, &str)]) -> Console {
        for (command, _) in commands {
            self = self.run(command);
        }
        let console = self.boot();
        for (number, (command, output)) in commands.iter().enumerate() {
            let ran = console.ran.get(number).unwrap_or_else(|| panic!("{command}: did not come to an end"));
            assert_eq!(ran.said(), (0, *output), "command {}: {command}", number + 1);
        }
        console
    }

    /// Boots it and waits until it resets, which is how it ends, be it by a panic of the kernel.
    pub fn boot(self) -> Console {
        self.boot_until(None)
    }

    /// The same, of a machine that does not reset, but says `last` at its end.
    pub fn boot_until(self, last: Option<&str>) -> Console {
        static BOOTS: AtomicUsize = AtomicUsize::new(0);
        let boot = format!("boot-{}-{}", process::id(), BOOTS.fetch_add(1, Ordering::Relaxed));
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(boot);
        let (kernel, modules) = kernel(&self.suite, self.kind.arch).unwrap();
        let root = self.tree(&dir, &modules).unwrap();
        let disk = dir.join("disk");
        let (initramfs, seconds) = match &self.initramfs {
            None => (cpio(&root).unwrap(), self.seconds),
            Some(initramfs) => {
                for dir in ["dev", "proc", "run", "sys"] {
                    fs::create_dir_all(root.join(dir)).unwrap();
                }
                // systemd changes only to what looks like an operating system.
                fs::create_dir_all(root.join("etc")).unwrap();
                fs::write(root.join("etc/os-release"), "ID=test\n").unwrap();
                let mut mke2fs = Command::new("mke2fs");
                run(mke2fs.args(["-q", "-t", "ext4", "-d"]).arg(&root).arg(&disk).arg("128M")).unwrap();
                (initramfs.clone(), if self.system.is_some() { self.seconds } else { SECONDS_OF_DEBIAN })
            }
        };

        let mut qemu = Command::new("timeout");
        qemu.args(["--foreground", seconds, self.kind.qemu])
            .args(["-M", self.kind.machine, "-cpu", &self.cpu])
            .args(["-m", if self.system.is_some() { "1536M" } else { "768M" }])
            .args("-accel tcg -smp 1 -nodefaults -no-user-config -display none -serial stdio".split(' '))
            .args(if self.system.is_some() { &[] } else { ["-no-reboot"].as_slice() })
            .args(if self.counted { ["-icount", "shift=0"].as_slice() } else { &[] })
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(initramfs)
            .arg("-append")
            .arg(format!("console={} {ARGUMENTS}{}", self.kind.console, self.arguments));
        if let Some(system) = &self.system {
            qemu.arg("-drive").arg(format!("file={},format=raw,if=virtio,snapshot=on", system.display()));
        }
        if self.initramfs.is_some() {
            qemu.arg("-drive").arg(format!("file={},format=raw,if=virtio", disk.display()));
        }
        let mut qemu = qemu.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = Vec::new();
        let mut console = BufReader::new(qemu.stdout.take().unwrap());
        let ends = |said: &[u8]| last.is_some_and(|last| String::from_utf8_lossy(said).contains(last));
        while console.read_until(b'\n', &mut said).unwrap() > 0 {
            if ends(&said) {
                run(Command::new("kill").arg(qemu.id().to_string())).unwrap(); // timeout passes it on
            }
        }
        let status = qemu.wait().unwrap();
        fs::remove_dir_all(&dir).unwrap();

        let text = String::from_utf8_lossy(&said).replace('\r', "");
        let ended = status.success() || ends(&said);
        // Captured by libtest, and shown when the test fails.
        if !self.quiet || !ended {
            println!("--- console of {} {} ---\n{}\n--- end ---", self.suite, self.kind.arch, text.trim_end());
        }
        assert!(ended, "QEMU: {status} (124: not done in {seconds} s)");
        let numbers = 1..=self.commands.len();
        let ran = numbers.map_while(|number| Ran::find(&text, number)).collect();
        Console { text, ran }
    }

    /// The files of the machine, below `dir`.
    fn tree(&self, dir: &Path, modules: &Path) -> io::Result<PathBuf> {
        let root = dir.join("root");
        let at = |path: &str| -> io::Result<PathBuf> {
            let path = root.join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap_or(&root))?;
            let _ = fs::remove_file(&path); // lest a file be written through a link, to where it leads on this host
            Ok(path)
        };
        let busybox = |path| debian_of(busybox_of(&self.suite, self.kind.arch), self.kind.arch, path);
        let (new, old) = (busybox("/usr/bin/busybox"), busybox("/bin/busybox")); // up to bookworm
        fs::copy(if new.exists() { new } else { old }, at("/bin/busybox")?)?;
        symlink("busybox", at("/bin/sh")?)?;
        symlink("sbin/init", at("/init")?)?;
        let init = at("/sbin/init")?;
        fs::write(&init, self.script())?;
        fs::set_permissions(&init, fs::Permissions::from_mode(0o755))?;

        // What the kernel asks for when binfmt_misc is first mounted is `modprobe fs-binfmt_misc`.
        symlink("/bin/busybox", at("/sbin/modprobe")?)?;
        let version = modules.file_name().unwrap_or_default().to_string_lossy();
        let under = |file: &str| at(&format!("/lib/modules/{version}/{file}"));
        for module in ["kernel/fs/binfmt_misc.ko", "kernel/fs/binfmt_misc.ko.xz"] {
            if modules.join(module).exists() {
                fs::copy(modules.join(module), under(module)?)?;
                fs::write(under("modules.dep")?, format!("{module}:\n"))?;
                fs::write(under("modules.alias")?, "alias fs-binfmt_misc binfmt_misc\n")?;
            }
        }

        for (path, host) in &self.files {
            fs::copy(host, at(path)?)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", host.display())))?;
        }
        Ok(root)
    }

    /// `/sbin/init`. What it prints is what [`Ran::find`] reads.
    fn script(&self) -> String {
        if self.system.is_some() {
            return self.script_of_system();
        }
        let mut script = String::from("#!/bin/sh\n/bin/busybox --install -s /bin\n");
        for (number, command) in (1..).zip(&self.commands) {
            script += &format!("echo '@@@ {number} begins'\n(\n{command}\n)\necho \"\n@@@ {number} ends with $?\"\n");
        }
        script + "reboot -f\n"
    }

    /// The same for a system that may boot several times: each command runs once.
    fn script_of_system(&self) -> String {
        let mut script = String::from("mkdir -p /var/lib/test\n");
        for (number, command) in (1..).zip(&self.commands) {
            script += &format!(
                "if mkdir /var/lib/test/{number} 2>/dev/null; then\necho '@@@ {number} begins'\n(\n{command}\n)\n\
                 echo \"\n@@@ {number} ends with $?\"\n[ ! -e /run/rebooting ] || exec sleep 1000\nfi\n"
            );
        }
        script + "exec poweroff -f\n"
    }
}

/// Packs a directory as an initramfs, beside it.
fn cpio(root: &Path) -> Result<PathBuf, String> {
    let pack = "find . | cpio --quiet -o -H newc -R 0:0 >../initramfs";
    run(Command::new("sh").current_dir(root).args(["-c", pack]))?;
    Ok(root.with_file_name("initramfs"))
}

/// What a machine said: all of it, and of each command that came to an end.
pub struct Console {
    pub text: String,
    pub ran: Vec<Ran>,
}

impl Console {
    /// The commands in their order: `let [mount, register] = console.ran();` Fails unless all of them came to an end.
    pub fn ran<const N: usize>(&self) -> &[Ran; N] {
        let ran = self.ran.as_slice();
        ran.try_into().unwrap_or_else(|_| panic!("{} commands of {N} came to an end", ran.len()))
    }
}

/// How one command ended: its exit status and what it said, both streams together.
pub struct Ran {
    pub status: i32,
    pub output: String,
}

impl Ran {
    /// For an assertion: `assert_eq!(mount.said(), (0, ""))`.
    pub fn said(&self) -> (i32, &str) {
        (self.status, &self.output)
    }

    fn find(text: &str, number: usize) -> Option<Ran> {
        let (_, rest) = text.split_once(&format!("@@@ {number} begins\n"))?;
        let (output, rest) = rest.split_once(&format!("\n@@@ {number} ends with "))?;
        let status = rest.lines().next()?.parse().ok()?;
        let output = output.into();
        Some(Ran { status, output })
    }
}

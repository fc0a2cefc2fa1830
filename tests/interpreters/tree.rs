//! Processes that share a cache of translations, for the tests of that.

use crate::common::namespace::Said;
use crate::common::{TOP, debian, fetch, skip};
use crate::own::prepare;
use crate::{Both, quick};
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

/// The number that the descriptor of a cache has.
const FD: u32 = 1000;

/// An architecture whose interpreter can share translations.
#[derive(Clone, Copy)]
pub struct Guest {
    /// QEMU's name of it.
    pub name: &'static str,
    /// Debian's.
    debian: &'static str,
    /// Its system calls for users and groups have a second form, of 32 bits.
    pub second_ids: bool,
}

const fn guest(name: &'static str, debian: &'static str, second_ids: bool) -> Guest {
    Guest { name, debian, second_ids }
}

const AARCH64: Guest = guest("aarch64", "arm64", false);

/// All of them.
pub const GUESTS: [Guest; 5] = [
    AARCH64,
    guest("arm", "armhf", true),
    guest("i386", "i386", true),
    guest("riscv64", "riscv64", false),
    guest("x86_64", "amd64", false),
];

impl Guest {
    /// That build of its interpreter; `None`, said aloud, where it is not there.
    pub fn interpreter(self) -> Option<PathBuf> {
        let both = Both::new()?;
        self.interpreter_for(&both, both.ours.file_name()?.to_str()?)
    }

    /// The same for a host by Debian's name of it.
    pub fn interpreter_for(self, both: &Both, host: &str) -> Option<PathBuf> {
        let directory = both.ours.parent()?.join("translations").join(host);
        let file = directory.join(format!("qemu-{}", self.name));
        if !file.exists() {
            let test = thread::current().name().unwrap_or_default().to_string();
            let why =
                format!("qemu-{} that shares translations is not built: make translations HOST={host}", self.name);
            // With `QUICK=1` there is time for some of them, but for one at least.
            if quick() && !(self.name == AARCH64.name && both.ours.ends_with(host)) {
                let _ = writeln!(io::stderr(), "{test} without: {why}");
            } else {
                skip(&test, &why);
            }
            return None;
        }
        prepare(both);
        for package in ["base-files", "libc6", "libcrypt1", "perl-base"] {
            fetch(self.debian, package).unwrap();
        }
        Some(file)
    }

    /// One of ours in C.
    pub fn program(self, name: &str) -> PathBuf {
        Path::new(TOP).join("target/debian/tcg/programs").join(format!("translations-{name}-{}", self.name))
    }

    /// Whether this machine executes its programs itself, so that an interpreter of it starts no other.
    pub fn native(self) -> bool {
        match env::consts::ARCH {
            "x86_64" => matches!(self.name, "i386" | "x86_64"),
            machine => self.name == machine,
        }
    }
}

/// That of AArch64.
pub fn interpreter() -> Option<PathBuf> {
    AARCH64.interpreter()
}

/// One of ours for AArch64.
pub fn program(name: &str) -> PathBuf {
    AARCH64.program(name)
}

/// A process that waits after each line that it prints, and its input and output.
pub struct Waiting {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Waiting {
    /// Starts one.
    pub fn new(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { input: child.stdin.take(), child, output }
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().into()
    }

    /// Lets it go on after that.
    pub fn go_on(&mut self) {
        self.input.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Whether it has the descriptor of a cache, and whether that is in its memory.
    pub fn has_cache(&self) -> (bool, bool) {
        let process = PathBuf::from(format!("/proc/{}", self.child.id()));
        let link = fs::read_link(process.join(format!("fd/{FD}")));
        let maps = fs::read_to_string(process.join("maps")).unwrap();
        (link.is_ok_and(|to| to.to_string_lossy().contains("qemu-translations")), maps.contains("qemu-translations"))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// A process with a cache; others can get it as if it had started them.
pub struct Tree {
    guest: Guest,
    qemu: PathBuf,
    first: Waiting,
}

impl Tree {
    /// Starts the first process, for AArch64; the switch is `QEMU_TBCACHE`.
    pub fn new(qemu: &Path, switch: &str) -> Self {
        Self::for_guest(AARCH64, qemu, switch)
    }

    /// The same, for another guest.
    pub fn for_guest(guest: Guest, qemu: &Path, switch: &str) -> Self {
        let mut command = Command::new(qemu);
        let mut first = Waiting::new(command.arg(guest.program("hidden")).arg("wait").env("QEMU_TBCACHE", switch));
        assert_eq!(first.line(), "here");
        assert_eq!(first.has_cache(), (true, true));
        Self { guest, qemu: qemu.into(), first }
    }

    /// The tree of a process that has one already.
    pub fn of(qemu: &Path, first: Waiting) -> Self {
        assert_eq!(first.has_cache(), (true, true));
        Self { guest: AARCH64, qemu: qemu.into(), first }
    }

    /// The cache.
    pub fn file(&self) -> File {
        let path = format!("/proc/{}/fd/{FD}", self.first.child.id());
        File::options().read(true).write(true).open(path).unwrap()
    }

    /// A number of its header: the first free unit, hits, entries, those that were refused.
    fn number(&self, at: u64) -> u64 {
        let mut bytes = [0; 8];
        self.file().read_exact_at(&mut bytes, at).unwrap();
        u64::from_le_bytes(bytes)
    }

    /// The first free unit, of 16 bytes.
    pub fn tail(&self) -> u64 {
        self.number(32) & 0xffff_ffff
    }

    /// How often a translation was found.
    pub fn hits(&self) -> u64 {
        self.number(40)
    }

    /// How many were added.
    pub fn entries(&self) -> u64 {
        self.number(48)
    }

    /// How many were not right.
    pub fn refused(&self) -> u64 {
        self.number(56)
    }

    /// How many were not added for want of room.
    pub fn left_out(&self) -> u64 {
        self.number(64)
    }

    /// How often one was found among those that are built into the interpreter.
    pub fn built_in(&self) -> u64 {
        self.number(72)
    }

    /// What `qemu/translations` says of it.
    pub fn said(&self) -> String {
        let pid = self.first.child.id().to_string();
        let said = Said::of(Command::new(Path::new(TOP).join("qemu/translations")).arg(&pid)).exits(0);
        said.out.strip_prefix(&format!("{pid}: ")).unwrap_or_default().into()
    }

    /// A command that inherits it.
    pub fn command(&self, qemu: &Path, words: &[&str]) -> Command {
        self.command_in(&debian(self.guest.debian, "/"), qemu, words)
    }

    /// The same of a program in another Debian than the tests'.
    pub fn command_in(&self, root: &Path, qemu: &Path, words: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new("bash");
        let script = format!("exec {FD}<>/proc/{}/fd/{FD}; exec \"$@\"", self.first.child.id());
        command.args(["-c", &script, "bash"]).arg(qemu).arg("-L").arg(root).args(words);
        command.env("QEMU_TBCACHE", "on");
        command
    }

    /// Perl with [`PERL`], that inherits it.
    pub fn perl(&self) -> Command {
        let perl = debian(self.guest.debian, "usr/bin/perl");
        self.command(&self.qemu, &[perl.to_str().unwrap(), "-e", PERL])
    }

    /// Runs [`PERL`], which has to be right.
    #[track_caller]
    pub fn check(&self) {
        let said = Said::of(&mut self.perl());
        assert_eq!((said.status, &*said.out), (0, "6b86 500500\n"), "{said:?}");
    }
}

/// Code of many kinds, and what it prints is known.
pub const PERL: &str = r#"my %h = map { $_ => $_ * 1 } 1 .. 1000; my $s = 0; $s += $h{$_} for sort keys %h;
    my $t = join ",", map { sprintf "%x", $_ } 27526; $t =~ s/,//; print "$t $s\n""#;

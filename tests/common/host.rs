//! The host whose binary is tested: this machine's own, or with `TEST_HOST=NAME` in the environment another one of
//! `qemu/hosts`.
//!
//! The binary of another host is run by Debian 13's QEMU for user programs. Its system calls go through to this
//! machine's kernel, so what it registers is registered, and what is said of files and errors is the kernel's word.
//! (QEMU 10.0 knows them all; 7.2 has no `fsopen` and its like.) The tests are the same; what they cannot show so says
//! [`cannot`]. Three things are seen to here, so that they can be:
//!
//! - An interpreter has to be a program of the host in the eyes of the tool, which reads its header, and of this
//!   machine in those of the kernel, which executes it. So the tool is shown another directory in its place, by QEMU's
//!   `-L`: there, instead of each program of this machine's, is one of the host's in the same state (complete,
//!   truncated, dynamically linked).
//! - The tests' foreign architectures are arm64, riscv64 and s390x. A host that is one of them runs it natively: there
//!   another takes its place, by an exchange of the names in what the tool is told, and in what it says.
//! - To the tool amd64 is foreign. But this machine would give every program of its own to a handler for that, QEMU
//!   included, so there is no interpreter for it. Booted machines show that one works (`tests/boot`).

use super::{TOP, debian, fetch, run, shipped};
use std::borrow::Cow;
use std::io::{Write, stderr};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

/// Another host than this machine.
pub struct Host {
    /// Its binary.
    pub file: PathBuf,
    /// The emulator.
    pub qemu: PathBuf,
    /// It and its arguments.
    command: [String; 4],
    /// What runs the binary here: as this, it is executed everywhere.
    launcher: String,
    /// The interpreters.
    interpreters: PathBuf,
    /// What the tool is shown, by the path on this machine.
    view: PathBuf,
    /// The same binary with a dynamic linker.
    dynamic: PathBuf,
}

/// What is known of a host.
struct Known {
    /// As QEMU calls it.
    name: &'static str,
    /// Its platform, as OCI calls it.
    oci: &'static str,
    /// The names that are exchanged there, each with the other.
    names: &'static [(&'static str, &'static str)],
    /// The end of the magic of the first of these names, and of the second.
    magic: (&'static str, &'static str),
}

#[rustfmt::skip]
const KNOWN: [Known; 7] = [
    Known { name: "x86_64", oci: "amd64", names: &[], magic: ("", "") },
    Known {
        name: "aarch64", oci: "arm64", names: &[("aarch64", "loongarch64"), ("arm64", "loong64")],
        magic: (r"\x02\x00\xb7\x00", r"\x02\x00\x02\x01"),
    },
    Known { name: "riscv64", oci: "riscv64", names: &[("riscv64", "ppc64le")], magic: ("", "") },
    Known { name: "ppc64le", oci: "ppc64le", names: &[], magic: ("", "") },
    Known { name: "s390x", oci: "s390x", names: &[("s390x", "ppc64le")], magic: ("", "") },
    Known { name: "arm", oci: "arm/v7", names: &[], magic: ("", "") },
    Known { name: "i386", oci: "386", names: &[], magic: ("", "") },
];

fn known() -> &'static Known {
    static HOST: OnceLock<&Known> = OnceLock::new();
    HOST.get_or_init(|| {
        let name = env::var("TEST_HOST").ok().filter(|name| !name.is_empty()).unwrap_or("x86_64".into());
        KNOWN.iter().find(|known| known.name == name).unwrap_or_else(|| panic!("TEST_HOST: no host '{name}'"))
    })
}

/// The host, if it is not this machine; made ready once.
pub fn other() -> Option<&'static Host> {
    static HOST: OnceLock<Option<Host>> = OnceLock::new();
    let make = || (name() != "x86_64").then(|| Host::new(name()).unwrap_or_else(|why| panic!("TEST_HOST: {why}")));
    HOST.get_or_init(make).as_ref()
}

/// The name of the host, as QEMU calls it.
pub fn name() -> &'static str {
    known().name
}

/// Its platform, as OCI calls it.
pub fn oci() -> &'static str {
    known().oci
}

/// What to execute as the tool.
pub fn binary() -> &'static str {
    other().map_or_else(shipped, |host| &host.launcher)
}

/// The same as the words of a command, without the shell that a script needs, and whose system calls come before.
pub fn command() -> Vec<&'static str> {
    other().map_or_else(|| vec![shipped()], |host| host.command.iter().map(String::as_str).collect())
}

/// The binary itself.
pub fn file() -> &'static Path {
    other().map_or_else(|| Path::new(shipped()), |host| &host.file)
}

/// Where the interpreters are.
pub fn interpreters() -> PathBuf {
    other().map_or_else(|| debian("amd64", "usr/bin"), |host| host.interpreters.clone())
}

/// Its name in the tests, and that of its platform: the other's where names are exchanged.
pub fn own() -> (Cow<'static, str>, Cow<'static, str>) {
    (exchanged(name()), exchanged(oci()))
}

/// What the emulation does not carry, said aloud with the reason: whether `test` is to be left out.
pub fn cannot(test: &str, why: &str) -> bool {
    if other().is_some() {
        let _ = writeln!(stderr(), "{test} is not for the emulated host {}: {why}", name());
    }
    other().is_some()
}

/// Whether an ordinary user can run the binary from where it is: QEMU has to be reached, too.
pub fn is_for_everybody() -> bool {
    let Some(host) = other() else { return true };
    let mut user = Command::new("setpriv");
    user.args(["--reuid=65534", "--regid=65534", "--clear-groups", &host.launcher, "--version"]);
    run(&mut user).is_ok()
}

/// A kernel that calls itself 2.6: by its personality, and what QEMU says of it, which would make it a later one.
pub const OLD: &[&str] = &["env", "QEMU_UNAME=2.6.78", "setarch", "--uname-2.6"];

/// A text with the names exchanged: to the tool, or from it.
pub fn exchanged(text: &str) -> Cow<'_, str> {
    let Known { names, magic, .. } = known();
    if names.is_empty() {
        return text.into();
    }
    let in_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut to = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter| in_word(letter) != in_word(first)).unwrap_or(rest.len());
        let (part, following) = rest.split_at(end);
        let pair = names.iter().find(|(one, other)| part == *one || part == *other);
        to += pair.map_or(part, |(one, other)| if part == *one { other } else { one });
        rest = following;
    }
    if magic.0.is_empty() { to.into() } else { to.replace(magic.0, magic.1).into() }
}

impl Host {
    fn new(name: &str) -> Result<Self, String> {
        fetch("amd64", "qemu-user")?;
        let built = run(Command::new(Path::new(TOP).join("qemu/cross")).arg(name))?;
        let file = Path::new(TOP).join(built.split_whitespace().last().unwrap_or_default());
        let program = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;

        // One for this process alone: others of the same host may run.
        let places = Path::new(env!("CARGO_TARGET_TMPDIR"));
        for left in fs::read_dir(places).unwrap().map(Result::unwrap) {
            let process = left.file_name().to_str().and_then(|name| Some(name.strip_prefix("host-")?.to_string()));
            if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
                let _ = fs::remove_dir_all(left.path());
            }
        }
        let place = places.join(format!("host-{}", std::process::id()));
        let (interpreters, view) = (place.join("bin"), place.join("view"));
        fs::create_dir_all(&interpreters).unwrap();
        let launcher = place.join("binfmt_register");
        // The process goes by the tool's name, too: that of the file it executes.
        let qemu = view.with_file_name("qemu").join("binfmt_register");
        fs::create_dir(qemu.parent().unwrap()).unwrap();
        symlink(debian("amd64", "usr/bin").join(format!("qemu-{name}")), &qemu).unwrap();
        let command = [qemu.as_path(), Path::new("-L"), &view, &file].map(|word| word.to_str().unwrap().to_string());
        // `-0`: the tool goes by the name it is called by.
        let script = format!("#!/bin/sh\nexec {} -0 \"$0\" {} \"$@\"\n", command[0], command[1..].join(" "));
        // Written by another process: see `Scratch::copy`.
        let written = Command::new("sh")
            .args(["-c", "printf %s \"$1\" >\"$2\" && chmod 755 \"$2\"", "sh", &script])
            .arg(&launcher)
            .status();
        assert!(written.is_ok_and(|status| status.success()));
        fs::write(place.join("dynamic"), dynamic(&program)).unwrap();
        let dynamic = place.join("dynamic");
        let launcher = launcher.to_str().unwrap().into();
        let host = Host { file, qemu, command, launcher, interpreters, view, dynamic };
        host.bring_interpreters();
        Ok(host)
    }

    /// Debian's, without that for this machine, and where names are exchanged with the one that takes the other's
    /// place.
    fn bring_interpreters(&self) {
        for entry in fs::read_dir(debian("amd64", "usr/bin")).unwrap().map(Result::unwrap) {
            let file = entry.file_name().into_string().unwrap();
            let Some(target) = file.strip_prefix("qemu-").filter(|_| entry.file_type().unwrap().is_file()) else {
                continue;
            };
            let stand_in = if target == name() { exchanged(target) } else { target.into() };
            if target != "x86_64" {
                let qemu = debian("amd64", "usr/bin").join(format!("qemu-{stand_in}"));
                symlink(qemu, self.interpreters.join(&file)).unwrap();
            }
        }
        self.show(&self.interpreters);
    }

    /// A program under a path in which nothing is exchanged.
    pub fn neutral(&self, program: PathBuf) -> PathBuf {
        let place = self.interpreters.with_file_name("busybox");
        let _ = symlink(program, &place);
        place
    }

    /// Makes what the tool sees in place of a directory of interpreters, as that is now.
    pub fn show(&self, directory: &Path) {
        let Ok(entries) = fs::read_dir(directory) else { return };
        let seen = self.view.join(directory.strip_prefix("/").unwrap());
        let _ = fs::remove_dir_all(&seen);
        fs::create_dir_all(&seen).unwrap();
        for entry in entries.map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap();
            // Under the exchanged name too, for the kernel and for the tool.
            let other = exchanged(&name).into_owned();
            if other != name && directory != self.interpreters {
                let _ = symlink(&path, directory.join(&other));
            }
            for name in [&name, &other] {
                let place = seen.join(name);
                if place.symlink_metadata().is_ok() {
                    continue;
                }
                match self.in_place_of(&path) {
                    Some(State::Whole) => symlink(&self.file, &place).unwrap(),
                    Some(State::Dynamic) => symlink(&self.dynamic, &place).unwrap(),
                    Some(State::Truncated(length)) => {
                        let program = fs::read(&self.file).unwrap();
                        fs::write(&place, &program[..program.len().min(length) / 2]).unwrap();
                    }
                    None => symlink(&path, &place).unwrap(),
                }
            }
        }
    }

    /// What a program of this machine is to the tool.
    fn in_place_of(&self, path: &Path) -> Option<State> {
        let metadata = fs::metadata(path).ok().filter(|metadata| metadata.is_file())?;
        let file = fs::File::open(path).ok()?;
        let mut start = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(file, 4096), &mut start).ok()?;
        // ELF of 64 bits, little-endian, machine 62.
        if !start.starts_with(b"\x7fELF\x02\x01") || start.get(18..20) != Some(&[62, 0]) {
            return None;
        }
        let number = |at: usize, length: usize| -> Option<u64> {
            let bytes = start.get(at..at + length)?;
            Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        };
        let segments = || -> Option<Vec<(u64, u64)>> {
            let (offset, count) = (number(32, 8)?, number(56, 2)?);
            let segment = |index| {
                let at = offset as usize + 56 * index as usize;
                Some((number(at, 4)?, number(at + 8, 8)?.checked_add(number(at + 32, 8)?)?))
            };
            (0..count).map(segment).collect()
        };
        let whole =
            |segments: &Vec<(u64, u64)>| segments.iter().all(|(kind, end)| *kind != 1 || *end <= metadata.len());
        Some(match segments().filter(whole) {
            None => State::Truncated(start.len()),
            Some(segments) if segments.iter().any(|(kind, _)| *kind == 3) => State::Dynamic,
            Some(_) => State::Whole,
        })
    }
}

/// The states of a program.
enum State {
    Whole,
    Dynamic,
    /// With how many bytes, of the first 4096.
    Truncated(usize),
}

/// The same program with a `PT_INTERP` in place of its last segment, which is `PT_GNU_STACK`.
fn dynamic(program: &[u8]) -> Vec<u8> {
    let (wide, big) = (program[4] == 2, program[5] == 2);
    let at = if wide { 64 + 56 } else { 52 + 32 };
    let mut changed = program.to_vec();
    let kind: [u8; 4] = [0x51, 0xe5, 0x74, 0x64];
    let expected: Vec<u8> = if big { kind.iter().rev().copied().collect() } else { kind.into() };
    assert_eq!(changed[at..at + 4], expected, "the second segment is not PT_GNU_STACK");
    changed[at..at + 4].copy_from_slice(&if big { [0, 0, 0, 3] } else { [3, 0, 0, 0] });
    changed
}

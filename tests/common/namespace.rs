//! A user namespace, and with it a binfmt_misc, of a test's own (Linux 6.7): what is done there cannot change the
//! machine, and is gone with the test.

use super::host::{self, exchanged};
use super::targets::rows;
use super::{debian_of, fetch, fetch_of, skip};
pub use host::interpreters;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process, thread};

/// Where binfmt_misc is mounted.
pub const MOUNT: &str = "/proc/sys/fs/binfmt_misc";

/// A process that waits in a user and a mount namespace of its own.
pub struct Namespace {
    // It waits for its standard input to end: so it ends even if the test is killed.
    holder: Child,
}

/// An entry, as the kernel shows it.
#[derive(Debug, PartialEq)]
pub struct Entry {
    pub enabled: bool,
    pub interpreter: String,
    pub flags: String,
}

impl Namespace {
    /// One with binfmt_misc mounted, and empty. `None`, said aloud, where this machine cannot.
    pub fn new() -> Option<Self> {
        let shell = format!("mount -t binfmt_misc binfmt_misc {MOUNT}");
        Self::with(&shell)
    }

    /// One without. What may be mounted in the namespace it was copied from is hidden: root could write to it.
    pub fn bare() -> Option<Self> {
        let shell = format!("mount -t tmpfs tmpfs {MOUNT}");
        Self::with(&shell)
    }

    /// One with binfmt_misc mounted, and with all users of this machine. Only root can have it.
    pub fn with_users() -> Option<Self> {
        let map = |namespace: &Self| {
            let map = |file| fs::write(format!("/proc/{}/{file}", namespace.holder.id()), "0 0 65536");
            map("uid_map").and_then(|()| map("gid_map")).map_err(|error| format!("not a namespace with users: {error}"))
        };
        let start = || Self::start_as("-Um", "true").and_then(|namespace| map(&namespace).map(|()| namespace));
        let namespace = Self::or_skip(possible().clone().and_then(|()| start()))?;
        namespace.sh(&format!("mount -t binfmt_misc binfmt_misc {MOUNT}")).exits(0);
        Some(namespace)
    }

    fn with(setup: &str) -> Option<Self> {
        Self::or_skip(possible().clone().and_then(|()| Self::start(setup)))
    }

    fn or_skip(ready: Result<Self, String>) -> Option<Self> {
        if let Err(why) = &ready {
            skip(thread::current().name().unwrap_or_default(), why);
        }
        ready.ok()
    }

    fn start(setup: &str) -> Result<Self, String> {
        Self::start_as("-Urm", setup)
    }

    fn start_as(options: &str, setup: &str) -> Result<Self, String> {
        let mut holder = Command::new("unshare")
            .args([options, "sh", "-c"])
            .arg(format!("{setup} && echo ready && exec cat"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut said = String::new();
        let _ = BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said);
        let namespace = Self { holder };
        if said == "ready\n" { Ok(namespace) } else { Err(namespace.why()) }
    }

    /// What a holder that did not come up said.
    fn why(mut self) -> String {
        let mut said = String::new();
        let _ = self.holder.stderr.take().unwrap().read_to_string(&mut said);
        format!("no user namespace with a binfmt_misc of its own (Linux 6.7): {}", said.trim())
    }

    /// A command that runs there, with nothing of this environment but `PATH`.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        // One that hangs shall fail, with exit status 124.
        self.entering(&["timeout", "20"], program)
    }

    /// The same, of a command that may take long.
    pub fn long_command(&self, program: impl AsRef<OsStr>) -> Command {
        self.entering(&[], program)
    }

    fn entering(&self, before: &[&str], program: impl AsRef<OsStr>) -> Command {
        let holder = self.holder.id().to_string();
        let words = [before, &["nsenter", "-U", "-m", "--preserve-credentials", "-t", &holder, "--"]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(program);
        clean(&mut command);
        command
    }

    /// The tool, with variables `NAME=value`; Debian's interpreters, if they say nothing else.
    pub fn tool(&self, variables: &[&str], arguments: &[&str]) -> Said {
        self.under(&[], variables, arguments)
    }

    /// The same, started by another command, such as strace.
    pub fn under(&self, wrapper: &[&str], variables: &[&str], arguments: &[&str]) -> Said {
        Said::of(&mut self.tool_command(wrapper, variables, arguments))
    }

    /// The command of [`Namespace::under`].
    pub fn tool_command(&self, wrapper: &[&str], variables: &[&str], arguments: &[&str]) -> Command {
        let arguments: Vec<_> = arguments.iter().map(|argument| exchanged(argument)).collect();
        let arguments: Vec<&str> = arguments.iter().map(|argument| &**argument).collect();
        let words = [wrapper, &host::command(), &arguments].concat();
        let mut command = self.command(words[0]);
        command.args(&words[1..]).env("QEMU_BINARY_PATH", interpreters());
        for (name, value) in variables.iter().map(|variable| variable.split_once('=').unwrap()) {
            if let Some(host) = host::other().filter(|_| name == "QEMU_BINARY_PATH" && value.starts_with('/')) {
                host.show(Path::new(value));
            }
            command.env(name, &*exchanged(value));
        }
        command
    }

    /// A shell script; `$TOOL` is the tool.
    pub fn sh(&self, script: &str) -> Said {
        self.sh_with(script, &[])
    }

    /// The same, with more in its environment.
    pub fn sh_with(&self, script: &str, environment: &[(&str, OsString)]) -> Said {
        let mut command = self.command("sh");
        command.envs(environment.iter().cloned());
        let script = &*exchanged(script);
        Said::of(command.args(["-c", script]).env("TOOL", host::binary()).env("QEMU_BINARY_PATH", interpreters()))
    }

    /// Registers a line by hand.
    #[track_caller]
    pub fn register(&self, line: &str) {
        let mut command = self.command("sh");
        // The shell's own echo would take the backslashes for its own.
        command.args(["-c", &format!("printf %s \"$1\" >{MOUNT}/register"), "sh", &*exchanged(line)]);
        Said::of(&mut command).exits(0);
    }

    /// Whether a real program of that architecture of Debian's runs.
    pub fn runs(&self, arch: &str) -> bool {
        let said = Said::of(self.command(program(arch)).args(["echo", "it runs"]));
        said.status == 0 && said.out == "it runs\n"
    }

    /// The directory where binfmt_misc is mounted, as seen from here.
    fn entries_at(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{MOUNT}", self.holder.id()))
    }

    /// The names of all entries, sorted.
    pub fn entries(&self) -> Vec<String> {
        self.state().into_keys().collect()
    }

    /// All that is registered: the name and the text of each entry.
    pub fn state(&self) -> BTreeMap<String, String> {
        let names = fs::read_dir(self.entries_at()).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        let names = names.filter(|name| name != "register" && name != "status");
        // One that goes while it is read is not there.
        let read = |name: String| {
            let text = fs::read_to_string(self.entries_at().join(&name)).ok()?;
            Some((exchanged(&name).into_owned(), exchanged(&text).into_owned()))
        };
        names.filter_map(read).collect()
    }

    /// One entry.
    pub fn entry(&self, name: &str) -> Option<Entry> {
        let text = fs::read_to_string(self.entries_at().join(&*exchanged(name))).ok()?;
        let text = exchanged(&text);
        let line = |start| text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default().to_string();
        Some(Entry {
            enabled: text.starts_with("enabled\n"),
            interpreter: line("interpreter "),
            flags: line("flags: "),
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// What a command said, and its exit status: 128 and the number for one that a signal ended.
#[derive(Debug)]
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Runs a command.
    #[track_caller]
    pub fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output();
        Self::from(output.unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program())))
    }

    /// Checks the exit status.
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "exit status; {self:#?}");
        self
    }

    /// Checks that there is a line on standard error with all these words.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        let said = self.err.lines().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(said, "no line with {words:?}; {self:#?}");
        self
    }

    /// Checks that nothing but one such line is said, and on standard output nothing. How long the entries last, which
    /// a run may say that finds some of ours, is no part of it.
    #[track_caller]
    pub fn says_only(self, words: &[&str]) -> Self {
        let lines = self.err.lines().filter(|line| !line.starts_with("registered for this user namespace"));
        assert!(lines.count() == 1 && self.err.ends_with('\n'), "not one line; {self:#?}");
        assert_eq!(self.out, "", "on standard output; {self:#?}");
        self.says(words)
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let signal = || 128 + output.status.signal().unwrap_or(0);
        Self {
            status: output.status.code().unwrap_or_else(signal),
            out: exchanged(&String::from_utf8_lossy(&output.stdout)).into_owned(),
            err: exchanged(&String::from_utf8_lossy(&output.stderr)).into_owned(),
        }
    }
}

/// A directory of a test's own, gone with it.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    /// A copy of a file, under another name.
    ///
    /// Made by a process of its own: if this one held it open for writing, another thread's child could hold it a
    /// moment longer, in which it cannot be executed (`ETXTBSY`).
    #[track_caller]
    pub fn copy(&self, from: impl AsRef<Path>, name: &str) -> PathBuf {
        let to = self.0.join(name);
        Said::of(Command::new("cp").arg(from.as_ref()).arg(&to)).exits(0);
        let other = exchanged(name);
        if other != name {
            let _ = symlink(&to, self.0.join(&*other));
        }
        to
    }

    /// An executable file with that content; see [`Scratch::copy`].
    #[track_caller]
    pub fn executable(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let part = self.0.join(format!("{name}.part"));
        fs::write(&part, content).unwrap();
        fs::set_permissions(&part, fs::Permissions::from_mode(0o755)).unwrap();
        let to = self.copy(&part, name);
        fs::remove_file(part).unwrap();
        to
    }

    /// A static program of this machine's from C; without a compiler the test is skipped aloud.
    #[track_caller]
    pub fn compiled(&self, name: &str, source: &str) -> Option<PathBuf> {
        if !has("cc") {
            return None;
        }
        let (text, program) = (self.0.join(format!("{name}.c")), self.0.join(format!("{name}.part")));
        fs::write(&text, source).unwrap();
        Said::of(Command::new("cc").args(["-static", "-Wall", "-O1", "-o"]).args([&program, &text])).exits(0);
        let to = self.copy(&program, name);
        [text, program].iter().for_each(|file| fs::remove_file(file).unwrap());
        Some(to)
    }

    /// The path as text.
    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// `QEMU_BINARY_PATH` for interpreters that lie here.
    pub fn variable(&self) -> String {
        format!("QEMU_BINARY_PATH={}", self.path())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Gives a command an environment in which the same happens on every machine.
pub fn clean(command: &mut Command) {
    command.env_clear().env("PATH", path()).env("LC_ALL", "C");
}

/// `PATH` with the directories of root's commands, which an ordinary user of Debian has not in it.
pub fn path() -> String {
    format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", env::var("PATH").unwrap_or_default())
}

/// Sends a signal by the shell's own `kill`: the command is in a package that need not be there.
#[track_caller]
pub fn kill(signal: &str, process: u32) {
    let script = format!("kill -s {signal} {process}");
    Said::of(Command::new("sh").args(["-c", &script])).exits(0);
}

/// Debian's static busybox for an architecture, by Debian's name of it.
pub fn program(name: &str) -> PathBuf {
    let (suite, arch) = match &*exchanged(name) {
        "loong64" => ("sid", "loong64"),
        "ppc64le" => ("trixie", "ppc64el"),
        _ => ("trixie", name),
    };
    fetch_of(suite, arch, "busybox-static").unwrap();
    let program = debian_of(suite, arch, "usr/bin/busybox");
    match host::other() {
        Some(host) if exchanged(name) != name => host.neutral(program),
        _ => program,
    }
}

/// A static program for this machine that ends at once, and well: headers, and code at byte 120.
pub fn program_that_ends() -> [u8; 128] {
    let mut elf = [0; 128];
    for (at, bytes) in [
        (0, &b"\x7fELF\x02\x01\x01"[..]),       // this machine's: 64 bits, little-endian
        (16, b"\x02\0\x3e\0\x01"),              // ET_EXEC, EM_X86_64, version
        (24, b"\x78\0\x40"),                    // e_entry: after the headers
        (32, b"\x40"),                          // e_phoff
        (52, b"\x40\0\x38\0\x01"),              // e_ehsize, e_phentsize, e_phnum
        (64, b"\x01\0\0\0\x05"),                // PT_LOAD, readable and executable
        (82, b"\x40"),                          // p_vaddr: 0x400000
        (96, b"\x80"),                          // p_filesz
        (104, b"\x80"),                         // p_memsz
        (113, b"\x10"),                         // p_align
        (120, b"\x31\xff\x6a\x3c\x58\x0f\x05"), // xor %edi, %edi; push $60; pop %rax; syscall
    ] {
        elf[at..at + bytes.len()].copy_from_slice(bytes);
    }
    elf
}

/// The names of all architectures that Debian has an interpreter for, but the host's own.
pub fn architectures() -> Vec<String> {
    let names = rows().into_iter().map(|row| row.name).filter(|name| name != host::name());
    let there = |name: &String| interpreters().join(format!("qemu-{name}")).exists();
    names.filter(there).map(|name| exchanged(&name).into_owned()).collect()
}

/// Whether this machine's kernel runs programs for i386.
pub fn runs_i386() -> bool {
    fetch("i386", "busybox-static").unwrap();
    // Through `sh`: to execute it from here would be an error where it does not run.
    let mut command = Command::new("sh");
    command.args(["-c", "$0 true"]).arg(program("i386")).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether the tool takes i386 for something its host runs.
pub fn i386_is_native() -> bool {
    host::name() == "x86_64" && runs_i386()
}

/// Whether a command is there; where it is not, the test is skipped aloud.
pub fn has(command: &str) -> bool {
    let found = Command::new(command).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        skip(thread::current().name().unwrap_or_default(), &format!("no command {command}"));
    }
    found
}

/// Whether tests can have a [`Namespace`] here, and the files they need; found out once.
fn possible() -> &'static Result<(), String> {
    static POSSIBLE: OnceLock<Result<(), String>> = OnceLock::new();
    POSSIBLE.get_or_init(|| {
        if env::consts::ARCH != "x86_64" {
            return Err("the interpreters it brings are for x86_64".into());
        }
        for (arch, package) in [("amd64", "qemu-user"), ("amd64", "busybox-static"), ("arm64", "busybox-static")] {
            fetch(arch, package)?;
        }
        // Anywhere but at its usual place, which is not there before the module is loaded, as this does.
        let place = Scratch::new();
        Namespace::start(&format!("mount -t binfmt_misc binfmt_misc '{}'", place.path())).map(drop)
    })
}

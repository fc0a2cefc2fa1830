//! Why a file runs or does not: what `--explain` prints.

mod values;

use super::template::fill;
use crate::architecture::{Architecture, ElfHeader};
use crate::binfmt::Flags;
use crate::machine::{Defect, PathBuffer, ProbeError};
use core::fmt::{Display, Formatter, Result};
use heapless::Vec;

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The file is an ELF file.
    Elf,
    /// It is a script.
    Script,
    /// It has no bytes.
    Empty,
    /// It is something else.
    OtherFormat,
    /// It has no dynamic linker.
    Static,
    /// Its dynamic linker is there.
    LinkerFound,
    /// It is not there.
    LinkerMissing,
    /// It needs this level of x86-64.
    NeedsLevel,
    /// Its label keeps other containers from executing it.
    Labelled,
    /// binfmt_misc is mounted, and enabled as a whole or not.
    Mounted(bool),
    /// binfmt_misc is not mounted.
    NotMounted,
    /// An entry takes the file.
    Taken,
    /// The interpreter was opened when the entry was registered, and is not at its path here.
    OpenedBefore,
    /// The machine runs the architecture by itself.
    Native,
    /// A program of the architecture ran.
    Proven,
    /// At the end: the file runs.
    Runs,
    /// At the end: it does not, for this reason.
    RunsNot(Reason),
    /// At the end: it cannot be told, because of an error.
    Unknown,
}

/// Whose a binfmt_misc is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The machine's.
    Machine,
    /// This user namespace's own.
    ThisUserNamespace,
    /// That of a user namespace above this one, as far as this process can tell.
    Parent,
    /// It cannot be told.
    Unknown,
}

/// Why a file does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A file is missing: this one itself.
    NoFile,
    /// The interpreter of a script is missing.
    NoScriptInterpreter,
    /// The interpreter of an entry is missing.
    NoInterpreter,
    /// It is a directory.
    Directory,
    /// It is no regular file.
    NotRegular,
    /// Its mode forbids it.
    NotExecutable,
    /// The mount forbids it.
    NoExec,
    /// It is no program of the format that it seems to be.
    Defective(Defect),
    /// Nothing knows what it is.
    NoFormat,
    /// It is a program of an architecture that has no entry.
    NoHandler,
    /// The entry is disabled.
    Disabled,
    /// All entries are.
    AllDisabled,
    /// The entry is there, and out of force: the user namespace has its own.
    Hidden,
    /// The dynamic linker of the file is missing.
    NoLinker,
    /// It may not be executed.
    LinkerNotExecutable,
    /// It is missing here, but is in a directory above the file.
    LinkerElsewhere,
    /// The dynamic linker of the entry's interpreter is missing.
    NoInterpretersLinker,
    /// The CPU, real or emulated, is only of this level.
    Level,
    /// The interpreters lead to each other.
    TooDeep,
    /// The program that was executed did not run.
    ProbeFailed,
}

/// What the lines name.
#[derive(Debug)]
pub struct Names<'a> {
    /// The file that was asked about.
    pub file: &'a [u8],
    /// The root directory it is looked up in; blank: this process's own.
    pub root: &'a [u8],
    /// Where binfmt_misc is.
    pub mount: [&'a [u8]; 2],
    /// Whose that is.
    pub owner: Owner,
    /// The file that is looked at: that one, or an interpreter.
    pub path: PathBuffer,
    /// Its header.
    pub header: Option<ElfHeader>,
    /// An interpreter or a dynamic linker that it names.
    pub other: PathBuffer,
    /// Where else the dynamic linker is.
    pub elsewhere: &'a [u8],
    /// The architecture of the first ELF file, if it is one of the table.
    pub target: Option<&'static Architecture>,
    /// The entry that takes it.
    pub entry: Vec<u8, 256>,
    /// The flags of that.
    pub flags: Flags,
    /// A level of x86-64.
    pub level: u8,
    /// Why something cannot be told, or did not run.
    pub error: Option<ProbeError>,
}

/// A line, with what it names.
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'a>(pub Finding, pub &'a Names<'a>);

impl Finding {
    fn template(self) -> &'static str {
        match self {
            Self::Elf => "{path}: ELF, {header}: {architecture}",
            Self::Script => "{path}: a script for {other}",
            Self::Empty => "{path}: empty",
            Self::OtherFormat => "{path}: neither ELF nor a script",
            Self::Static => "{path}: statically linked",
            Self::LinkerFound => "{path}: its dynamic linker {other} is there",
            Self::LinkerMissing => "{path}: its dynamic linker {other} is not in {root/}",
            Self::NeedsLevel => "{path}: needs x86-64-v{level}",
            Self::Labelled => "{path}: where SELinux is on, it denies this to other containers, by its label",
            Self::Mounted(true) => "binfmt_misc: mounted at {mount}, enabled{owner}",
            Self::Mounted(false) => "binfmt_misc: mounted at {mount}, disabled as a whole{owner}",
            Self::NotMounted => "binfmt_misc: not mounted at {mount}: its entries are not seen",
            Self::Taken => "entry {entry} ({letters}) takes it: {other}",
            Self::OpenedBefore => "{path}: cannot be looked at here; the kernel has it open (flag F)",
            Self::Native => "this machine runs {architecture} by itself",
            Self::Proven => "a program of {target} was executed, and runs",
            Self::Runs => "{file}: runs here",
            Self::RunsNot(_) => "{file}: does not run here: ",
            Self::Unknown => "{file}: cannot tell whether it runs here: {path}: {error}",
        }
    }
}

impl Owner {
    fn template(self) -> &'static str {
        match self {
            Self::Machine => "",
            Self::ThisUserNamespace => ", this user namespace's own: its parent's entries do not count",
            Self::Parent => ", not known to be this user namespace's own",
            Self::Unknown => ", whose cannot be told: {error}",
        }
    }
}

impl Reason {
    /// The reason, and what to type.
    fn template(self) -> &'static str {
        match self {
            Self::NoFile => "{path}: no such file\ntry: ls -ld {root}{path}",
            Self::NoScriptInterpreter => {
                "{path}, which its first line names: no such file\ntry: head -n 1 {root}{file}"
            }
            Self::NoInterpreter => "{path}, the interpreter of entry {entry}: no such file\n{replace}",
            Self::Directory => "{path}: a directory\ntry: binfmt_register --explain {path}/*",
            Self::NotRegular => "{path}: no regular file\ntry: ls -l {root}{path}",
            Self::NotExecutable => "{path}: not executable\ntry: chmod +x {root}{path}",
            Self::NoExec => {
                "{path}: on a file system mounted with noexec\n\
                 try, as root: mount -o remount,exec \"$(findmnt -nro TARGET -T {root}{path})\""
            }
            Self::Defective(Defect::Truncated) => "{path}: truncated\ntry: copy it again; ls -l {root}{path}",
            Self::Defective(_) => "{path}: an ELF file that the kernel does not take\ntry: readelf -hl {root}{path}",
            Self::NoFormat => "nothing here knows what {path} is\ntry: file {root}{path}",
            Self::NoHandler => {
                "no entry takes {path}, and this machine does not run {architecture} by itself\n{install}"
            }
            Self::Disabled => "entry {entry} is disabled\ntry, as root: echo 1 >{mount}/{entry}",
            Self::AllDisabled => "binfmt_misc is disabled as a whole\ntry, as root: echo 1 >{mount}/status",
            Self::Hidden => {
                "entry {entry} is out of force: this user namespace has a binfmt_misc of its own\n{replace}"
            }
            Self::NoLinker => {
                "its dynamic linker is missing\n\
                 try: --root DIR, if it belongs to another root directory; else install its C library there"
            }
            Self::LinkerNotExecutable => "its dynamic linker {other} is not executable\ntry: chmod +x {other}",
            Self::LinkerElsewhere => {
                "its dynamic linker is missing, but there in {elsewhere}\ntry, as root: chroot {elsewhere} {rest}"
            }
            Self::NoInterpretersLinker => {
                "the dynamic linker of the interpreter is missing; take a static one\n{replace}"
            }
            Self::Level => {
                "it needs more than this CPU has, x86-64-v{level}\ntry: another build, for linux/amd64/v{level}"
            }
            Self::TooDeep => "its interpreters lead to more than five others\ntry: head -n 1 {root}{file}",
            Self::ProbeFailed => "no program of {target} runs: {error}\n{replace}",
        }
    }
}

impl Display for Explanation<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self(finding, names) = *self;
        let write_value = &|name: &[u8], f: &mut Formatter<'_>| names.write_value(name, f);
        fill(f, finding.template(), write_value)?;
        if let Finding::RunsNot(reason) = finding {
            fill(f, reason.template(), write_value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

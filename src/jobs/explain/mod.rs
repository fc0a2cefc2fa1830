//! Explains why a file runs here or does not: looks at it in the order in which the kernel does that is to execute it, says
//! what it finds, and proves it by a program of the same architecture. The file itself is not executed.

mod look;

use super::Context;
use crate::architecture::{Architecture, Relation};
use crate::binfmt::{Entries, Flags};
use crate::machine::{PathBuffer, ProbeError, Root, UserNamespace, join, level_of_cpu, run_probe};
use crate::report::{Explanation, Finding, Names, Owner, Reason, Report, Writer};
use crate::sys::{Strings, belongs_to_this_user_namespace};
use core::ffi::CStr;
use core::fmt::Write;
use heapless::Vec;
use rustix::io::{self, Errno};

/// How many interpreters may lead from one to the next (`exec_binprm` in `fs/exec.c`).
const MOST_INTERPRETERS: usize = 5;

/// As many bytes as the kernel takes of a path (`PATH_MAX`).
const LONGEST_PATH: usize = 4096;

/// Explains each file. With `root` they are looked up in that root directory, and are to run in it.
#[inline(never)] // its buffers are not to be on the stack of all other jobs
pub fn explain(files: Strings, root: Option<&'static CStr>, context: &Context, out: &mut Writer, report: &mut Report) {
    let opened = Root::at(root);
    let in_root = root.unwrap_or_default().to_bytes();
    let mut mount = [b"", context.mount_point.to_bytes()];
    let mut entries = Entries::mounted_at(context.mount_point);
    // A container may have the host's below another root directory.
    if matches!(entries, Ok(None)) && root.is_some() {
        let below_root = [in_root, context.mount_point.to_bytes()];
        entries = join(&mut PathBuffer::new(), &below_root).and_then(Entries::mounted_at);
        if matches!(entries, Ok(Some(_))) {
            mount = below_root;
        }
    }
    let entries = context.read(entries, report).flatten();
    let enabled = entries.as_ref().and_then(|entries| context.read(entries.are_enabled(), report));
    for file in files.iter() {
        let mut explainer = Explainer {
            context,
            out,
            report,
            entries: entries.as_ref().zip(enabled),
            root: opened.as_ref().unwrap_or(&Root::OWN),
            names: Names {
                file: file.to_bytes(),
                root: in_root,
                mount,
                owner: Owner::Machine,
                path: PathBuffer::new(),
                header: None,
                other: PathBuffer::new(),
                elsewhere: b"",
                target: None,
                entry: Vec::new(),
                flags: Flags::empty(),
                level: 0,
                error: None,
            },
            role: Role::File,
            any_elf: false,
            needed_level: 0,
            is_taken: false,
            is_proven: false,
        };
        let end = match &opened {
            Ok(_) => explainer.explain().err().unwrap_or(Finding::Runs),
            Err(errno) => explainer.untold(ProbeError::NotTried(*errno)),
        };
        explainer.say(end);
        report.failed |= end != Finding::Runs;
    }
}

/// What a file is looked at as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is the one that was asked about.
    File,
    /// The first line of a script names it.
    ScriptInterpreter,
    /// An entry names it.
    Interpreter,
    /// The same, and the kernel has it open.
    OpenInterpreter,
}

/// One file, and what is known of it so far.
struct Explainer<'a> {
    context: &'a Context,
    out: &'a mut Writer,
    report: &'a mut Report,
    /// The entries, and whether they are enabled as a whole; `None` if not all of them are seen.
    entries: Option<(&'a Entries, bool)>,
    root: &'a Root,
    names: Names<'a>,
    role: Role,
    /// Whether one of the files was an ELF file.
    any_elf: bool,
    /// The level of x86-64 that is needed.
    needed_level: u8,
    /// Whether an entry takes one of the files.
    is_taken: bool,
    /// Whether a program was executed.
    is_proven: bool,
}

impl Explainer<'_> {
    /// Prints a line.
    fn say(&mut self, finding: Finding) {
        _ = writeln!(self.out, "{}", Explanation(finding, &self.names));
    }

    /// Looks at the file, and at the interpreters to which it leads. An error is what is to be said at the end, if it is not
    /// that the file runs.
    fn explain(&mut self) -> Result<(), Finding> {
        self.names.path.extend_from_slice(self.names.file).map_err(|_| self.untold_errno(Errno::NAMETOOLONG))?;
        for _ in 0..=MOST_INTERPRETERS {
            if self.look()? {
                return self.prove();
            }
        }
        Err(Finding::RunsNot(Reason::TooDeep))
    }

    /// Executes a program of the architecture, where it is not the host's own; and programs that need the level.
    fn prove(&mut self) -> Result<(), Finding> {
        let Some(architecture) = self.names.target else { return Ok(()) };
        let is_to_be_proven = self.is_taken && !self.is_proven && architecture.relation != Relation::Host;
        if is_to_be_proven && !self.runs(architecture)? {
            let is_hidden = self.context.user_namespace == UserNamespace::Other;
            return Err(Finding::RunsNot(if is_hidden { Reason::Hidden } else { Reason::ProbeFailed }));
        }
        if let (2.., Some(x86_64)) = (self.needed_level, Architecture::find(b"x86_64")) {
            let level = level_of_cpu(self.root.directory(), x86_64).map_err(|error| self.untold(error))?;
            self.names.level = level;
            if level < self.needed_level {
                return Err(Finding::RunsNot(Reason::Level));
            }
        }
        Ok(())
    }

    /// Whether a program of the architecture runs. `false`: nothing here knows such programs.
    fn runs(&mut self, architecture: &Architecture) -> Result<bool, Finding> {
        let ran = run_probe(self.root.directory(), architecture);
        self.names.error = ran.err();
        match ran {
            Ok(()) => {
                self.is_proven = true;
                self.say(Finding::Proven);
                Ok(true)
            }
            Err(ProbeError::NotStarted(Errno::NOEXEC)) => Ok(false),
            // The interpreter is missing, may not be executed, or does not work.
            Err(ProbeError::Failed | ProbeError::NotStarted(Errno::NOENT | Errno::ACCESS)) => {
                Err(Finding::RunsNot(Reason::ProbeFailed))
            }
            Err(error) => Err(self.untold(error)),
        }
    }

    /// Says which entries there are to look at.
    fn say_where_entries_are(&mut self) {
        let Some((entries, enabled)) = self.entries else { return self.say(Finding::NotMounted) };
        self.names.owner = match self.context.user_namespace {
            UserNamespace::Other if belongs_to_this_user_namespace(entries.root()) => Owner::ThisUserNamespace,
            UserNamespace::Other => Owner::Parent,
            UserNamespace::First => Owner::Machine,
            UserNamespace::Unknown(errno) => {
                self.names.error = Some(ProbeError::NotTried(errno));
                Owner::Unknown
            }
        };
        self.say(Finding::Mounted(enabled));
    }

    fn untold(&mut self, error: ProbeError) -> Finding {
        self.names.error = Some(error);
        Finding::Unknown
    }

    fn untold_errno(&mut self, errno: Errno) -> Finding {
        self.untold(ProbeError::NotTried(errno))
    }

    /// What was read; an error is that it cannot be told.
    fn told<T>(&mut self, result: io::Result<T>) -> Result<T, Finding> {
        result.map_err(|errno| self.untold_errno(errno))
    }
}

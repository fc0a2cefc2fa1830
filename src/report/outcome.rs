//! What became of an architecture.

use super::errors::ErrnoName;
use super::template::fill;
use super::{Message, Severity, Text};
use crate::binfmt::Flags;
use crate::machine::{Directory, Interpreter, ProbeError};
use crate::plan::{Handler, Reason, Refusal};
use core::fmt::{Display, Formatter, Result, Write};
use rustix::io::Errno;

/// What became of an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It has a new entry, which comes before the `other` one.
    Registered {
        /// An entry that handles it too.
        other: Option<&'a Handler>,
    },
    /// It has a new entry in the place of the old one.
    Replaced,
    /// It was left as it is.
    Left(Reason<'a>),
    /// What was asked for cannot be done.
    Refused(Refusal),
    /// It has no new entry.
    NotRegistered(Failure),
    /// The old entry, or the stand-in of a new one, handles it.
    NotReplaced(Failure),
    /// Its new entry was removed, because no program ran through it.
    TakenBack(ProbeError),
    /// It was left as it is, and no program ran through this entry.
    NotRunning(&'a Handler, ProbeError),
    /// The stand-in of its entry could not be removed.
    StandInStays(Errno),
}

/// Why there is no new entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The rule is longer than the kernel takes.
    TooLong,
    /// The kernel may not execute the interpreter.
    NotExecutable(Errno),
    /// The kernel refuses the rule.
    Refused(Errno),
    /// The old entry cannot be removed.
    NotRemoved(Errno),
}

/// The line about an architecture.
#[derive(Debug)]
pub struct Line<'a> {
    /// Its interpreter.
    pub interpreter: &'a Interpreter,
    /// The flags of a new entry.
    pub flags: Flags,
    /// What became of it.
    pub outcome: Outcome<'a>,
}

impl Message for Line<'_> {
    fn severity(&self) -> Severity {
        match self.outcome {
            Outcome::Left(Reason::OtherFlags(_) | Reason::Disabled { named: true }) => Severity::Failure,
            Outcome::Left(_) => Severity::Unchanged,
            Outcome::Registered { .. } | Outcome::Replaced => Severity::Notable,
            Outcome::Refused(_)
            | Outcome::NotRegistered(_)
            | Outcome::NotReplaced(_)
            | Outcome::TakenBack(_)
            | Outcome::NotRunning(..)
            | Outcome::StandInStays(_) => Severity::Failure,
        }
    }
}

/// What the path of an interpreter starts with.
impl Display for Directory {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        [self.path.to_bytes(), self.separator, self.prefix.to_bytes()].iter().try_for_each(|part| Text(part).fmt(f))
    }
}

impl Display for Interpreter {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.path().iter().try_for_each(|part| Text(part).fmt(f))
    }
}

impl Display for Flags {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.letters().try_for_each(|letter| f.write_char(letter))
    }
}

impl Outcome<'_> {
    /// The words, in which names in braces stand for what [`Line`] puts there. `flags` are those of a new entry.
    fn template(&self, flags: Flags) -> &'static str {
        match self {
            Self::Registered { other: None } => "registered {interpreter} ({flags})",
            Self::Registered { other: Some(_) } => "registered {interpreter} ({flags}), before entry {entry}",
            Self::Replaced => "replaced by {interpreter} ({flags})",
            Self::TakenBack(ProbeError::NotTried(_)) => "taken back: {interpreter} cannot be verified: {error}",
            Self::TakenBack(_) => "taken back: no program runs through {interpreter}: {error}",
            Self::NotRunning(_, ProbeError::NotTried(_)) => "kept, but entry {entry} cannot be verified: {error}",
            Self::NotRunning(..) => {
                "kept, but no program runs through entry {entry}: {error}; REPLACE=true replaces it"
            }
            Self::StandInStays(_) => "entry {entry}.new cannot be removed: {error}; the next run tries again",
            Self::Left(Reason::HandledBy(handler)) if handler.flags.contains(Flags::FIX_BINARY) => {
                "kept, entry {entry} handles it"
            }
            Self::Left(Reason::HandledBy(_)) if flags.contains(Flags::FIX_BINARY) => {
                "kept, entry {entry} handles it where {path} exists (no flag F); REPLACE=true registers it everywhere"
            }
            Self::Left(Reason::HandledBy(_)) => "kept, entry {entry} handles it where {path} exists (no flag F)",
            Self::Left(Reason::OtherFlags(_)) => {
                "kept, but entry {entry} has flags ({have}), not ({flags}); REPLACE=true changes it"
            }
            Self::Left(Reason::Disabled { .. }) => "kept, entry {entry} is disabled (REPLACE=true, or write 1 to it)",
            Self::Left(Reason::Native) => "native, this machine runs it",
            Self::Left(Reason::Unknown(_)) => "left alone, cannot tell whether this machine runs it: {error}",
            Self::Refused(Refusal::Unknown(_)) => "cannot tell whether this machine runs it: {error}",
            Self::Refused(Refusal::NameTaken) => "entry {entry} is for other programs (REPLACE=true replaces it)",
            Self::Refused(Refusal::Replaceable) => {
                "others than root can replace {interpreter}, and by flag C become root; \
                 CREDENTIALS=false, or TRUST=true"
            }
            Self::Refused(Refusal::Unfit(_)) => "{interpreter}: {error}",
            Self::NotRegistered(failure) => failure.template(),
            Self::NotReplaced(failure) => failure.template(),
        }
    }

    /// The handler that it is about, if it is not an entry of this tool's name.
    fn handler(&self) -> Option<&Handler> {
        match self {
            Self::Registered { other } => *other,
            Self::NotRunning(handler, _) | Self::Left(Reason::HandledBy(handler) | Reason::OtherFlags(handler)) => {
                Some(handler)
            }
            _ => None,
        }
    }
}

impl Failure {
    fn template(self) -> &'static str {
        match self {
            Self::TooLong => "{interpreter}: too long for a rule",
            Self::NotExecutable(_) => {
                "{interpreter}: {error}: make it executable, on a file system mounted without noexec"
            }
            Self::Refused(Errno::NOSPC) => {
                "{interpreter}: {error}: raise the limit user.max_binfmt_misc_interpreters (sysctl)"
            }
            Self::Refused(_) => "{interpreter}: the kernel refuses it: {error}",
            Self::NotRemoved(_) => "entry {entry} cannot be removed: {error}",
        }
    }
}

impl Line<'_> {
    /// Writes the value that stands in a template under this name.
    fn write_value(&self, name: &[u8], f: &mut Formatter<'_>) -> Result {
        let own_name = Text(self.interpreter.architecture.name());
        if name == b"architecture" {
            own_name.fmt(f)
        } else if name == b"interpreter" {
            self.interpreter.fmt(f)
        } else if name == b"flags" {
            self.flags.fmt(f)
        } else if name == b"error" {
            self.write_error(f)
        } else if let Some(handler) = self.outcome.handler() {
            if name == b"have" {
                handler.flags.fmt(f)
            } else {
                Text(if name == b"path" { &handler.interpreter } else { &handler.name }).fmt(f)
            }
        } else {
            f.write_str("qemu-")?;
            own_name.fmt(f)
        }
    }

    fn write_error(&self, f: &mut Formatter<'_>) -> Result {
        use Failure::{NotExecutable, NotRemoved};
        match self.outcome {
            Outcome::StandInStays(errno)
            | Outcome::NotRegistered(NotExecutable(errno) | Failure::Refused(errno) | NotRemoved(errno))
            | Outcome::NotReplaced(NotExecutable(errno) | Failure::Refused(errno) | NotRemoved(errno)) => {
                ErrnoName(errno).fmt(f)
            }
            Outcome::Left(Reason::Unknown(error))
            | Outcome::Refused(Refusal::Unknown(error))
            | Outcome::TakenBack(error)
            | Outcome::NotRunning(_, error) => error.fmt(f),
            Outcome::Refused(Refusal::Unfit(unfit)) => unfit.fmt(f),
            _ => Ok(()),
        }
    }
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let write_value = &|name: &[u8], f: &mut Formatter<'_>| self.write_value(name, f);
        let begin = match self.outcome {
            Outcome::Refused(_) | Outcome::NotRegistered(_) => "{architecture}: not registered: ",
            Outcome::NotReplaced(_) => "{architecture}: not replaced: ",
            _ => "{architecture}: ",
        };
        fill(f, begin, write_value)?;
        fill(f, self.outcome.template(self.flags), write_value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::binfmt::Entry;
    use crate::machine::{Defect, InterpreterFile, Unfit};
    use std::string::ToString;

    #[test]
    fn every_line() {
        let interpreter = Interpreter {
            architecture: Architecture::find(b"arm64").unwrap(),
            directory: Directory { path: c"/opt", prefix: c"my-", separator: b"/" },
            file: InterpreterFile::Static,
            is_roots: true,
        };
        let handler = |name: &[u8], text: &[u8]| Handler::new(name, &Entry::parse(text));
        let rosetta = handler(b"rosetta\xff", b"enabled\ninterpreter /r\nflags: OCF\n");
        let plain = handler(b"qemu-aarch64", b"enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: \n");
        for (outcome, severity, text) in [
            (Outcome::Registered { other: None }, Severity::Notable, "registered /opt/my-qemu-aarch64-static (POCF)"),
            (
                Outcome::Registered { other: Some(&rosetta) },
                Severity::Notable,
                "registered /opt/my-qemu-aarch64-static (POCF), before entry rosetta\\xff",
            ),
            (Outcome::Replaced, Severity::Notable, "replaced by /opt/my-qemu-aarch64-static (POCF)"),
            (
                Outcome::Left(Reason::HandledBy(&plain)),
                Severity::Unchanged,
                "kept, entry qemu-aarch64 handles it where /usr/bin/qemu-aarch64 exists (no flag F); REPLACE=true registers \
                 it everywhere",
            ),
            (
                Outcome::NotRunning(&plain, ProbeError::NotStarted(Errno::NOENT)),
                Severity::Failure,
                "kept, but no program runs through entry qemu-aarch64: ENOENT; REPLACE=true replaces it",
            ),
            (
                Outcome::NotRunning(&plain, ProbeError::NotTried(Errno::MFILE)),
                Severity::Failure,
                "kept, but entry qemu-aarch64 cannot be verified: EMFILE",
            ),
            (
                Outcome::StandInStays(Errno::PERM),
                Severity::Failure,
                "entry qemu-aarch64.new cannot be removed: EPERM; the next run tries again",
            ),
            (
                Outcome::Left(Reason::OtherFlags(&plain)),
                Severity::Failure,
                "kept, but entry qemu-aarch64 has flags (), not (POCF); REPLACE=true changes it",
            ),
            (
                Outcome::Left(Reason::Disabled { named: true }),
                Severity::Failure,
                "kept, entry qemu-aarch64 is disabled (REPLACE=true, or write 1 to it)",
            ),
            (
                Outcome::Refused(Refusal::Replaceable),
                Severity::Failure,
                "not registered: others than root can replace /opt/my-qemu-aarch64-static, and by flag C become \
                 root; CREDENTIALS=false, or TRUST=true",
            ),
            (
                Outcome::NotRegistered(Failure::Refused(Errno::NOSPC)),
                Severity::Failure,
                "not registered: /opt/my-qemu-aarch64-static: ENOSPC: raise the limit user.max_binfmt_misc_interpreters \
                 (sysctl)",
            ),
            (
                Outcome::TakenBack(ProbeError::NotTried(Errno::FBIG)),
                Severity::Failure,
                "taken back: /opt/my-qemu-aarch64-static cannot be verified: EFBIG",
            ),
            (
                Outcome::TakenBack(ProbeError::Killed),
                Severity::Failure,
                "taken back: no program runs through /opt/my-qemu-aarch64-static: it was started, and did not end in time, or was killed",
            ),
            (
                Outcome::Left(Reason::Disabled { named: false }),
                Severity::Unchanged,
                "kept, entry qemu-aarch64 is disabled (REPLACE=true, or write 1 to it)",
            ),
            (Outcome::Left(Reason::HandledBy(&rosetta)), Severity::Unchanged, "kept, entry rosetta\\xff handles it"),
            (Outcome::Left(Reason::Native), Severity::Unchanged, "native, this machine runs it"),
            (
                Outcome::Left(Reason::Unknown(ProbeError::NotTried(Errno::NOSYS))),
                Severity::Unchanged,
                "left alone, cannot tell whether this machine runs it: ENOSYS",
            ),
            (
                Outcome::Refused(Refusal::Unknown(ProbeError::NotTried(Errno::NOSYS))),
                Severity::Failure,
                "not registered: cannot tell whether this machine runs it: ENOSYS",
            ),
            (
                Outcome::Refused(Refusal::NameTaken),
                Severity::Failure,
                "not registered: entry qemu-aarch64 is for other programs (REPLACE=true replaces it)",
            ),
            (
                Outcome::Refused(Refusal::Unfit(Unfit::Defective(Defect::Truncated))),
                Severity::Failure,
                "not registered: /opt/my-qemu-aarch64-static: truncated; copy it again",
            ),
            (
                Outcome::Refused(Refusal::Unfit(Unfit::Unreadable(Errno::DQUOT))),
                Severity::Failure,
                "not registered: /opt/my-qemu-aarch64-static: an unusual error",
            ),
            (
                Outcome::NotRegistered(Failure::TooLong),
                Severity::Failure,
                "not registered: /opt/my-qemu-aarch64-static: too long for a rule",
            ),
            (
                Outcome::NotReplaced(Failure::NotExecutable(Errno::ACCESS)),
                Severity::Failure,
                "not replaced: /opt/my-qemu-aarch64-static: EACCES: make it executable, on a file system mounted \
                 without noexec",
            ),
            (
                Outcome::NotReplaced(Failure::Refused(Errno::NOMEM)),
                Severity::Failure,
                "not replaced: /opt/my-qemu-aarch64-static: the kernel refuses it: ENOMEM",
            ),
            (
                Outcome::NotReplaced(Failure::NotRemoved(Errno::PERM)),
                Severity::Failure,
                "not replaced: entry qemu-aarch64 cannot be removed: EPERM",
            ),
            (
                Outcome::TakenBack(ProbeError::Failed),
                Severity::Failure,
                "taken back: no program runs through /opt/my-qemu-aarch64-static: it was started, and failed",
            ),
        ] {
            let flags = Flags::read(b"POCF");
            let line = Line { interpreter: &interpreter, flags, outcome };
            assert_eq!(line.to_string(), std::format!("aarch64: {text}"));
            assert_eq!(line.severity(), severity, "{line}");
        }
    }
}

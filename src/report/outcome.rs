//! What became of an architecture.

use super::errors::ErrnoName;
use super::{Message, Severity, Text};
use crate::binfmt::Flags;
use crate::machine::{Interpreter, ProbeError};
use crate::plan::{OtherName, Reason, Refusal};
use core::fmt::{Display, Formatter, Result, Write};
use rustix::io::Errno;

/// What became of an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It has a new entry, which comes before the `other` one.
    Registered {
        /// The name of an entry that handles it too.
        other: Option<&'a OtherName>,
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
            Outcome::Left(_) => Severity::Unchanged,
            Outcome::Registered { .. } | Outcome::Replaced => Severity::Notable,
            Outcome::Refused(_) | Outcome::NotRegistered(_) | Outcome::NotReplaced(_) | Outcome::TakenBack(_) => {
                Severity::Failure
            }
        }
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

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { interpreter, flags, outcome } = *self;
        let name = Text(interpreter.architecture.name.as_bytes());
        write!(f, "{name}: ")?;
        let failure = match outcome {
            Outcome::Registered { other: None } => return write!(f, "registered {interpreter} ({flags})"),
            Outcome::Registered { other: Some(other) } => {
                return write!(f, "registered {interpreter} ({flags}), before entry {}", Text(other.as_bytes()));
            }
            Outcome::Replaced => return write!(f, "replaced by {interpreter} ({flags})"),
            Outcome::TakenBack(error) => {
                return write!(f, "taken back: no program runs through {interpreter}: {error}");
            }
            Outcome::Left(Reason::Handled) => return write!(f, "kept, entry qemu-{name} handles it"),
            Outcome::Left(Reason::Disabled) => {
                return write!(f, "kept, entry qemu-{name} is disabled (REPLACE=true, or write 1 to it)");
            }
            Outcome::Left(Reason::HandledBy(other)) => {
                return write!(f, "kept, entry {} handles it", Text(other.as_bytes()));
            }
            Outcome::Left(Reason::Native) => return f.write_str("native, this machine runs it"),
            Outcome::Left(Reason::Unknown(errno)) => {
                let errno = ErrnoName(errno);
                return write!(f, "left alone, cannot tell whether this machine runs it: {errno}");
            }
            Outcome::Refused(Refusal::Unknown(errno)) => {
                let errno = ErrnoName(errno);
                return write!(f, "not registered: cannot tell whether this machine runs it: {errno}");
            }
            Outcome::Refused(Refusal::NameTaken) => {
                return write!(f, "not registered: entry qemu-{name} is for other programs (REPLACE=true replaces it)");
            }
            Outcome::Refused(Refusal::Unfit(unfit)) => {
                return write!(f, "not registered: {interpreter}: {unfit}");
            }
            Outcome::NotRegistered(failure) => {
                f.write_str("not registered: ")?;
                failure
            }
            Outcome::NotReplaced(failure) => {
                f.write_str("not replaced: ")?;
                failure
            }
        };
        match failure {
            Failure::TooLong => write!(f, "{interpreter}: too long for a rule"),
            Failure::NotExecutable(errno) => write!(
                f,
                "{interpreter}: {}: make it executable, on a file system mounted without noexec",
                ErrnoName(errno)
            ),
            Failure::Refused(errno) => write!(f, "{interpreter}: the kernel refuses it: {}", ErrnoName(errno)),
            Failure::NotRemoved(errno) => write!(f, "entry qemu-{name} cannot be removed: {}", ErrnoName(errno)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::machine::{Defect, Directory, InterpreterFile, Unfit};
    use std::string::ToString;

    #[test]
    fn every_line() {
        let interpreter = Interpreter {
            architecture: Architecture::find(b"arm64").unwrap(),
            directory: Directory { path: c"/opt", prefix: c"my-" },
            file: InterpreterFile::Static,
        };
        let rosetta = OtherName::new(b"rosetta\xff");
        for (outcome, severity, text) in [
            (Outcome::Registered { other: None }, Severity::Notable, "registered /opt/my-qemu-aarch64-static (POCF)"),
            (
                Outcome::Registered { other: Some(&rosetta) },
                Severity::Notable,
                "registered /opt/my-qemu-aarch64-static (POCF), before entry rosetta\u{fffd}",
            ),
            (Outcome::Replaced, Severity::Notable, "replaced by /opt/my-qemu-aarch64-static (POCF)"),
            (Outcome::Left(Reason::Handled), Severity::Unchanged, "kept, entry qemu-aarch64 handles it"),
            (
                Outcome::Left(Reason::Disabled),
                Severity::Unchanged,
                "kept, entry qemu-aarch64 is disabled (REPLACE=true, or write 1 to it)",
            ),
            (Outcome::Left(Reason::HandledBy(&rosetta)), Severity::Unchanged, "kept, entry rosetta\u{fffd} handles it"),
            (Outcome::Left(Reason::Native), Severity::Unchanged, "native, this machine runs it"),
            (
                Outcome::Left(Reason::Unknown(Errno::NOSYS)),
                Severity::Unchanged,
                "left alone, cannot tell whether this machine runs it: ENOSYS",
            ),
            (
                Outcome::Refused(Refusal::Unknown(Errno::NOSYS)),
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
            let line = Line { interpreter: &interpreter, flags: Flags::all(), outcome };
            assert_eq!(line.to_string(), std::format!("aarch64: {text}"));
            assert_eq!(line.severity(), severity, "{line}");
        }
    }
}

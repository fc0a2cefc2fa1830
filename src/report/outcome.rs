//! What became of an architecture.

use super::errors::ErrnoName;
use super::template::fill;
use super::{Message, Severity, Text};
use crate::binfmt::{Flags, Target};
use crate::machine::{Directory, ProbeError, Unfit};
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
    /// The kernel does not know one of the flags.
    NoSuchFlag,
    /// The kernel took the rule, and there is no such entry.
    NotInForce,
    /// The old entry cannot be removed.
    NotRemoved(Errno),
}

/// The line about an architecture, or about a rule of the user's.
#[derive(Debug)]
pub struct Line<'a> {
    /// Which it is.
    pub target: Target<'a>,
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

/// The path of its interpreter.
impl Display for Target<'_> {
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
    /// The words, in which names in braces stand for what [`Line`] puts there.
    fn template(&self, target: Target) -> &'static str {
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
            Self::Left(Reason::LeftToRule(_)) => "left to entry {entry}, which RULES asks for",
            Self::Left(Reason::HandledBy(_)) if target.flags().contains(Flags::FIX_BINARY) => {
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
            Self::Refused(Refusal::Replaceable) if matches!(target, Target::Rule(_)) => {
                "others than root can replace {interpreter}, and by flag C become root; leave C out, or TRUST=true"
            }
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
            Self::NotRunning(handler, _)
            | Self::Left(Reason::HandledBy(handler) | Reason::LeftToRule(handler) | Reason::OtherFlags(handler)) => {
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
            Self::NoSuchFlag => "this kernel does not know a flag of ({flags}): T, L and D come with Linux 7.3",
            Self::NotInForce => "the kernel took it, but entry {entry} is not as the rule says",
            Self::NotRemoved(_) => "entry {entry} cannot be removed: {error}",
        }
    }
}

impl Line<'_> {
    /// Writes the value that stands in a template under this name.
    fn write_value(&self, name: &[u8], f: &mut Formatter<'_>) -> Result {
        let own_name = match self.target {
            Target::Architecture(interpreter, _) => interpreter.architecture.name(),
            Target::Rule(rule) => rule.name,
        };
        if name == b"subject" {
            Text(own_name).fmt(f)
        } else if name == b"interpreter" {
            self.target.fmt(f)
        } else if name == b"flags" {
            match self.target {
                Target::Architecture(_, flags) => flags.fmt(f),
                Target::Rule(rule) => Text(rule.letters).fmt(f),
            }
        } else if name == b"error" {
            self.write_error(f)
        } else if let Some(handler) = self.outcome.handler() {
            if name == b"have" {
                handler.flags.fmt(f)
            } else {
                Text(if name == b"path" { &handler.interpreter } else { &handler.name }).fmt(f)
            }
        } else {
            if let Target::Architecture(..) = self.target {
                f.write_str("qemu-")?;
            }
            Text(own_name).fmt(f)
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
            Outcome::Refused(Refusal::Unfit(Unfit::Missing)) if matches!(self.target, Target::Rule(_)) => {
                f.write_str("no such file here")
            }
            Outcome::Refused(Refusal::Unfit(unfit)) => unfit.fmt(f),
            _ => Ok(()),
        }
    }
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let write_value = &|name: &[u8], f: &mut Formatter<'_>| self.write_value(name, f);
        match self.target {
            Target::Rule(rule) if self.severity() == Severity::Failure => {
                rule.place.fmt(f)?;
                f.write_str(": ")?;
            }
            _ => {}
        }
        let begin = match self.outcome {
            Outcome::Refused(_) | Outcome::NotRegistered(_) => "{subject}: not registered: ",
            Outcome::NotReplaced(_) => "{subject}: not replaced: ",
            _ => "{subject}: ",
        };
        fill(f, begin, write_value)?;
        fill(f, self.outcome.template(self.target), write_value)
    }
}

#[cfg(test)]
mod tests;

//! What an entry is made for.

use super::flags::Flags;
use super::name::{OwnName, ending, name_of};
use super::rule::{Rule, RuleBuffer, RuleTooLong};
use super::user_rule::UserRule;
use crate::architecture::Architecture;
use crate::machine::{Interpreter, PathBuffer, join};
use core::ffi::CStr;
use rustix::io;

/// What an entry is made for.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// The architecture of this interpreter, with these flags.
    Architecture(&'a Interpreter, Flags),
    /// A rule of the user's.
    Rule(&'a UserRule<'a>),
}

impl<'a> Target<'a> {
    /// The flags of the entry.
    pub fn flags(self) -> Flags {
        match self {
            Self::Architecture(_, flags) => flags,
            Self::Rule(rule) => rule.entry.flags,
        }
    }

    /// The architecture whose programs tell whether the entry serves.
    pub fn architecture(self) -> Option<&'static Architecture> {
        match self {
            Self::Architecture(interpreter, _) => Some(interpreter.architecture),
            Self::Rule(rule) => rule.architecture(),
        }
    }

    /// Whether it has flags that only later kernels know, Linux 7.3 as the first.
    pub fn has_later_flags(self) -> bool {
        matches!(self, Self::Rule(rule) if rule.letters.iter().any(|letter| matches!(letter, b'T' | b'L' | b'D')))
    }

    /// The name of the entry, in the buffer.
    pub fn entry_name(self, own: OwnName, buffer: &mut PathBuffer) -> &CStr {
        match self {
            Self::Architecture(interpreter, _) => name_of(interpreter.architecture, own, buffer),
            // There is room for each, and no NUL byte in it.
            Self::Rule(rule) => join(buffer, &[rule.name, ending(own)]).unwrap_or_default(),
        }
    }

    /// The rule of the entry, in the buffer.
    ///
    /// # Errors
    /// It would be too long.
    pub fn rule(self, own: OwnName, buffer: &mut RuleBuffer) -> Result<Rule<'_>, RuleTooLong> {
        match self {
            Self::Architecture(interpreter, flags) => {
                let mut name = PathBuffer::new();
                let name = name_of(interpreter.architecture, own, &mut name);
                Rule::new(name, interpreter.architecture, &interpreter.path(), flags, buffer)
            }
            Self::Rule(rule) => rule.rule(own, buffer),
        }
    }

    /// The path of the interpreter, as parts to be joined.
    pub fn path(self) -> [&'a [u8]; 6] {
        match self {
            Self::Architecture(interpreter, _) => interpreter.path(),
            Self::Rule(rule) => [rule.entry.interpreter, b"", b"", b"", b"", b""],
        }
    }

    /// The directory of the interpreter, in the buffer.
    ///
    /// # Errors
    /// It would be too long.
    pub fn directory(self, buffer: &mut PathBuffer) -> io::Result<&CStr> {
        match self {
            Self::Architecture(interpreter, _) => Ok(interpreter.directory.path),
            Self::Rule(rule) => join(buffer, &[rule.path().0]),
        }
    }
}

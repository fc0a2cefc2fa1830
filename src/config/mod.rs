//! What is asked for by variables. Each value is checked before anything in the kernel changes.

mod selection;

pub use selection::{Selection, words};

use crate::binfmt::Flags;
use crate::machine::{ARGV0_FLAG_IS_TOLD, Directory, FIX_BINARY, Version};
use core::ffi::CStr;

/// What is asked for. A blank variable leaves its field as [`Config::BLANK`] has it.
#[derive(Clone, Debug)]
pub struct Config {
    /// `MODE`; blank: registration mode where the kernel has it, else execution mode.
    pub mode: Option<Mode>,
    /// `REPLACE`: replace handlers that are there.
    pub replace: bool,
    /// `ARCHES`: for which architectures.
    pub selection: Selection,
    /// `CREDENTIALS`: set the flag `C`; blank: it is set.
    pub credentials: Option<bool>,
    /// `QEMU_PRESERVE_ARGV0`: set the flag `P`; blank: where QEMU is told of it.
    pub preserve_argv0: Option<bool>,
    /// `QEMU_BINARY_PATH` and `QEMU_BINARY_PREFIX`: where the interpreters are.
    pub interpreters: Directory,
    /// `RULES`: files and directories with rules of the user's.
    pub rules: Option<&'static CStr>,
    /// `VERIFY`: execute a program of each architecture that is registered.
    pub verify: bool,
    /// `TRUST`: others than root may replace interpreters that are looked for at each execution.
    pub trust: bool,
}

/// When the kernel looks for an interpreter, and so in which mount namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// When it is registered: the interpreter must be here, and serves everywhere (flag `F`).
    Registration,
    /// Whenever a program is executed, where that program runs: it need not be here.
    Execution,
}

/// A variable has a value that it cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    /// The name of the variable.
    pub variable: &'static str,
    /// The value, or the part of it that is wrong.
    pub value: &'static [u8],
    /// The values it can have, besides a blank one.
    pub allowed: &'static str,
}

/// A variable. To add one takes a field in [`Config`], a row in [`VARIABLES`], and a use.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The values it can have besides a blank one, as `--help` lists them.
    pub allowed: &'static str,
    /// Reads a value that is not blank.
    read: Read,
}

/// How a value is read.
#[derive(Debug)]
enum Read {
    /// It is one of the words that are allowed: of which number.
    Choice(fn(&mut Config, usize)),
    /// It may be anything else. An error is the part of the value that is wrong.
    Text(fn(&mut Config, &'static CStr) -> Result<(), &'static [u8]>),
}

/// The words of a variable that is true or false.
const TRUE_OR_FALSE: &str = "true false";

/// All variables.
pub static VARIABLES: [Variable; 10] = [
    Variable {
        name: "MODE",
        allowed: "registration execution",
        read: Read::Choice(|config, word| {
            config.mode = Some(if word == 0 { Mode::Registration } else { Mode::Execution });
        }),
    },
    Variable { name: "REPLACE", allowed: TRUE_OR_FALSE, read: Read::Choice(|config, word| config.replace = word == 0) },
    Variable {
        name: "CREDENTIALS",
        allowed: TRUE_OR_FALSE,
        read: Read::Choice(|config, word| config.credentials = Some(word == 0)),
    },
    Variable { name: "VERIFY", allowed: TRUE_OR_FALSE, read: Read::Choice(|config, word| config.verify = word == 0) },
    Variable { name: "TRUST", allowed: TRUE_OR_FALSE, read: Read::Choice(|config, word| config.trust = word == 0) },
    Variable {
        name: "QEMU_PRESERVE_ARGV0",
        allowed: "1 true 0 false",
        read: Read::Choice(|config, word| config.preserve_argv0 = Some(word < 2)),
    },
    Variable {
        name: "QEMU_BINARY_PATH",
        allowed: "an absolute path without a colon",
        read: Read::Text(|config, value| {
            config.interpreters.path = value;
            check(value, value.to_bytes().starts_with(b"/"))
        }),
    },
    Variable {
        name: "QEMU_BINARY_PREFIX",
        allowed: "a part of a file name, without a colon",
        read: Read::Text(|config, value| {
            config.interpreters.prefix = value;
            check(value, value.to_bytes().iter().all(|byte| *byte != b'/'))
        }),
    },
    Variable {
        name: "RULES",
        allowed: "files and directories of rules, separated by colons",
        read: Read::Text(|config, value| {
            config.rules = Some(value);
            Ok(())
        }),
    },
    Variable {
        name: "ARCHES",
        allowed: "all, and the names that --help lists",
        read: Read::Text(|config, value| words(value.to_bytes()).try_for_each(|word| config.selection.add(word))),
    },
];

impl Variable {
    fn read(&self, config: &mut Config, value: &'static CStr) -> Result<(), &'static [u8]> {
        match self.read {
            Read::Text(read) => read(config, value),
            Read::Choice(choose) => {
                let value = value.to_bytes();
                let word = words(self.allowed.as_bytes()).position(|word| word == value).ok_or(value)?;
                choose(config, word);
                Ok(())
            }
        }
    }
}

/// Checks what becomes a part of a rule: a colon separates its fields, and it is one line.
fn check(value: &'static CStr, fits: bool) -> Result<(), &'static [u8]> {
    let value = value.to_bytes();
    if fits && !value.iter().any(|&byte| byte == b':' || byte < b' ') { Ok(()) } else { Err(value) }
}

impl Config {
    /// All variables are blank.
    pub const BLANK: Self = Self {
        mode: None,
        replace: false,
        selection: Selection::Available,
        credentials: None,
        preserve_argv0: None,
        interpreters: Directory { path: c"/usr/bin", prefix: c"", separator: b"/" },
        rules: None,
        verify: false,
        trust: false,
    };

    /// Reads the variables; `value_of` has the value of each, and `None` for a blank one.
    ///
    /// # Errors
    /// The first of the variables that has a value it cannot have.
    pub fn read(value_of: impl Fn(&str) -> Option<&'static CStr>) -> Result<Self, InvalidValue> {
        let mut config = Self::BLANK;
        for variable in &VARIABLES {
            if let Some(value) = value_of(variable.name) {
                variable.read(&mut config, value).map_err(|value| InvalidValue {
                    variable: variable.name,
                    value,
                    allowed: variable.allowed,
                })?;
            }
        }
        Ok(config)
    }

    /// The mode to use, by the five rules of the reference document. `None` is the third of them: registration mode is
    /// asked for, and a kernel of this version does not have it.
    pub fn effective_mode(&self, version: Version) -> Option<Mode> {
        match (self.mode, version >= FIX_BINARY) {
            (Some(Mode::Execution), _) | (None, false) => Some(Mode::Execution),
            (Some(Mode::Registration), false) => None,
            (Some(Mode::Registration) | None, true) => Some(Mode::Registration),
        }
    }

    /// The flags of new entries in this mode.
    pub fn flags(&self, mode: Mode, version: Version) -> Flags {
        let mut flags = Flags::OPEN_BINARY;
        flags.set(Flags::FIX_BINARY, mode == Mode::Registration);
        flags.set(Flags::CREDENTIALS, self.credentials.unwrap_or(true));
        flags.set(Flags::PRESERVE_ARGV0, self.preserve_argv0.unwrap_or(version >= ARGV0_FLAG_IS_TOLD));
        flags
    }

    /// The flags that were asked for, be they to be set or not. In execution mode an interpreter that serves everywhere
    /// does no harm.
    pub fn required_flags(&self) -> Flags {
        let mut flags = Flags::empty();
        flags.set(Flags::FIX_BINARY, self.mode == Some(Mode::Registration));
        flags.set(Flags::CREDENTIALS, self.credentials.is_some());
        flags.set(Flags::PRESERVE_ARGV0, self.preserve_argv0.is_some());
        flags
    }
}

#[cfg(test)]
mod tests;

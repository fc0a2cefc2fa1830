//! What was asked for: the variables, each with its values checked before anything in the kernel changes.

use crate::kernel::{FIX_BINARY, Version};
use crate::target::Set;
use crate::text::{line, position, word, words};

/// The value of `MODE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Registration mode where the kernel has it, else execution mode.
    Blank,
    /// The interpreter is looked up once, by the process that registers it (flag `F`).
    Registration,
    /// The interpreter is looked up at each execution, where the program runs.
    Execution,
}

/// When, and so in whose mount namespace, the kernel looks for the interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// At registration: it must be there now, and is in force everywhere.
    Registration,
    /// At each execution: it need not be here.
    Execution,
}

impl Mode {
    /// The five rules of the reference document; `None` is the third, an error: registration mode was asked for and
    /// this kernel does not have it.
    pub fn lookup(self, version: Version) -> Option<Lookup> {
        match (self, version >= FIX_BINARY) {
            (Mode::Execution, _) => Some(Lookup::Execution),
            (Mode::Registration, false) => None,
            (Mode::Blank, false) => Some(Lookup::Execution),
            (Mode::Registration | Mode::Blank, true) => Some(Lookup::Registration),
        }
    }
}

/// Which architectures were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing said: every one whose interpreter is there.
    Blank,
    /// `all`: the same, and in execution mode, where the interpreter need not be here, really all.
    All,
    /// These; what cannot be had of them is a failure.
    Named(Set),
}

/// The value of every variable.
#[derive(Clone, Copy, Debug)]
pub struct Config<'a> {
    /// `MODE`
    pub mode: Mode,
    /// `REPLACE`
    pub replace: bool,
    /// `ARCHES`
    pub asked: Asked,
    /// `CREDENTIALS`: the flag `C`
    pub credentials: bool,
    /// `QEMU_PRESERVE_ARGV0`: the flag `P`; `None` leaves it to the kernel's version.
    pub preserve_argv0: Option<bool>,
    /// `QEMU_BINARY_PATH`: the directory of the interpreters.
    pub directory: &'a [u8],
    /// `QEMU_BINARY_PREFIX`: what the names of their files start with.
    pub prefix: &'a [u8],
    /// `VERIFY`
    pub verify: bool,
}

/// The variables, in the order of [`Values`].
pub const VARIABLES: &[u8] =
    b"MODE REPLACE CREDENTIALS VERIFY QEMU_PRESERVE_ARGV0 QEMU_BINARY_PATH QEMU_BINARY_PREFIX ARCHES";

/// The values allowed of each; those of the first five are all there are.
pub const ALLOWED: &[u8] = b"\
registration execution
true false
true false
true false
1 true 0 false
an absolute path without a colon
a part of a file name, without a colon
all, and the names that --help lists
";

/// The value of each variable; an unset one is blank.
pub type Values<'a> = [&'a [u8]; 8];

/// A variable with a value that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid<'a> {
    /// The variable's place among [`VARIABLES`].
    place: usize,
    /// The value, or the part of it that is wrong.
    pub value: &'a [u8],
}

impl Invalid<'_> {
    /// The variable.
    pub fn name(&self) -> &'static [u8] {
        word(VARIABLES, self.place)
    }

    /// The values it may have besides a blank one, as text.
    pub fn allowed(&self) -> &'static [u8] {
        line(ALLOWED, self.place)
    }
}

impl<'a> Config<'a> {
    /// Reads the variables.
    ///
    /// # Errors
    /// A variable with a value that is not allowed.
    #[inline(never)]
    pub fn read(values: &Values<'a>) -> Result<Self, Invalid<'a>> {
        // The place of the value among those allowed, from 1 on; 0: blank.
        let mut choices = [0u8; 5];
        for (place, choice) in choices.iter_mut().enumerate() {
            let value = values.get(place).copied().unwrap_or_default();
            if !value.is_empty() {
                *choice = 1 + position(line(ALLOWED, place), value).ok_or(Invalid { place, value })? as u8;
            }
        }
        let [mode, replace, credentials, verify, preserve] = choices;
        let &[.., directory, prefix, list] = values;
        // The colon separates the fields of a rule, and a rule is one line.
        let unclean = |value: &[u8], slash| value.iter().any(|&byte| byte == b':' || byte < b' ' || byte == slash);
        if unclean(directory, 0) || directory.first().is_some_and(|&byte| byte != b'/') {
            return Err(Invalid { place: 5, value: directory });
        }
        if unclean(prefix, b'/') {
            return Err(Invalid { place: 6, value: prefix });
        }
        let mut unknown: &[u8] = b"";
        let asked = Asked::parse(list, &mut |name| unknown = name);
        if !unknown.is_empty() {
            return Err(Invalid { place: 7, value: unknown });
        }
        Ok(Config {
            mode: match mode {
                0 => Mode::Blank,
                1 => Mode::Registration,
                _ => Mode::Execution,
            },
            replace: replace == 1,
            asked,
            credentials: credentials != 2,
            preserve_argv0: (preserve > 0).then_some(preserve <= 2),
            directory: if directory.is_empty() { b"/usr/bin" } else { directory },
            prefix,
            verify: verify == 1,
        })
    }
}

impl Asked {
    /// Whether the target at `place` is among them.
    pub fn allows(&self, place: usize) -> bool {
        !matches!(self, Asked::Named(set) if !set.has(place))
    }

    /// Reads a list of names, separated by commas or blanks; those that mean nothing go to `unknown`.
    pub fn parse<'a>(list: &'a [u8], unknown: &mut dyn FnMut(&'a [u8])) -> Self {
        let mut set = Set::default();
        let (mut any, mut all) = (false, false);
        for name in words(list) {
            any = true;
            if name == b"all" {
                all = true;
            } else if !set.add(name) {
                unknown(name);
            }
        }
        match (any, all) {
            (false, _) => Asked::Blank,
            (true, true) => Asked::All,
            (true, false) => Asked::Named(set),
        }
    }
}

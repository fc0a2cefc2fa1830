//! What was asked for: the variables, each with its values checked before anything in the kernel changes.

use crate::kernel::{FIX_BINARY, Version};
use crate::message::{VARIABLE_TEXTS, VARIABLES};
use crate::output::Output;
use crate::target::Set;
use crate::text::{BLANK, Strings, Text};

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
pub struct Asked {
    /// In which words.
    pub how: How,
    /// Which of the targets.
    set: Set,
}

/// How architectures were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nothing said: every one whose interpreter is there.
    Blank,
    /// `all`: the same, and in execution mode, where the interpreter need not be here, really all.
    All,
    /// By name; what cannot be had of them is a failure.
    Named,
}

/// The value of every variable.
#[derive(Clone, Copy, Debug)]
pub struct Config<'a> {
    /// `QEMU_BINARY_PATH`: the directory of the interpreters.
    pub directory: Text<'a>,
    /// `QEMU_BINARY_PREFIX`: what the names of their files start with.
    pub prefix: Text<'a>,
    /// `ARCHES`
    pub asked: Asked,
    /// Of the other variables, the place of the value among those allowed, from 1 on; 0: blank.
    choices: [u8; 5],
}

impl<'a> Config<'a> {
    /// All variables blank.
    pub const BLANK: Self =
        Self { directory: Text::new(c"/usr/bin"), prefix: BLANK, asked: Asked::BLANK, choices: [0; 5] };

    /// Reads the variables.
    ///
    /// # Errors
    /// The place of a variable among [`VARIABLES`] that has a value it cannot have; the value, or the part of it that is
    /// wrong, is in `word`. The values it may have besides a blank one are at the same place in [`VARIABLE_TEXTS`].
    pub fn read(&mut self, environment: Strings<'a>, word: &mut Output) -> Result<(), usize> {
        // The colon separates the fields of a rule, and a rule is one line.
        let clean = |mut value: Text, slash| !value.any(|byte| byte == b':' || byte < b' ' || byte == slash);
        for place in 0..8 {
            let mut value = environment.variable(VARIABLES.at(place));
            if value.is_blank() {
                continue;
            }
            let fits = match place {
                5 => {
                    self.directory = value;
                    value.first() == b'/' && clean(value, 0)
                }
                6 => {
                    self.prefix = value;
                    clean(value, b'/')
                }
                7 => self.asked.read(&mut value, word),
                _ => {
                    word.clear();
                    word.unpack(VARIABLE_TEXTS.at(place));
                    let choice = word.text().position(value);
                    if let Some(slot) = self.choices.get_mut(place) {
                        *slot = choice;
                    }
                    choice != 0
                }
            };
            if !fits {
                if place != 7 {
                    word.clear();
                    word.put(value);
                }
                return Err(place);
            }
        }
        Ok(())
    }

    /// `MODE`
    pub fn mode(&self) -> Mode {
        match self.choices[0] {
            0 => Mode::Blank,
            1 => Mode::Registration,
            _ => Mode::Execution,
        }
    }

    /// `REPLACE`
    pub fn replaces(&self) -> bool {
        self.choices[1] == 1
    }

    /// As from now on with a blank `REPLACE`.
    pub fn keep(&mut self) {
        self.choices[1] = 0;
    }

    /// `CREDENTIALS`: the flag `C`
    pub fn credentials(&self) -> bool {
        self.choices[2] != 2
    }

    /// `VERIFY`
    #[inline(never)]
    pub fn verifies(&self) -> bool {
        self.choices[3] == 1
    }

    /// `QEMU_PRESERVE_ARGV0`: the flag `P`; `None` leaves it to the kernel's version.
    pub fn preserve_argv0(&self) -> Option<bool> {
        let choice = self.choices[4];
        (choice > 0).then_some(choice <= 2)
    }
}

impl Asked {
    /// Nothing said.
    pub const BLANK: Self = Self { how: How::Blank, set: Set::ALL };

    /// Whether the target at `place` is among them.
    pub fn allows(&self, place: usize) -> bool {
        self.set.has(place)
    }

    /// Reads a list of names, separated by commas or blanks. Returns `false` at one that means nothing, which is in
    /// `word` then; the rest of the list can be read by another call.
    pub fn read(&mut self, list: &mut Text, word: &mut Output) -> bool {
        while word.word(list) {
            if word.text().is(Text::new(c"all")) {
                *self = Self { how: How::All, set: Set::ALL };
                continue;
            }
            if self.how == How::Blank {
                *self = Self { how: How::Named, set: Set::default() };
            }
            if !self.set.add(word.text()) {
                return false;
            }
        }
        true
    }
}

//! The lines that say what was done.

use crate::fd::Fd;
use crate::message::{Reason, SAY_TEXTS, Say};
use crate::output::{Output, Values};
use crate::text::Text;

/// What is said on standard error.
#[derive(Debug)]
pub struct Report<'a> {
    /// Where it goes.
    pub out: Output,
    /// Whether something asked for failed.
    pub failed: bool,
    /// Whether to say only what was done, and what failed, and not what was left as it is.
    pub quiet: bool,
    /// What is the same for every line.
    pub values: Values<'a>,
}

impl<'a> Report<'a> {
    /// Nothing said yet. `value` stands for all values; what is said goes to `out`.
    pub fn new(value: Text<'a>, out: Fd) -> Self {
        Self { values: [value; 10], out: Output::new(out), failed: false, quiet: false }
    }

    /// Says a line about `subject`, with the reason `why`.
    pub fn say(&mut self, line: Say, subject: Text, why: Reason) {
        let mut values: Values = self.values;
        [values[0], values[4]] = [subject, why.text()];
        self.line(line, &values);
    }

    /// Says a line; its places are filled with `values`.
    pub fn line(&mut self, line: Say, values: &Values) {
        if self.quiet && line as u8 >= Say::Kept as u8 && line as u8 <= Say::WhileMounted as u8 {
            return;
        }
        self.failed |= line as u8 >= Say::CannotTell as u8;
        self.out.fill(SAY_TEXTS.at(line as usize), values);
        self.out.end_line();
    }
}

//! Bytes in messages.

use crate::binfmt::hex;
use core::fmt::{Display, Formatter, Result, Write};

/// Bytes that are meant as text, and need not be: paths, names of entries, values of variables. What is not a printable
/// character of ASCII is shown as `\xHH`, as in a rule, so that a message is a line and does nothing to a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a [u8]);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.iter().try_for_each(|&byte| {
            if matches!(byte, b' '..=b'~') {
                return f.write_char(byte.into());
            }
            let [high, low] = hex(byte);
            [b'\\', b'x', high, low].iter().try_for_each(|&byte| f.write_char(byte.into()))
        })
    }
}

/// Writes a number in this base, of 2 to 16. There are few, for which the core library's way would be a large one.
pub(super) fn write_number(number: u32, base: u32, f: &mut Formatter<'_>) -> Result {
    if number >= base {
        write_number(number / base, base, f)?;
    }
    f.write_char(char::from_digit(number % base, base).unwrap_or_default())
}

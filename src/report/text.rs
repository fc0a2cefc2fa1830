//! Bytes in messages.

use crate::binfmt::hex;
use core::fmt::{Display, Formatter, Result, Write};

/// Bytes that are meant as text: paths, names of entries, values of variables. They may be any bytes, and a message is one
/// line on a terminal: what is not printable ASCII is shown as `\xHH`, as in a rule.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a [u8]);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.iter().try_for_each(|&byte| match byte {
            b' '..=b'~' => f.write_char(byte.into()),
            _ => {
                let [high, low] = hex(byte);
                [b'\\', b'x', high, low].iter().try_for_each(|&byte| f.write_char(byte.into()))
            }
        })
    }
}

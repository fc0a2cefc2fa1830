//! Bytes in messages.

use core::fmt::{Display, Formatter, Result, Write};

/// Bytes that are meant as text but need not be UTF-8: paths, names of entries, values of variables. What is not UTF-8 is
/// shown as U+FFFD.
///
/// It serves for `str`, too: that one's own `Display` brings 1 KB of padding and alignment into the binary.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a [u8]);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.utf8_chunks().try_for_each(|chunk| {
            f.write_str(chunk.valid())?;
            if chunk.invalid().is_empty() { Ok(()) } else { f.write_char(char::REPLACEMENT_CHARACTER) }
        })
    }
}

//! JSON.

use super::Writer;
use crate::binfmt::hex;

impl Writer {
    /// Writes a string of JSON that consists of these parts. They may be any bytes, and JSON must be UTF-8: one that is no
    /// character of ASCII stands for the character of its number.
    pub fn write_string(&mut self, parts: &[&[u8]]) {
        self.write(b"\"");
        for &byte in parts.iter().copied().flatten() {
            match byte {
                b'"' | b'\\' => self.write(&[b'\\', byte]),
                b' '..=b'~' => self.write(&[byte]),
                _ => {
                    self.write(b"\\u00");
                    self.write(&hex(byte));
                }
            }
        }
        self.write(b"\"");
    }

    /// Writes the string, or `null`.
    pub fn write_string_or_null(&mut self, parts: Option<&[&[u8]]>) {
        match parts {
            Some(parts) => self.write_string(parts),
            None => self.write(b"null"),
        }
    }

    /// Writes `true`, `false` or `null`.
    pub fn write_bool(&mut self, value: Option<bool>) {
        self.write(match value {
            Some(true) => b"true",
            Some(false) => b"false",
            None => b"null",
        });
    }
}

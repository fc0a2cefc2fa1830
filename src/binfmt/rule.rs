//! A rule: the line that registers an entry.

use super::flags::Flags;
use crate::architecture::Architecture;
use core::ffi::CStr;
use heapless::Vec;

/// The longest line in bytes that the kernel takes (`MAX_REGISTER_LENGTH` in `fs/binfmt_misc.c`).
pub(super) const LONGEST_RULE: usize = 1920;

/// Room for a rule.
pub type RuleBuffer = Vec<u8, LONGEST_RULE>;

/// A rule, in the format that the kernel's `register` takes and `binfmt.d(5)` describes. Every byte of magic and mask is
/// written as `\xHH`.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'a>(&'a [u8]);

/// The rule would be longer than the kernel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleTooLong;

impl<'a> Rule<'a> {
    /// The rule of an entry called `name`, which gives programs of `architecture` to the interpreter at the path that
    /// the parts of `interpreter` make. It is written to the buffer, which is blank.
    ///
    /// # Errors
    /// It would be too long.
    pub fn new(
        name: &CStr,
        architecture: &Architecture,
        interpreter: &[&[u8]],
        flags: Flags,
        buffer: &'a mut RuleBuffer,
    ) -> Result<Self, RuleTooLong> {
        let mut append = |bytes: &[u8]| buffer.extend_from_slice(bytes).map_err(|_| RuleTooLong);
        let pattern = architecture.pattern();
        append(b":")?;
        append(name.to_bytes())?;
        append(b":M:")?;
        for bytes in [&pattern.magic, &pattern.mask] {
            append(b":")?;
            for &byte in bytes {
                let [high, low] = hex(byte);
                append(&[b'\\', b'x', high, low])?;
            }
        }
        append(b":")?;
        interpreter.iter().try_for_each(|part| append(part))?;
        append(b":")?;
        flags.letters().try_for_each(|letter| append(&[letter as u8]))?;
        Ok(Self(buffer))
    }

    /// The rule that the parts make, one after the other. It is written to the buffer, which is blank.
    pub(super) fn of_parts(parts: &[&[u8]], buffer: &'a mut RuleBuffer) -> Result<Self, RuleTooLong> {
        parts.iter().try_for_each(|part| buffer.extend_from_slice(part)).map_err(|_| RuleTooLong)?;
        Ok(Self(buffer))
    }

    /// The line, without its end.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

/// The two hexadecimal digits of a byte.
pub fn hex(byte: u8) -> [u8; 2] {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + (value - 10) };
    [digit(byte >> 4), digit(byte & 15)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &[&[u8]]) -> Result<RuleBuffer, RuleTooLong> {
        let arm64 = Architecture::find(b"arm64").unwrap();
        let flags = Flags::OPEN_BINARY | Flags::FIX_BINARY;
        let mut buffer = RuleBuffer::new();
        Rule::new(c"qemu-aarch64", arm64, path, flags, &mut buffer)?;
        Ok(buffer)
    }

    #[test]
    fn a_rule_in_full() {
        let magic = r"\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00";
        let mask = r"\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff";
        let expected = std::format!(":qemu-aarch64:M::{magic}:{mask}:/usr/bin/qemu:OF");
        assert_eq!(rule(&[b"/usr/bin", b"/", b"qemu"]).unwrap(), expected.as_bytes());
    }

    #[test]
    fn the_longest() {
        let fixed = rule(&[]).unwrap().len();
        let path = [b'x'; 1920];
        assert_eq!(rule(&[&path[fixed..]]).unwrap().len(), 1920);
        assert_eq!(rule(&[&path[fixed - 1..]]), Err(RuleTooLong));
        assert_eq!(rule(&[&path, &path]), Err(RuleTooLong));
    }
}

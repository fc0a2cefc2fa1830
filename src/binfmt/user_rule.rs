//! A rule of the user's: a line in the format of `binfmt.d(5)`, checked as the kernel does it (`create_entry` in
//! `fs/binfmt_misc.c`), which says no more than `EINVAL` of all that can be wrong.

use super::entry::{Entry, Hexadecimal, decimal};
use super::flags::Flags;
use super::name::{OwnName, ending};
use super::pin;
use super::rule::{LONGEST_RULE, Rule, RuleBuffer, RuleTooLong, hex};
use crate::architecture::{Architecture, FILE_START_LENGTH};
use crate::machine::{LONG_FILE_START, LONG_INTERPRETER_PATH, Place, Version, split_file_name};
use heapless::Vec;

/// Room for the hexadecimal digits of a magic and a mask.
pub type PatternBuffer = Vec<u8, { FILE_START_LENGTH * 4 }>;

/// The longest name: the stand-in of an entry has one of four bytes more, and no file has one longer than 255 bytes.
const LONGEST_NAME: usize = 251;

/// The longest path of an interpreter, and how many bytes of a file are looked at, by kernels that have these at 128.
const OLD_LIMIT: usize = 128;

/// A rule that the kernel takes.
#[derive(Clone, Copy, Debug)]
pub struct UserRule<'a> {
    /// Where it is written.
    pub place: Place<'a>,
    /// The name of its entry.
    pub name: &'a [u8],
    /// The letters of its flags, as they are written.
    pub letters: &'a [u8],
    /// What the kernel shows of its entry.
    pub entry: Entry<'a>,
    /// What stands before the name of the file in the path of the interpreter that is registered: a slash, or the mark of
    /// a holder.
    pub separator: &'static [u8],
    line: &'a [u8],
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It is longer than the kernel takes.
    TooLong,
    /// It has a NUL byte in it.
    Nul,
    /// Its first byte cannot separate its fields: it may be a part of them.
    Delimiter,
    /// It has not the number of fields.
    Fields,
    /// No entry can be called so.
    Name,
    /// An entry of this name could not be replaced.
    LongName,
    /// The kernel, or this tool, has a file of that name.
    NameTaken,
    /// It is of no known type.
    Type,
    /// The offset is no number.
    Offset,
    /// There is no magic.
    NoMagic,
    /// There are no two digits after `\x`.
    Escape,
    /// The mask has another length than the magic.
    MaskLength,
    /// The magic is, as a whole or in part, beyond what the kernel looks at.
    Beyond,
    /// No file has this extension.
    Extension,
    /// The interpreter has no absolute path.
    Interpreter,
    /// The path is longer than this kernel takes.
    LongInterpreter,
    /// There is no such flag.
    Flag,
}

impl<'a> UserRule<'a> {
    /// Reads a line, without blanks before and after it. The digits of its magic and mask are written to the buffer, which is
    /// blank.
    ///
    /// # Errors
    /// What is wrong with it, on a kernel of this version.
    pub fn parse(
        line: &'a [u8],
        place: Place<'a>,
        version: Version,
        digits: &'a mut PatternBuffer,
    ) -> Result<Self, Malformed> {
        let (&delimiter, rest) = line.split_first().ok_or(Malformed::Fields)?;
        if line.len() > LONGEST_RULE {
            return Err(Malformed::TooLong);
        }
        if line.iter().any(|byte| matches!(byte, 0)) {
            return Err(Malformed::Nul);
        }
        if delimiter.is_ascii_alphanumeric() || matches!(delimiter, b'\\' | b'/') {
            return Err(Malformed::Delimiter);
        }
        let mut parts = rest.split(|&byte| byte == delimiter);
        let mut fields = [[].as_slice(); 7];
        for field in &mut fields {
            *field = parts.next().ok_or(Malformed::Fields)?;
        }
        let [name, kind, offset, magic, mask, path, letters] = fields;
        if parts.next().is_some() {
            return Err(Malformed::Fields);
        }
        check_name(name)?;
        let mut entry = Entry { enabled: true, interpreter: path, ..Entry::default() };
        match kind {
            b"M" => {
                if !offset.iter().all(u8::is_ascii_digit) {
                    return Err(Malformed::Offset);
                }
                entry.offset = decimal(offset);
                let length = decode(magic, digits)?;
                if length == 0 {
                    return Err(Malformed::NoMagic);
                }
                if decode(mask, digits)? != 0 && digits.len() != length * 2 {
                    return Err(Malformed::MaskLength);
                }
                let looked_at = if version < LONG_FILE_START { OLD_LIMIT } else { FILE_START_LENGTH };
                if entry.offset.saturating_add(length / 2) > looked_at {
                    return Err(Malformed::Beyond);
                }
                let (magic, mask) = digits.split_at_checked(length).unwrap_or_default();
                (entry.magic, entry.mask) = (Hexadecimal(magic), Hexadecimal(mask));
            }
            b"E" if magic.is_empty() || magic.iter().any(|byte| matches!(byte, b'/' | b'.')) => {
                return Err(Malformed::Extension);
            }
            b"E" => entry.extension = magic,
            _ => return Err(Malformed::Type),
        }
        if !path.starts_with(b"/") || path.ends_with(b"/") {
            return Err(Malformed::Interpreter);
        }
        if path.len() >= OLD_LIMIT && version < LONG_INTERPRETER_PATH {
            return Err(Malformed::LongInterpreter);
        }
        if !letters.iter().all(|letter| matches!(letter, b'P' | b'O' | b'C' | b'F' | b'T' | b'L' | b'D')) {
            return Err(Malformed::Flag);
        }
        entry.flags = Flags::read(letters);
        if entry.flags.contains(Flags::CREDENTIALS) {
            entry.flags |= Flags::OPEN_BINARY; // as the kernel has it
        }
        Ok(Self { place, name, letters, entry, separator: b"/", line })
    }

    /// The line, with the name that the entry has now, and the separator.
    ///
    /// # Errors
    /// It would be too long.
    pub fn rule(self, own: OwnName, buffer: &mut RuleBuffer) -> Result<Rule<'_>, RuleTooLong> {
        let (name, rest) = self.line.split_at_checked(1 + self.name.len()).unwrap_or_default();
        // The name of the file, the delimiter and the flags are at the end.
        let end = self.path().1.len() + 1 + self.letters.len();
        let (before, end) = rest.split_at_checked(rest.len().saturating_sub(end)).unwrap_or_default();
        let before = before.strip_suffix(b"/").unwrap_or(before);
        Rule::of_parts(&[name, ending(own), before, self.separator, end], buffer)
    }

    /// The directory of the interpreter, with the slash at its end, and the name of its file.
    pub fn path(self) -> (&'a [u8], &'a [u8]) {
        split_file_name(self.entry.interpreter)
    }

    /// The first architecture whose programs its interpreter gets.
    pub fn architecture(self) -> Option<&'static Architecture> {
        self.entry.architecture()
    }
}

fn check_name(name: &[u8]) -> Result<(), Malformed> {
    if matches!(name, b"" | b"." | b"..") || name.iter().any(|byte| matches!(byte, b'/')) {
        return Err(Malformed::Name);
    }
    if name.len() > LONGEST_NAME {
        return Err(Malformed::LongName);
    }
    let taken = name == b"register" || name == b"status" || name == pin::NAME.to_bytes();
    if taken { Err(Malformed::NameTaken) } else { Ok(()) }
}

/// Writes the digits of the bytes that a field stands for, of which some may be written as `\xHH`. Returns their number.
fn decode(field: &[u8], digits: &mut PatternBuffer) -> Result<usize, Malformed> {
    let before = digits.len();
    let mut rest = field;
    while let Some((&byte, following)) = rest.split_first() {
        let pair = match rest {
            [b'\\', b'x', pair @ ..] => {
                let pair = pair.first_chunk().filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
                let pair = *pair.ok_or(Malformed::Escape)?;
                rest = rest.get(4..).unwrap_or_default();
                pair
            }
            _ => {
                rest = following;
                hex(byte)
            }
        };
        digits.extend_from_slice(&pair).map_err(|_| Malformed::Beyond)?;
    }
    Ok(digits.len() - before)
}

#[cfg(test)]
mod tests;

//! An entry as the kernel shows it: the text of its file (`entry_status` in `fs/binfmt_misc.c`).

use crate::architecture::{Architecture, ET_DYN, ET_EXEC, FILE_START_LENGTH, MACHINE_OFFSET, TYPE_OFFSET};
use core::iter;
use heapless::Vec;

/// As many bytes as the kernel looks at of a file.
type Bytes = Vec<u8, FILE_START_LENGTH>;

/// What an entry says of itself.
#[derive(Clone, Debug)]
pub struct Entry {
    /// A disabled entry is kept, but never matches.
    pub enabled: bool,
    /// Where the magic starts in a file.
    offset: usize,
    /// Blank for an entry that matches by file extension.
    magic: Bytes,
    /// Blank if all bits of the magic count.
    mask: Bytes,
}

/// Whether the entry of which the kernel shows `text` is enabled. The file `status` has the same first line for
/// binfmt_misc as a whole.
pub fn is_enabled(text: &[u8]) -> bool {
    text.starts_with(b"enabled")
}

impl Entry {
    /// Reads the text. Lines that it does not know are passed over, as later kernels may say more.
    pub fn parse(text: &[u8]) -> Self {
        let mut entry = Self { enabled: is_enabled(text), offset: 0, magic: Bytes::new(), mask: Bytes::new() };
        // The path of the interpreter may have lines of its own. What counts comes behind it, and so replaces these.
        for line in text.split(|&byte| byte == b'\n') {
            if let Some(digits) = line.strip_prefix(b"offset ") {
                entry.offset = decimal(digits);
            } else if let Some(digits) = line.strip_prefix(b"magic ") {
                entry.magic = hexadecimal(digits);
                entry.mask.clear();
            } else if let Some(digits) = line.strip_prefix(b"mask ") {
                entry.mask = hexadecimal(digits);
            } else if line.starts_with(b"extension ") {
                entry.magic.clear();
            }
        }
        entry
    }

    /// Whether programs of `architecture` match the entry, be they position-independent or not. Whether it is enabled
    /// does not count.
    pub fn matches_programs_of(&self, architecture: &Architecture) -> bool {
        // Few entries pass this check, which spares making a program for each of the others.
        self.accepts_half(MACHINE_OFFSET, architecture.half(architecture.machine)) && {
            let mut program = architecture.probe();
            [ET_EXEC, ET_DYN].into_iter().any(|e_type| {
                for (place, byte) in program.iter_mut().skip(TYPE_OFFSET).zip(architecture.half(e_type)) {
                    *place = byte;
                }
                self.matches(&program)
            })
        }
    }

    /// Whether a file that starts so, with zeros behind it, matches the entry (`search_binfmt_handler` in
    /// `fs/binfmt_misc.c`).
    pub fn matches(&self, start: &[u8]) -> bool {
        let bytes = start.iter().copied().chain(iter::repeat(0)).take(FILE_START_LENGTH);
        let is_within = self.offset.saturating_add(self.magic.len()) <= FILE_START_LENGTH;
        !self.magic.is_empty() && is_within && bytes.enumerate().all(|(at, byte)| self.accepts(at, byte))
    }

    /// Whether the entry accepts these bytes at this offset of a file.
    fn accepts_half(&self, at: usize, [low, high]: [u8; 2]) -> bool {
        self.accepts(at, low) && self.accepts(at + 1, high)
    }

    /// Whether the entry accepts this byte at this offset of a file.
    fn accepts(&self, at: usize, byte: u8) -> bool {
        let Some(place) = at.checked_sub(self.offset) else { return true };
        let Some(magic) = self.magic.get(place) else { return true };
        (byte ^ magic) & self.mask.get(place).unwrap_or(&0xff) == 0
    }
}

/// The number that decimal digits stand for.
fn decimal(digits: &[u8]) -> usize {
    digits
        .iter()
        .take_while(|digit| digit.is_ascii_digit())
        .fold(0_usize, |number, digit| number.saturating_mul(10).saturating_add((digit - b'0').into()))
}

/// The bytes that pairs of hexadecimal digits stand for.
fn hexadecimal(digits: &[u8]) -> Bytes {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a' - 10),
    };
    let pairs = digits.chunks_exact(2).filter_map(|pair| pair.first_chunk());
    pairs.map(|&[high, low]| value(high) << 4 | value(low)).take(FILE_START_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QEMU_ARM: &[u8] = b"enabled\ninterpreter /usr/bin/qemu-arm\nflags: POCF\noffset 0\n\
        magic 7f454c4601010100000000000000000002002800\nmask ffffffffffffff00fffffffffffffffffeffffff\n";

    #[test]
    fn reads_what_the_kernel_writes() {
        let entry = Entry::parse(QEMU_ARM);
        assert!(entry.enabled);
        let mut program = *b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x28\0";
        assert!(entry.matches(&program));
        program[7] = 3; // EI_OSABI, masked
        assert!(entry.matches(&program));
        program[18] = 3; // e_machine
        assert!(!entry.matches(&program));
        assert!(!entry.matches(b"\x7fELF"));
    }

    #[test]
    fn tells_which_architecture_it_handles() {
        let entry = Entry::parse(QEMU_ARM);
        for architecture in &crate::architecture::ARCHITECTURES {
            assert_eq!(entry.matches_programs_of(architecture), architecture.name == "arm", "{}", architecture.name);
        }
    }

    #[test]
    fn an_offset_and_a_missing_mask_count() {
        let entry = Entry::parse(b"disabled\ninterpreter /x\nflags: \noffset 12\nmagic 4a4B\n");
        assert!(!entry.enabled);
        assert!(entry.matches(b"............JK"));
        assert!(!entry.matches(b"............Jk"));
        assert!(!entry.matches(b"JK"));
    }

    #[test]
    fn the_last_bytes_the_kernel_looks_at_count() {
        let entry = Entry::parse(b"enabled\ninterpreter /x\nflags: \noffset 254\nmagic 4a4b\nmask ff0f\n");
        assert!(!entry.matches(b"JK"));
        let mut program = [0; 256];
        program[254..].copy_from_slice(b"J[");
        assert!(entry.matches(&program));
        program[255] = b'J';
        assert!(!entry.matches(&program));
    }

    #[test]
    fn lines_in_the_path_of_the_interpreter_do_not_count() {
        let entry = Entry::parse(b"enabled\ninterpreter /x\nmagic 4a4b\nflags: \nextension .exe\n");
        assert!(!entry.matches(b"JK"));
        let entry = Entry::parse(b"enabled\ninterpreter /x\noffset 9\nmagic 00\nflags: \noffset 0\nmagic 4a4b\n");
        assert!(entry.matches(b"JK"));
        let entry = Entry::parse(b"enabled\ninterpreter /x\nmask 0000\nflags: \noffset 0\nmagic 4a4b\n");
        assert!(!entry.matches(b"JL") && entry.matches(b"JK"));
    }

    #[test]
    fn an_extension_and_garbage_match_no_program() {
        let texts: [&[u8]; 5] =
            [b"enabled\ninterpreter /x\nflags: \nextension .exe\n", b"", b"enabled", b"magic ", b"\xff\xfe"];
        for text in texts {
            assert!(!Entry::parse(text).matches(b"MZ"), "{text:?}");
            assert!(!Entry::parse(text).matches(&[0; 256]), "{text:?}");
        }
        for offset in ["255", "256", "99999999999999999999999"] {
            let text = std::format!("offset {offset}\nmagic 0000\n");
            assert!(!Entry::parse(text.as_bytes()).matches(&[0; 256]), "{offset}");
        }
        Entry::parse(&[b"magic ".as_slice(), &[b'f'; 4000]].concat());
        Entry::parse(b"magic zz\xff\x00");
    }
}

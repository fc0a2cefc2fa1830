//! An entry as the kernel shows it: the text of its file (`entry_status` in `fs/binfmt_misc.c`).

use super::flags::Flags;
use crate::architecture::{
    ARCHITECTURES, Architecture, ET_DYN, ET_EXEC, FILE_START_LENGTH, MACHINE_OFFSET, TYPE_OFFSET,
};
use core::iter;

/// What an entry says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry<'a> {
    /// A disabled entry is kept, but never matches.
    pub enabled: bool,
    /// The path of its interpreter.
    pub interpreter: &'a [u8],
    /// Its flags.
    pub flags: Flags,
    /// Where the magic starts in a file.
    pub(super) offset: usize,
    /// Blank for an entry that matches by anything else, such as a file extension.
    pub(super) magic: Hexadecimal<'a>,
    /// Blank if all bits of the magic count.
    pub(super) mask: Hexadecimal<'a>,
    /// What follows the last period in the names of files that it matches; blank for one with a magic.
    pub(super) extension: &'a [u8],
}

/// What the line after the path of the interpreter starts with.
const FLAGS: &[u8] = b"\nflags: ";

/// The same of a file extension.
const EXTENSION: &[u8] = b"\nextension .";

/// Whether the entry of which the kernel shows `text` is enabled. The file `status` has the same first line for
/// binfmt_misc as a whole.
pub fn is_enabled(text: &[u8]) -> bool {
    text.starts_with(b"enabled")
}

impl<'a> Entry<'a> {
    /// Reads the text. Lines that it does not know are passed over, as later kernels may say more. An entry without an
    /// interpreter of its own (type `B` of Linux 7.3, whose text names a BPF program instead) matches no program.
    pub fn parse(text: &'a [u8]) -> Self {
        let mut entry = Self { enabled: is_enabled(text), ..Self::default() };
        // The path of the interpreter may be any bytes, also such as look like the lines after it.
        let Some(end) = text.windows(FLAGS.len()).rposition(|window| window == FLAGS) else { return entry };
        let (head, rest) = text.split_at(end);
        let head = head.strip_prefix(b"enabled").or(head.strip_prefix(b"disabled")).unwrap_or_default();
        let Some(interpreter) = head.strip_prefix(b"\ninterpreter ") else { return entry };
        entry.interpreter = interpreter;
        for line in rest.split(|&byte| byte == b'\n') {
            if let Some(letters) = line.strip_prefix(b"flags: ") {
                entry.flags = Flags::read(letters);
            } else if let Some(digits) = line.strip_prefix(b"offset ") {
                entry.offset = decimal(digits);
            } else if let Some(digits) = line.strip_prefix(b"magic ") {
                entry.magic = Hexadecimal(digits);
            } else if let Some(digits) = line.strip_prefix(b"mask ") {
                entry.mask = Hexadecimal(digits);
            } else if line.starts_with(b"extension ") {
                // It may be any bytes, too.
                let end = rest.windows(EXTENSION.len()).position(|window| window == EXTENSION);
                let extension = end.and_then(|end| rest.get(end + EXTENSION.len()..)).unwrap_or_default();
                entry.extension = extension.strip_suffix(b"\n").unwrap_or(extension);
                break;
            }
        }
        entry
    }

    /// Whether the entry hands programs of `architecture` to its interpreter, be they position-independent or not.
    /// Whether it is enabled does not count.
    pub fn handles(&self, architecture: &Architecture) -> bool {
        // Few entries pass the first check, which spares making a program for each of the others.
        self.accepts_half(MACHINE_OFFSET, architecture.half(architecture.machine))
            && !self.flags.intersects(Flags::UNKNOWN)
            && {
                let mut program = architecture.probe();
                [ET_EXEC, ET_DYN].into_iter().any(|e_type| {
                    for (place, byte) in program.iter_mut().skip(TYPE_OFFSET).zip(architecture.half(e_type)) {
                        *place = byte;
                    }
                    self.matches(&program)
                })
            }
    }

    /// The first architecture of the table whose programs it hands to its interpreter.
    pub fn architecture(&self) -> Option<&'static Architecture> {
        ARCHITECTURES.iter().find(|architecture| self.handles(architecture))
    }

    /// Whether it was registered with exactly this magic, at the start of files, and this mask; a blank one: without.
    pub fn has_pattern(&self, magic: &[u8], mask: &[u8]) -> bool {
        self.offset == 0 && self.magic.is(magic) && self.mask.is(mask)
    }

    /// Whether the other entry matches exactly the same files. Whether they are enabled does not count.
    pub fn matches_the_same_as(&self, other: &Self) -> bool {
        let same_byte = |at| {
            let mask = self.mask.get(at).unwrap_or(0xff);
            mask == other.mask.get(at).unwrap_or(0xff)
                && (self.magic.get(at).unwrap_or(0) ^ other.magic.get(at).unwrap_or(0)) & mask == 0
        };
        let length = self.magic.0.len();
        (self.offset, length, self.extension) == (other.offset, other.magic.0.len(), other.extension)
            && (0..length / 2).all(same_byte)
    }

    /// Whether a file that starts so, with zeros after it, matches the entry (`search_binfmt_handler` in
    /// `fs/binfmt_misc.c`).
    pub fn matches(&self, start: &[u8]) -> bool {
        let bytes = start.iter().copied().chain(iter::repeat(0)).take(FILE_START_LENGTH);
        let length = self.magic.0.len() / 2;
        let is_within = self.offset.saturating_add(length) <= FILE_START_LENGTH;
        length != 0 && is_within && bytes.enumerate().all(|(at, byte)| self.accepts(at, byte))
    }

    /// Whether a file of this path, that starts so, matches the entry: by its magic, or by the extension of the path.
    pub fn takes(&self, path: &[u8], start: &[u8]) -> bool {
        let last = path.rsplit(|&byte| byte == b'.').next().filter(|last| last.len() < path.len());
        self.matches(start) || !self.extension.is_empty() && last == Some(self.extension)
    }

    /// Whether the entry accepts these bytes at this offset of a file.
    fn accepts_half(&self, at: usize, [low, high]: [u8; 2]) -> bool {
        self.accepts(at, low) && self.accepts(at + 1, high)
    }

    /// Whether the entry accepts this byte at this offset of a file.
    fn accepts(&self, at: usize, byte: u8) -> bool {
        let Some(place) = at.checked_sub(self.offset) else { return true };
        let Some(magic) = self.magic.get(place) else { return true };
        (byte ^ magic) & self.mask.get(place).unwrap_or(0xff) == 0
    }
}

/// The bytes that pairs of hexadecimal digits stand for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hexadecimal<'a>(pub &'a [u8]);

impl Hexadecimal<'_> {
    fn get(self, place: usize) -> Option<u8> {
        let value = |digit: u8| match digit {
            b'0'..=b'9' => digit - b'0',
            _ => (digit | 0x20).wrapping_sub(b'a' - 10),
        };
        let &[high, low] = self.0.get(place * 2..)?.first_chunk()?;
        Some(value(high) << 4 | value(low))
    }

    /// Whether it stands for just these bytes.
    fn is(self, bytes: &[u8]) -> bool {
        self.0.len() == bytes.len() * 2 && bytes.iter().enumerate().all(|(place, byte)| self.get(place) == Some(*byte))
    }
}

/// The number that decimal digits stand for.
pub(super) fn decimal(digits: &[u8]) -> usize {
    digits
        .iter()
        .take_while(|digit| digit.is_ascii_digit())
        .fold(0_usize, |number, digit| number.saturating_mul(10).saturating_add((digit - b'0').into()))
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
            assert_eq!(entry.handles(architecture), architecture.name() == b"arm", "{}", architecture.names);
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
        let entry = Entry::parse(b"enabled\ninterpreter /x\nmagic 4a4b\nflags: \nextension .exe\nmagic 4a4b\n");
        assert!(!entry.matches(b"JK"));
        let entry = Entry::parse(b"enabled\ninterpreter /x\noffset 9\nmagic 00\nflags: \noffset 0\nmagic 4a4b\n");
        assert!(entry.matches(b"JK"));
        let entry = Entry::parse(b"enabled\ninterpreter /x\nmask 0000\nflags: \noffset 0\nmagic 4a4b\n");
        assert!(!entry.matches(b"JL") && entry.matches(b"JK"));
    }

    #[test]
    fn an_extension_and_garbage_match_no_program() {
        let texts: [&[u8]; 6] = [
            b"enabled\ninterpreter /x\nflags: \nextension .exe\n",
            b"",
            b"enabled",
            b"enabled\ninterpreter /x\nflags: \noffset 0\nmagic ",
            b"magic 4d5a\n",
            b"\xff\xfe",
        ];
        for text in texts {
            assert!(!Entry::parse(text).matches(b"MZ"), "{text:?}");
            assert!(!Entry::parse(text).matches(&[0; 256]), "{text:?}");
        }
        for offset in ["255", "256", "99999999999999999999999"] {
            let text = std::format!("enabled\ninterpreter /x\nflags: \noffset {offset}\nmagic 0000\n");
            assert!(!Entry::parse(text.as_bytes()).matches(&[0; 256]), "{offset}");
        }
        for magic in [&[b'f'; 4000][..], b"zz\xff\x00", b"f"] {
            let text = [b"enabled\ninterpreter /x\nflags: \noffset 0\nmagic ", magic].concat();
            assert!(!Entry::parse(&text).matches(&[0xfe; 256]), "{magic:?}");
        }
    }

    #[test]
    fn an_extension_is_that_of_the_path() {
        let entry = Entry::parse(b"enabled\ninterpreter /x\nflags: \nextension .exe\n");
        for (path, takes) in [
            ("a.exe", true),
            ("/b.c/a.tar.exe", true),
            (".exe", true),
            ("exe", false),
            ("a.exe.txt", false),
            ("a.EXE", false),
            ("a.exe/b", false),
            ("", false),
        ] {
            assert_eq!(entry.takes(path.as_bytes(), b""), takes, "{path}");
        }
        let odd = Entry::parse(b"enabled\ninterpreter /x\nflags: \nextension .a\nmagic 4a4b\n");
        assert!(odd.takes(b"x.a\nmagic 4a4b", b"") && !odd.takes(b"x.a", b"JK"));
        let magic = Entry::parse(b"enabled\ninterpreter /x\nflags: \noffset 0\nmagic 4a4b\n");
        assert!(magic.takes(b"x", b"JK") && !magic.takes(b"x.", b"J") && !magic.takes(b"x", b""));
    }

    #[test]
    fn what_later_kernels_may_say() {
        // Type B: a BPF program chooses the interpreter.
        let entry = Entry::parse(b"enabled\nbpf chooser\nbpf-interpreter one /x\nmagic 4a4b\nflags: F\n");
        assert!(entry.enabled && entry.interpreter.is_empty() && !entry.matches(b"JK"));
        // What a flag does that is not known is not known either.
        let arm = Architecture::find(b"arm").unwrap();
        let with = |flags: &[u8]| {
            let text =
                QEMU_ARM.split(|&byte| byte == b'\n').map(|line| if line.starts_with(b"flags") { flags } else { line });
            Entry::parse(&text.collect::<std::vec::Vec<_>>().join(&b'\n')).handles(arm)
        };
        assert!(with(b"flags: ") && with(b"flags: POCFTD"));
        assert!(!with(b"flags: FL") && !with(b"flags: OFX"));
    }

    #[test]
    fn the_interpreter_and_the_flags() {
        let entry = Entry::parse(QEMU_ARM);
        assert_eq!((entry.interpreter, entry.flags), (&b"/usr/bin/qemu-arm"[..], Flags::read(b"POCF")));
        let entry = Entry::parse(b"enabled\ninterpreter /x\nflags: F\ny\nflags: O\noffset 0\nmagic 4a4b\n");
        assert_eq!((entry.interpreter, entry.flags), (&b"/x\nflags: F\ny"[..], Flags::OPEN_BINARY));
    }

    #[test]
    fn its_own_magic_and_mask() {
        let entry = Entry::parse(QEMU_ARM);
        let magic = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x28\0";
        let mask = b"\xff\xff\xff\xff\xff\xff\xff\0\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";
        assert!(entry.has_pattern(magic, mask));
        assert!(
            !entry.has_pattern(magic, b"") && !entry.has_pattern(&magic[..19], mask) && !entry.has_pattern(b"", b"")
        );
        assert!(!entry.has_pattern(mask, mask) && !entry.has_pattern(magic, magic));
        assert!(Entry::parse(b"enabled\ninterpreter /x\nflags: \noffset 0\nmagic 4a4b\n").has_pattern(b"JK", b""));
        assert!(!Entry::parse(b"enabled\ninterpreter /x\nflags: \noffset 2\nmagic 4a4b\n").has_pattern(b"JK", b""));
    }
}

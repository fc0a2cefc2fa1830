//! An entry as the kernel shows it: the text of its file in binfmt_misc (`entry_status` in `fs/binfmt_misc.c`).

use crate::target::Target;
use crate::text::{lines, position, word};

/// What an entry says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Handler<'a> {
    /// A disabled entry is kept but never matched.
    pub enabled: bool,
    /// Where in the program the magic is looked for.
    offset: usize,
    /// In hexadecimal; empty for an entry that matches by file extension.
    magic: &'a [u8],
    /// In hexadecimal; empty where every bit counts.
    mask: &'a [u8],
}

impl<'a> Handler<'a> {
    /// Reads the text. What it does not know it passes over, as later kernels may say more.
    pub fn parse(text: &'a [u8]) -> Self {
        let mut fields: [&[u8]; 3] = [b""; 3];
        for line in lines(text) {
            let place = position(b"offset magic mask", word(line, 0));
            if let Some(field) = place.and_then(|place| fields.get_mut(place)) {
                *field = word(line, 1);
            }
        }
        let [offset, magic, mask] = fields;
        let offset =
            offset.iter().fold(0, |number: usize, digit| number.wrapping_mul(10).wrapping_add(usize::from(digit & 15)));
        Handler { enabled: text.starts_with(b"enabled"), offset, magic, mask }
    }

    /// Whether it would be given programs of `target`, be they position-independent or not.
    #[inline(never)]
    pub fn handles(&self, target: &Target) -> bool {
        // ET_EXEC (2) and ET_DYN (3) differ in the bit that the target's own mask leaves out.
        self.matches(&target.probe(), [target.kind.mask(16), target.kind.mask(17)])
    }

    /// Whether it would be given a file that starts with `program`, of whose `e_type` only the bits in `type_mask`
    /// count.
    pub fn matches(&self, program: &[u8], type_mask: [u8; 2]) -> bool {
        !self.magic.is_empty()
            && (0..self.magic.len() / 2).all(|at| {
                let place = self.offset.wrapping_add(at);
                let counts = type_mask.get(place.wrapping_sub(16)).unwrap_or(&0xff);
                // The kernel reads what lies beyond the end of a short file as zeros.
                let byte = program.get(place).unwrap_or(&0);
                (byte ^ pair(self.magic, at)) & pair(self.mask, at) & counts == 0
            })
    }
}

/// The byte that a pair of hexadecimal digits means; 0xff where there are none.
fn pair(digits: &[u8], at: usize) -> u8 {
    let value = |digit: u8| if digit.is_ascii_digit() { digit & 15 } else { (digit & 15).wrapping_add(9) };
    match digits.get(2 * at..) {
        Some([high, low, ..]) => value(*high) << 4 | value(*low),
        _ => 0xff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [u8; 2] = [0xff; 2];

    const QEMU_ARM: &[u8] = b"enabled\ninterpreter /usr/bin/qemu-arm\nflags: POCF\noffset 0\n\
        magic 7f454c4601010100000000000000000002002800\nmask ffffffffffffff00fffffffffffffffffeffffff\n";

    #[test]
    fn reads_what_the_kernel_writes() {
        let handler = Handler::parse(QEMU_ARM);
        assert!(handler.enabled);
        let mut program = *b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x28\0";
        assert!(handler.matches(&program, ALL));
        program[7] = 3; // EI_OSABI, masked
        assert!(handler.matches(&program, ALL));
        program[18] = 3; // e_machine
        assert!(!handler.matches(&program, ALL));
        assert!(!handler.matches(b"\x7fELF", ALL));
    }

    #[test]
    fn an_offset_and_a_missing_mask_count() {
        let handler = Handler::parse(b"disabled\ninterpreter /x\nflags: \noffset 12\nmagic 4a4B\n");
        assert!(!handler.enabled);
        assert!(handler.matches(b"............JK", ALL));
        assert!(!handler.matches(b"............Jk", ALL));
        assert!(!handler.matches(b"JK", ALL));
    }

    #[test]
    fn an_extension_and_garbage_match_no_program() {
        for text in
            [&b"enabled\ninterpreter /x\nflags: \nextension .exe\n"[..], b"", b"enabled", b"magic ", b"\xff\xfe"]
        {
            assert!(!Handler::parse(text).matches(b"MZ", ALL), "{text:?}");
        }
    }
}

//! ELF headers: what the kernel matches, and the smallest complete program around a few instructions.
//!
//! Names and layout are those of the ELF specification (*System V gABI*, chapter 4) and of `elf(5)`. The build script
//! makes the headers; what differs between targets of one class and byte order is put in here.

use heapless::Vec;

include!(concat!(env!("OUT_DIR"), "/headers.rs"));

/// What tells the programs of one architecture from all others. Fields are as they lie in memory: in the target's byte
/// order, whatever that of the machine this runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// `EI_CLASS`: 1 is `ELFCLASS32`, 2 is `ELFCLASS64`.
    pub class: u8,
    /// `EI_DATA`: 1 is little-endian, 2 is big-endian.
    pub order: u8,
    /// `e_machine`
    pub machine: [u8; 2],
    /// `e_flags`
    pub flags: [u8; 4],
    /// Those of the lowest 8 bits of `e_flags` that must be as in `flags`; 0 where the rest is enough.
    pub flags_mask: u8,
}

/// Where `e_type` and then `e_machine` are.
const TYPE: usize = 16;
const MACHINE: usize = 18;

impl Kind {
    /// Where `e_flags` is.
    fn flags_at(&self) -> usize {
        if self.class == 1 { 36 } else { 48 }
    }

    /// Bytes of the header the kernel has to look at: up to `e_machine`, or up to `e_flags` where these decide.
    pub fn magic_len(&self) -> usize {
        if self.flags_mask == 0 { MACHINE + 2 } else { self.flags_at() + 4 }
    }

    /// The mask of byte `at` of the header: which of its bits tell this kind from others.
    ///
    /// `EI_OSABI`, `EI_ABIVERSION` and `EI_PAD` do not count (AppImages put a mark there), and `e_type` is to be
    /// `ET_EXEC` (2) or `ET_DYN` (3), which differ in the lowest bit.
    pub fn mask(&self, at: usize) -> u8 {
        let big = usize::from(self.order - 1);
        match at {
            0..=6 | 16..=19 => 0xff - u8::from(at == TYPE + big),
            _ if at == self.flags_at() + 3 * big => self.flags_mask,
            _ => 0,
        }
    }

    /// A complete program of this kind: file header, one `PT_LOAD` header, `code`. It is mapped as a whole at a fixed
    /// address and starts at the first byte of `code`.
    pub fn program(&self, code: &[u8; CODE_MAX]) -> Vec<u8, PROGRAM_MAX> {
        let mut program = Vec::new();
        let place = usize::from(self.class - 1) * 2 + usize::from(self.order - 1);
        let header = HEADERS.get(place).map_or(&[][..], |header| header);
        let length = if self.class == 1 { 52 + 32 } else { 64 + 56 };
        _ = program.extend_from_slice(header.get(..length).unwrap_or_default());
        for (field, bytes) in [(MACHINE, &self.machine[..]), (self.flags_at(), &self.flags)] {
            for (at, byte) in bytes.iter().enumerate() {
                if let Some(place) = program.get_mut(field + at) {
                    *place = *byte;
                }
            }
        }
        _ = program.extend_from_slice(code); // it all fits: `PROGRAM_MAX` is the sum
        program
    }

    /// Whether a file that starts with `start` is a program of this kind.
    pub fn accepts(&self, start: &[u8]) -> bool {
        let program = self.program(&[0; CODE_MAX]);
        (0..self.magic_len()).all(|at| match (start.get(at), program.get(at)) {
            (Some(byte), Some(magic)) => (byte ^ magic) & self.mask(at) == 0,
            _ => false,
        })
    }
}

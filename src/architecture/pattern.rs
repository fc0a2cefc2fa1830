//! Magic and mask: what a file has to start with to be a program of an architecture.

use super::Architecture;
use super::elf::{ByteOrder, ET_EXEC, MACHINE_OFFSET};
use heapless::Vec;

/// How many bytes of a file the kernel looks at, with zeros after a shorter one (`BINPRM_BUF_SIZE`).
pub const FILE_START_LENGTH: usize = 256;

/// The longest pattern is as long as an ELF header of 64 bits.
type Bytes = Vec<u8, 64>;

/// What the first bytes of a file are compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The bytes, without the bits that do not count.
    pub magic: Bytes,
    /// The bits that count.
    pub mask: Bytes,
}

impl Architecture {
    /// The pattern of all programs of this architecture.
    ///
    /// `EI_OSABI`, `EI_ABIVERSION` and `EI_PAD` do not count, since AppImages have a mark there. `e_type` is to be
    /// `ET_EXEC` (2) or `ET_DYN` (3). `e_flags` counts where it tells the architecture from another one.
    pub fn pattern(&self) -> Pattern {
        let (class, byte_order) = (self.class as u8, self.byte_order as u8);
        let mut pattern = Pattern { magic: Vec::new(), mask: Vec::new() };
        pattern.append(&[0x7f, b'E', b'L', b'F', class, byte_order, 1], &[0xff; 7]);
        pattern.append(&[0; 9], &[0; 9]); // EI_OSABI, EI_ABIVERSION, EI_PAD
        pattern.append(&self.half(ET_EXEC), &self.half(!1)); // e_type
        pattern.append(&self.half(self.machine), &self.half(!0)); // e_machine
        if self.flags_mask != 0 {
            let between = [0; 64];
            let between = between.get(MACHINE_OFFSET + 2..self.class.flags_offset()).unwrap_or_default();
            pattern.append(between, between);
            pattern.append(&self.word(self.flags & self.flags_mask), &self.word(self.flags_mask)); // e_flags
        }
        pattern
    }

    /// The two bytes of a number of 16 bits, as they are in files of this architecture.
    pub fn half(&self, value: u16) -> [u8; 2] {
        match self.byte_order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }

    /// The four bytes of a number of 32 bits.
    fn word(&self, value: u32) -> [u8; 4] {
        match self.byte_order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }
}

impl Pattern {
    /// There is room for the longest pattern.
    fn append(&mut self, magic: &[u8], mask: &[u8]) {
        _ = self.magic.extend_from_slice(magic);
        _ = self.mask.extend_from_slice(mask);
    }
}

#[cfg(test)]
mod tests {
    use crate::architecture::Architecture;

    #[test]
    fn patterns_of_each_kind() {
        let pattern = |name: &str| Architecture::find(name.as_bytes()).unwrap().pattern();
        let arm64 = pattern("arm64");
        assert_eq!(*arm64.magic, *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xb7\0");
        assert_eq!(*arm64.mask, *b"\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\xfe\xff\xff\xff");
        let s390x = pattern("s390x");
        assert_eq!(*s390x.magic, *b"\x7fELF\x02\x02\x01\0\0\0\0\0\0\0\0\0\0\x02\0\x16");
        assert_eq!(*s390x.mask, *b"\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\xff\xfe\xff\xff");
        let n32 = pattern("mipsn32");
        assert_eq!(n32.mask.len(), 40);
        assert_eq!((&n32.magic[20..], &n32.mask[20..36]), (&[[0; 19].as_slice(), &[0x20]].concat()[..], &[0; 16][..]));
        assert_eq!(n32.mask[36..], [0, 0, 0, 0x20]);
    }
}

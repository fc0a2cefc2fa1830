//! The probe of an architecture: a complete program that exits with status 0.

use super::elf::{ByteOrder, Class, ET_EXEC, PT_INTERP, PT_LOAD};
use super::{Architecture, FILE_START_LENGTH};
use heapless::Vec;

/// Where a probe is mapped: a multiple of every page size in use, and not below the usual `mmap_min_addr`.
const BASE: u64 = 0x10000;
/// `PF_R | PF_X`
const READ_AND_EXECUTE: u32 = 5;

/// The bytes of a probe.
pub type Probe = Vec<u8, FILE_START_LENGTH>;

impl Architecture {
    /// A program of this architecture that exits with status 0.
    pub fn probe(&self) -> Probe {
        self.probe_after(b"")
    }

    /// The same, after this machine code.
    pub(super) fn probe_after(&self, code: &[u8]) -> Probe {
        self.program(PT_LOAD, 0, code)
    }

    /// A program that says it has a dynamic linker, whose name would be after the end of the file.
    pub fn probe_without_interpreter_name(&self) -> Probe {
        self.program(PT_INTERP, FILE_START_LENGTH as u64, b"")
    }

    /// A program of one segment of the type `segment_type`, which starts at `segment_offset` and is as long as the file. It
    /// executes `first` before it exits.
    fn program(&self, segment_type: u32, segment_offset: u64, first: &[u8]) -> Probe {
        let mut file = Fields { class: self.class, byte_order: self.byte_order, bytes: Vec::new() };
        let header_length = self.class.header_length();
        let code = u64::from(header_length + self.class.program_header_length());
        let length = code + (first.len() + self.exit_code.len()) as u64;
        file.bytes(b"\x7fELF");
        file.bytes(&[self.class as u8, self.byte_order as u8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        file.half(ET_EXEC); // e_type
        file.half(self.machine); // e_machine
        file.word(1); // e_version
        file.address(BASE + code); // e_entry
        file.address(header_length.into()); // e_phoff
        file.address(0); // e_shoff
        file.word(self.flags); // e_flags
        file.half(header_length); // e_ehsize
        file.half(self.class.program_header_length()); // e_phentsize
        file.half(1); // e_phnum
        file.half(0); // e_shentsize
        file.half(0); // e_shnum
        file.half(0); // e_shstrndx
        file.word(segment_type); // p_type
        if self.class == Class::Elf64 {
            file.word(READ_AND_EXECUTE); // p_flags
        }
        file.address(segment_offset); // p_offset
        file.address(BASE); // p_vaddr
        file.address(BASE); // p_paddr
        file.address(length); // p_filesz
        file.address(length); // p_memsz
        if self.class == Class::Elf32 {
            file.word(READ_AND_EXECUTE); // p_flags
        }
        file.address(BASE); // p_align
        file.bytes(first);
        file.bytes(self.exit_code);
        file.bytes
    }
}

/// Writes fields one after the other in the class and byte order of an architecture. The build script keeps the code so
/// short that there is room for all.
struct Fields {
    class: Class,
    byte_order: ByteOrder,
    bytes: Probe,
}

impl Fields {
    fn bytes(&mut self, bytes: &[u8]) {
        _ = self.bytes.extend_from_slice(bytes);
    }

    /// The lowest `length` bytes of `value`.
    fn number(&mut self, value: u64, length: usize) {
        let bytes = value.to_le_bytes();
        let mut bytes = bytes.iter().take(length);
        while let Some(byte) = if self.byte_order == ByteOrder::Little { bytes.next() } else { bytes.next_back() } {
            _ = self.bytes.push(*byte);
        }
    }

    fn half(&mut self, value: u16) {
        self.number(value.into(), 2);
    }

    fn word(&mut self, value: u32) {
        self.number(value.into(), 4);
    }

    fn address(&mut self, value: u64) {
        self.number(value, if self.class == Class::Elf64 { 8 } else { 4 });
    }
}

#[cfg(test)]
mod tests {
    use crate::architecture::{ARCHITECTURES, Architecture};

    #[test]
    fn a_probe_of_each_class_and_byte_order() {
        let probe = |name: &str| Architecture::find(name.as_bytes()).unwrap().probe().to_vec();
        let x86_64 = probe("x86_64");
        assert_eq!(x86_64[..24], *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0");
        assert_eq!(x86_64[24..40], *b"\x78\0\x01\0\0\0\0\0\x40\0\0\0\0\0\0\0");
        assert_eq!(x86_64.len(), 64 + 56 + 7);
        let mips = probe("mips");
        assert_eq!(mips[..24], *b"\x7fELF\x01\x02\x01\0\0\0\0\0\0\0\0\0\0\x02\0\x08\0\0\0\x01");
        assert_eq!(mips[24..40], *b"\0\x01\0\x54\0\0\0\x34\0\0\0\0\0\0\x10\0");
        assert_eq!(mips.len(), 52 + 32 + 12);
    }

    #[test]
    fn there_is_room_for_each() {
        for architecture in &ARCHITECTURES {
            assert!(architecture.probe().ends_with(architecture.exit_code), "{}", architecture.names);
            let cut_off = architecture.probe_without_interpreter_name();
            assert_eq!(cut_off.len(), architecture.probe().len(), "{}", architecture.names);
        }
    }
}

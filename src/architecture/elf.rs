//! ELF headers. Names and layout are those of `elf(5)` and of the ELF specification (System V gABI, chapter 4).

use super::Architecture;

/// Where `e_type` is, in bytes from the start of the file.
pub const TYPE_OFFSET: usize = 16;
/// Where `e_machine` is.
pub const MACHINE_OFFSET: usize = 18;
/// The `p_type` of a segment that is mapped.
pub const PT_LOAD: u32 = 1;
/// The `p_type` of a segment that holds the name of a dynamic linker.
pub const PT_INTERP: u32 = 3;
/// The `e_type` of a program with fixed addresses.
pub const ET_EXEC: u16 = 2;
/// The `e_type` of a position-independent program.
pub const ET_DYN: u16 = 3;

/// The size of addresses and offsets: `EI_CLASS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 32 bits.
    Elf32 = 1,
    /// 64 bits.
    Elf64 = 2,
}

/// The order of the bytes of a number: `EI_DATA`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The lowest byte comes first.
    Little = 1,
    /// The highest byte comes first.
    Big = 2,
}

impl Class {
    /// The length of an ELF header in bytes.
    pub fn header_length(self) -> u16 {
        if self == Self::Elf64 { 64 } else { 52 }
    }

    /// The length of a program header in bytes.
    pub fn program_header_length(self) -> u16 {
        if self == Self::Elf64 { 56 } else { 32 }
    }

    /// Where `e_flags` is.
    pub fn flags_offset(self) -> usize {
        if self == Self::Elf64 { 48 } else { 36 }
    }
}

/// The ELF header of a program of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElfHeader {
    /// Where the program headers are.
    pub program_headers_offset: u64,
    /// How long each of them is.
    pub program_header_length: u16,
    /// How many there are.
    pub program_headers: u16,
    /// Whether the file is a program of the host, as the kernel sees it (`elf_check_arch()` and its like).
    pub is_program: bool,
}

/// A program header of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramHeader {
    /// `p_type`
    pub kind: u32,
    /// Where the segment ends in the file.
    pub end: u64,
}

/// Numbers of the host in a part of a file.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn bytes<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.0.get(offset..)?.first_chunk().copied()
    }

    fn half(&self, offset: usize) -> Option<u16> {
        self.bytes(offset).map(u16::from_ne_bytes)
    }

    fn word(&self, offset: usize) -> Option<u32> {
        self.bytes(offset).map(u32::from_ne_bytes)
    }

    /// An address or an offset: as wide as a pointer of the host.
    fn address(&self, offset: usize) -> Option<u64> {
        self.bytes(offset).map(|bytes| usize::from_ne_bytes(bytes) as u64)
    }
}

/// Where fields of the host's headers are; they depend on the class.
struct Layout {
    e_phoff: usize,
    e_phentsize: usize,
    e_phnum: usize,
    p_offset: usize,
    p_filesz: usize,
}

const LAYOUT: Layout = if size_of::<usize>() == 8 {
    Layout { e_phoff: 32, e_phentsize: 54, e_phnum: 56, p_offset: 8, p_filesz: 32 }
} else {
    Layout { e_phoff: 28, e_phentsize: 42, e_phnum: 44, p_offset: 4, p_filesz: 16 }
};

impl ElfHeader {
    /// Reads the header at the `start` of a file; `None` if the file ends within it.
    pub fn parse(start: &[u8], host: &Architecture) -> Option<Self> {
        let header = Fields(start.get(..host.class.header_length().into())?);
        Some(Self {
            program_headers_offset: header.address(LAYOUT.e_phoff)?,
            program_header_length: header.half(LAYOUT.e_phentsize)?,
            program_headers: header.half(LAYOUT.e_phnum)?,
            is_program: header.bytes(4) == Some([host.class as u8, host.byte_order as u8, 1])
                && matches!(header.half(TYPE_OFFSET), Some(ET_EXEC | ET_DYN))
                && header.half(MACHINE_OFFSET) == Some(host.machine),
        })
    }
}

impl ProgramHeader {
    /// Reads a program header; `None` if there are too few bytes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let fields = Fields(bytes);
        let end = fields.address(LAYOUT.p_offset)?.saturating_add(fields.address(LAYOUT.p_filesz)?);
        Some(Self { kind: fields.word(0)?, end })
    }
}

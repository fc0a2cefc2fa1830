//! ELF headers. Names and layout are those of `elf(5)` and of the ELF specification (System V gABI, chapter 4).

use super::{ARCHITECTURES, Architecture};

/// Where `e_type` is, in bytes from the start of the file.
pub const TYPE_OFFSET: usize = 16;
/// Where `e_machine` is.
pub const MACHINE_OFFSET: usize = 18;
/// The `p_type` of a segment that is mapped.
pub const PT_LOAD: u32 = 1;
/// The `p_type` of a segment that holds the name of a dynamic linker.
pub const PT_INTERP: u32 = 3;
/// The `p_type` of a segment that says what the program needs.
pub const PT_GNU_PROPERTY: u32 = 0x6474_e553;
/// The type of a note that says it.
const NT_GNU_PROPERTY_TYPE_0: u32 = 5;
/// The type of a property: the levels of x86-64 that are needed, a bit for each.
const X86_ISA_1_NEEDED: u32 = 0xc000_8002;
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

    /// The one place or the other.
    fn place(self, in_32: usize, in_64: usize) -> usize {
        if self == Self::Elf64 { in_64 } else { in_32 }
    }

    /// Where `e_flags` is.
    pub fn flags_offset(self) -> usize {
        if self == Self::Elf64 { 48 } else { 36 }
    }
}

/// The ELF header of a program of any machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElfHeader {
    /// `EI_CLASS`
    pub class: Class,
    /// `EI_DATA`
    pub byte_order: ByteOrder,
    /// Whether it is a program, position-independent or not, of the only version that there is.
    pub is_program: bool,
    /// `e_machine`
    pub machine: u16,
    /// `e_flags`
    pub flags: u32,
    /// Where the program headers are.
    pub program_headers_offset: u64,
    /// How long each of them is.
    pub program_header_length: u16,
    /// How many there are.
    pub program_headers: u16,
}

/// A program header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramHeader {
    /// `p_type`
    pub kind: u32,
    /// Where the segment starts in the file.
    pub offset: u64,
    /// How many bytes it has there.
    pub size: u64,
}

/// Numbers in a part of a file of this class and byte order.
#[derive(Clone, Copy)]
struct Fields<'a> {
    bytes: &'a [u8],
    class: Class,
    byte_order: ByteOrder,
}

impl Fields<'_> {
    /// The number in so many bytes.
    fn number(&self, offset: usize, length: usize) -> Option<u64> {
        let bytes = self.bytes.get(offset..)?.get(..length)?;
        let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(match self.byte_order {
            ByteOrder::Little => bytes.iter().rfold(0, append),
            ByteOrder::Big => bytes.iter().fold(0, append),
        })
    }

    fn half(&self, offset: usize) -> Option<u16> {
        self.number(offset, 2).map(|number| number as u16)
    }

    fn word(&self, offset: usize) -> Option<u32> {
        self.number(offset, 4).map(|number| number as u32)
    }

    /// An address or an offset, which is of as many bits as the class says.
    fn address(&self, offset: usize) -> Option<u64> {
        self.number(offset, if self.class == Class::Elf64 { 8 } else { 4 })
    }

    /// The one place or the other, as the class has it.
    fn place(&self, in_32: usize, in_64: usize) -> usize {
        self.class.place(in_32, in_64)
    }
}

impl ElfHeader {
    /// Reads the header at the `start` of a file; `None` if it is none, or if the file ends within it.
    pub fn parse(start: &[u8]) -> Option<Self> {
        let (class, byte_order, version) = match *start.strip_prefix(b"\x7fELF")? {
            [class, byte_order, version, ..] => (class, byte_order, version),
            _ => return None,
        };
        let class = [Class::Elf32, Class::Elf64].into_iter().find(|known| *known as u8 == class)?;
        let byte_order = [ByteOrder::Little, ByteOrder::Big].into_iter().find(|known| *known as u8 == byte_order)?;
        let fields = Fields { bytes: start.get(..class.header_length().into())?, class, byte_order };
        Some(Self {
            class,
            byte_order,
            is_program: version == 1 && matches!(fields.half(TYPE_OFFSET), Some(ET_EXEC | ET_DYN)),
            machine: fields.half(MACHINE_OFFSET)?,
            flags: fields.word(class.flags_offset())?,
            program_headers_offset: fields.address(fields.place(28, 32))?,
            program_header_length: fields.half(fields.place(42, 54))?,
            program_headers: fields.half(fields.place(44, 56))?,
        })
    }

    /// Whether it is of a program of this architecture, as the kernel sees it (`elf_check_arch()` and its like).
    pub fn is_of(&self, architecture: &Architecture) -> bool {
        self.is_program
            && (self.class, self.byte_order, self.machine)
                == (architecture.class, architecture.byte_order, architecture.machine)
            && (self.flags ^ architecture.flags) & architecture.flags_mask == 0
    }

    /// The architecture of the table that it is of.
    pub fn architecture(&self) -> Option<&'static Architecture> {
        ARCHITECTURES.iter().find(|architecture| self.is_of(architecture))
    }

    /// Reads a program header of the file; `None` if there are too few bytes.
    pub fn program_header(&self, bytes: &[u8]) -> Option<ProgramHeader> {
        let fields = Fields { bytes, class: self.class, byte_order: self.byte_order };
        Some(ProgramHeader {
            kind: fields.word(0)?,
            offset: fields.address(fields.place(4, 8))?,
            size: fields.address(fields.place(16, 32))?,
        })
    }

    /// The x86-64 level that a program needs, 1 to 4, by the note of the type `NT_GNU_PROPERTY_TYPE_0` that `PT_GNU_PROPERTY`
    /// holds (`GNU_PROPERTY_X86_ISA_1_NEEDED` in the x86-64 psABI); 0 if it does not say.
    pub fn needed_level(&self, note: &[u8]) -> u8 {
        let word = |bytes, at| Fields { bytes, class: self.class, byte_order: self.byte_order }.word(at);
        let (head, mut properties) = note.split_at_checked(16).unwrap_or_default();
        let is_gnus =
            word(head, 0) == Some(4) && word(head, 8) == Some(NT_GNU_PROPERTY_TYPE_0) && head.ends_with(b"GNU\0");
        let length = word(head, 4).filter(|_| is_gnus).map_or(0, |length| length as usize);
        properties = properties.get(..length).unwrap_or(properties);
        while let (Some(kind), Some(length)) = (word(properties, 0), word(properties, 4)) {
            if let (X86_ISA_1_NEEDED, 4, Some(levels)) = (kind, length, word(properties, 8)) {
                return (u32::BITS - (levels & 0xf).leading_zeros()) as u8;
            }
            // The data is filled up to a multiple of as many bytes as an address has.
            let end =
                (length as usize).checked_next_multiple_of(self.class.place(4, 8)).and_then(|end| end.checked_add(8));
            properties = end.and_then(|end| properties.get(end..)).unwrap_or_default();
        }
        0
    }
}

impl ProgramHeader {
    /// Where the segment ends in the file.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

#[cfg(test)]
mod tests;

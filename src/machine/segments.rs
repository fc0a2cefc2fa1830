//! What the program headers of an ELF file say: its dynamic linker, what it needs, and whether it is whole.

use crate::architecture::{ElfHeader, PT_GNU_PROPERTY, PT_INTERP, PT_LOAD, ProgramHeader};

/// What is wrong with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// It is not an ELF file.
    NotElf,
    /// It ends too early.
    Truncated,
    /// It is for another machine.
    OtherMachine,
    /// The kernel does not take its program headers.
    Malformed,
    /// It needs a dynamic linker, which registration mode does not provide.
    DynamicallyLinked,
}

/// The most bytes that the kernel reads of program headers (`load_elf_phdrs` in `fs/binfmt_elf.c`).
const LONGEST_PROGRAM_HEADERS: u32 = 65536;

/// The segments of a program that matter before it is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segments {
    /// The name of its dynamic linker; `None` if it needs none.
    pub linker: Option<ProgramHeader>,
    /// What it needs of the CPU.
    pub properties: Option<ProgramHeader>,
}

impl Segments {
    /// Reads the program headers as the kernel does. `start` is how the file begins, `size` how many bytes it has, and
    /// `read` reads from an offset on what is not in the start.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(
        header: &ElfHeader,
        start: &[u8],
        size: u64,
        read: &dyn Fn(&mut [u8], u64) -> Option<usize>,
    ) -> Result<Self, Defect> {
        let length = header.class.program_header_length();
        let count = header.program_headers;
        if header.program_header_length != length || u32::from(length) * u32::from(count) > LONGEST_PROGRAM_HEADERS {
            return Err(Defect::Malformed);
        }
        let mut segments = Self::default();
        let mut loads = false;
        for number in 0..count {
            let offset = header.program_headers_offset.saturating_add(u64::from(number) * u64::from(length));
            if offset.saturating_add(length.into()) > size {
                return Err(Defect::Truncated);
            }
            let mut buffer = [0; 56];
            let bytes = match usize::try_from(offset).ok().and_then(|offset| start.get(offset..)?.get(..length.into()))
            {
                Some(bytes) => bytes,
                None => {
                    let buffer = buffer.get_mut(..length.into()).unwrap_or_default();
                    read(buffer, offset).filter(|read| *read == buffer.len()).ok_or(Defect::Truncated)?;
                    buffer
                }
            };
            let Some(segment) = header.program_header(bytes) else { continue };
            match segment.kind {
                // The kernel takes the first.
                PT_INTERP if segments.linker.is_none() => segments.linker = Some(segment),
                PT_GNU_PROPERTY => segments.properties = Some(segment),
                PT_LOAD if segment.end() > size => return Err(Defect::Truncated),
                PT_LOAD => loads = true,
                _ => {}
            }
        }
        if loads { Ok(segments) } else { Err(Defect::Truncated) }
    }
}

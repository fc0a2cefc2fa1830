//! ELF headers: what the kernel matches, and the smallest complete program around a few instructions.
//!
//! Names and layout are those of the ELF specification (*System V gABI*, chapter 4) and of `elf(5)`. Fields are as they
//! lie in memory: in the target's byte order, whatever that of the machine this runs on. The build script makes the
//! table of what is in a program's headers besides what tells one architecture from others.

include!(concat!(env!("OUT_DIR"), "/headers.rs"));

/// What the kernel sees of a file: as many bytes of its start (`BINPRM_BUF_SIZE`), with zeros behind a shorter one.
pub type Start = [u8; 256];

/// The bit of a header's kind that is set for `ELFCLASS64`.
pub const WIDE: u8 = 1;
/// The bit that is set for `ELFDATA2MSB`, big-endian.
pub const BIG: u8 = 2;

/// Where `e_type` is.
pub const TYPE: usize = 16;
/// Where `e_machine` is.
pub const MACHINE: usize = 18;

/// The `p_type` of a segment that holds the name of a dynamic linker.
pub const PT_INTERP: u32 = 3;

/// Where `e_flags` is in a header of that kind.
pub fn flags_at(kind: u8) -> usize {
    usize::from(36 + 12 * (kind & WIDE))
}

/// Puts `bytes` where they are to be; if there is no room, nothing.
pub fn set<const N: usize>(buffer: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(place) = buffer.get_mut(at..).and_then(|place| place.first_chunk_mut()) {
        *place = bytes;
    }
}

/// Makes of zeros the headers of a program: the file's and that of one `PT_LOAD` segment, which is the whole file,
/// mapped at a fixed address; it starts at its byte [`CODE`]. `e_machine` and `e_flags` are left 0.
pub fn headers(start: &mut Start, kind: u8) {
    let kind = kind & (WIDE | BIG);
    let places = PLACES.get(usize::from(kind)).unwrap_or(&[0; VALUES.len()]);
    for (place, value) in places.iter().zip(&VALUES) {
        set(start, usize::from(*place), [*value]);
    }
    set(start, 0, *b"\x7fELF");
    set(start, 4, [1 + (kind & WIDE)]); // EI_CLASS
    set(start, 5, [1 + kind / BIG]); // EI_DATA
    set(start, 6, [1]); // EI_VERSION
}

//! The interpreters: where they lie, and whether they can serve.

use crate::config::Lookup;
use crate::elf::PT_INTERP;
use crate::errno::{Errno, Result};
use crate::fd::{Fd, READ, open, read, size};
use crate::message::Reason;
use crate::target::is_own;
use crate::text::Text;
use core::mem::MaybeUninit;

/// The name of an interpreter as a template, for the values of a line about its architecture: that of the reference
/// document, or, if `plain`, that in packages which have no `qemu-ARCH-static`.
pub fn name(plain: bool) -> Text<'static> {
    Text::new(if plain { c"%9qemu-%0" } else { c"%9qemu-%0-static" })
}

/// The offsets of `e_phoff` and `e_phentsize` (`e_phnum` follows) in this machine's ELF header, and of `p_offset` and
/// `p_filesz` in a program header; see `elf(5)`.
const LAYOUT: [usize; 4] = if size_of::<usize>() == 8 { [32, 54, 8, 32] } else { [28, 42, 4, 16] };

/// The length of this machine's ELF header, and that of its program headers.
const LENGTHS: [usize; 2] = if size_of::<usize>() == 8 { [64, 56] } else { [52, 32] };

const PT_LOAD: u32 = 1;

/// Why the file called `name` in the directory cannot serve as an interpreter.
pub fn check(directory: Result<Fd>, name: Text, lookup: Lookup) -> Reason {
    let file = match directory.and_then(|directory| open(directory, name, READ)) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR) => return Reason::MISSING,
        Err(error) => return error.into(),
    };
    // The program headers follow the file header, as linkers put them.
    let mut room = MaybeUninit::<[u8; 1024]>::uninit();
    let size = size(file);
    let read = read(file, &mut room);
    // SAFETY: it is not used afterwards.
    unsafe { file.close() };
    match read {
        Ok(start) => judge(start, size, lookup),
        Err(error) => error.into(),
    }
}

/// Judges a file of `size` bytes by its `start`.
#[inline(never)]
fn judge(start: &[u8], size: usize, lookup: Lookup) -> Reason {
    let [header_length, segment_length] = LENGTHS;
    let [phoff, phentsize, p_offset, p_filesz] = LAYOUT;
    if !start.starts_with(b"\x7fELF") {
        return Reason::NOT_ELF;
    }
    let Some(header) = start.get(..header_length) else { return Reason::TRUNCATED };
    if !header.first_chunk().is_some_and(is_own) {
        return Reason::OTHER_MACHINE;
    }
    let mut at = usize::from_ne_bytes(field(header, phoff));
    let mut verdict = Reason::TRUNCATED;
    for _ in 0..u16::from_ne_bytes(field(header, phentsize + 2)) {
        let Some(segment) = start.get(at..).and_then(|rest| rest.get(..segment_length)) else {
            return Reason::TRUNCATED;
        };
        let place = usize::from_ne_bytes(field(segment, p_offset));
        let end = place.saturating_add(usize::from_ne_bytes(field(segment, p_filesz)));
        match u32::from_ne_bytes(field(segment, 0)) {
            PT_INTERP if lookup == Lookup::Registration => return Reason::DYNAMIC,
            PT_LOAD if end > size => return Reason::TRUNCATED,
            PT_LOAD => verdict = Reason::NONE,
            _ => {}
        }
        at = at.saturating_add(segment_length);
    }
    verdict
}

/// The bytes at `offset`; zeros where there are none.
fn field<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    bytes.get(offset..).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; N])
}

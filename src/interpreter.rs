//! The interpreters: where they lie, and whether they can serve.

use crate::config::{Config, Lookup};
use crate::fd::{DIRECTORY, Fd, HERE, PATH, READ, fstat, open, read};
use crate::target::{HOST, Target};
use crate::text::{Buffer, c_str, errno, fill, until_nul};
use heapless::Vec;
use rustix::io::{Errno, Result};

/// A path, with the NUL byte that ends it.
pub type Path = Vec<u8, 1024>;

/// The two names an interpreter goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `qemu-ARCH-static`, the name in the reference document.
    Static,
    /// `qemu-ARCH`, as packages name it that have no other.
    Plain,
}

/// Whether an interpreter can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can.
    Fit,
    /// There is none.
    Missing,
    /// It cannot be opened or read.
    Unreadable(Errno),
    /// The directory, prefix and name together are too long.
    PathTooLong,
    /// It is no ELF program.
    NotElf,
    /// It ends before its own headers say.
    Truncated,
    /// It is a program of another machine than this.
    OtherMachine,
    /// It needs a dynamic linker, which in registration mode would be looked for where the program runs.
    Dynamic,
}

impl State {
    /// Why it cannot serve, in words.
    pub fn why(self) -> &'static [u8] {
        match self {
            State::Fit => b"fit",
            State::Missing => b"no such file (nor one without -static); QEMU_BINARY_PATH is the directory",
            State::Unreadable(error) => errno(error),
            State::PathTooLong => b"the path is too long",
            State::NotElf => b"not an ELF program",
            State::Truncated => b"truncated; copy it again",
            State::OtherMachine => b"a program of another machine than this one",
            State::Dynamic => b"dynamically linked; registration mode needs a static one (Debian: qemu-user-static)",
        }
    }
}

/// Opens the directory of the interpreters.
///
/// # Errors
/// Those of `openat(2)`; `NAMETOOLONG` also if there is no room for the path.
pub fn directory(config: &Config) -> Result<Fd> {
    let mut buffer = Path::new();
    fill(&mut buffer, b"%0\0", &[config.directory]);
    open(HERE, c_str(&buffer).ok_or(Errno::NAMETOOLONG)?, PATH | DIRECTORY)
}

/// Looks for the interpreter of `target` in the directory: what lies at the first place decides.
pub fn find(config: &Config, directory: Result<Fd>, target: &Target, lookup: Lookup) -> (Place, State) {
    let mut buffer = Path::new();
    for place in [Place::Static, Place::Plain] {
        path(config, target, place, &mut buffer);
        // Behind the directory and the slash.
        let name = buffer.get(config.directory.len() + 1..).unwrap_or_default();
        let state = check(directory, name, lookup);
        if state != State::Missing {
            return (place, state);
        }
    }
    (Place::Static, State::Missing)
}

/// Writes the path of the interpreter of `target` and a NUL byte into `buffer`; returns it without that byte. What does
/// not fit is cut, the NUL byte first.
pub fn path<'a>(config: &Config, target: &Target, place: Place, buffer: &'a mut Buffer) -> &'a [u8] {
    buffer.clear();
    let template: &[u8] = match place {
        Place::Static => b"%0/%1qemu-%2-static\0",
        Place::Plain => b"%0/%1qemu-%2\0",
    };
    fill(buffer, template, &[config.directory, config.prefix, target.name()]);
    until_nul(buffer)
}

/// The offsets of `e_phoff` and `e_phentsize` (`e_phnum` follows) in this machine's ELF header, and of `p_offset` and
/// `p_filesz` in a program header; see `elf(5)`.
const LAYOUT: [usize; 4] = if size_of::<usize>() == 8 { [32, 54, 8, 32] } else { [28, 42, 4, 16] };

/// The length of this machine's ELF header.
const HEADER: usize = if size_of::<usize>() == 8 { 64 } else { 52 };

const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;

#[inline(never)]
fn check(directory: Result<Fd>, name: &[u8], lookup: Lookup) -> State {
    let Some(name) = c_str(name) else { return State::PathTooLong };
    let file = match directory.and_then(|directory| open(directory, name, READ)) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR) => return State::Missing,
        Err(error) => return State::Unreadable(error),
    };
    // The program headers follow the file header, as linkers put them.
    let mut start = [0; 1024];
    let size = fstat(file).map_or(0, |stat| stat.st_size as u64);
    let length = read(file, &mut start);
    // SAFETY: it is not used afterwards.
    unsafe { file.close() };
    match length {
        Ok(length) => judge(start.get(..length).unwrap_or_default(), size, lookup),
        Err(error) => State::Unreadable(error),
    }
}

/// Judges a file of `size` bytes by its `start`.
fn judge(start: &[u8], size: u64, lookup: Lookup) -> State {
    if !start.starts_with(b"\x7fELF") {
        return State::NotElf;
    }
    if start.len() < HEADER {
        return State::Truncated;
    }
    if !HOST.kind.accepts(start) {
        return State::OtherMachine;
    }
    let [phoff, phentsize, p_offset, p_filesz] = LAYOUT;
    let mut at = usize::from_ne_bytes(field(start, phoff));
    let mut left = u16::from_ne_bytes(field(start, phentsize + 2));
    let mut state = State::Truncated;
    while left > 0 {
        let Some(segment) = start.get(at..) else { return State::Truncated };
        let end = usize::from_ne_bytes(field(segment, p_offset))
            .saturating_add(usize::from_ne_bytes(field(segment, p_filesz)));
        match u32::from_ne_bytes(field(segment, 0)) {
            PT_INTERP if lookup == Lookup::Registration => return State::Dynamic,
            PT_LOAD if end as u64 > size => return State::Truncated,
            PT_LOAD => state = State::Fit,
            _ => {}
        }
        at = at.saturating_add(u16::from_ne_bytes(field(start, phentsize)).into());
        left -= 1;
    }
    state
}

/// The bytes at `offset`; zeros where there are none.
fn field<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    bytes.get(offset..).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; N])
}

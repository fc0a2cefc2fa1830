//! The interpreters: where they are, and whether they can serve.

use super::file::open;
use super::owners::OpenDirectory;
use super::path::{PathBuffer, join};
use super::segments::{Defect, Segments};
use crate::architecture::{Architecture, ElfHeader, FILE_START_LENGTH, HOST};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use heapless::Vec;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{OFlags, fstat};
use rustix::io::{Errno, pread};

/// Where interpreters are: `DIRECTORY/PREFIXqemu-ARCH-static` or `DIRECTORY/PREFIXqemu-ARCH`.
#[derive(Clone, Copy, Debug)]
pub struct Directory {
    /// An absolute path.
    pub path: &'static CStr,
    /// What the names of the files start with.
    pub prefix: &'static CStr,
    /// What stands between these two in a path: a slash, or [`HELD`].
    pub separator: &'static [u8],
}

/// The mark of an entry that a holder (`--hold`) has registered: what stands before the name of the file in the path of its
/// interpreter. It means the same file as a slash, and lasts as long as the entry, so that a later holder knows it again.
pub const HELD: &[u8] = b"/././";

/// The interpreter of an architecture, be it there or not.
#[derive(Clone, Copy, Debug)]
pub struct Interpreter {
    /// Of which architecture it executes programs.
    pub architecture: &'static Architecture,
    /// Where it is.
    pub directory: Directory,
    /// What its name ends with.
    pub file: InterpreterFile,
    /// Whether only root can replace it, or make it where it is missing, as far as was looked.
    pub is_roots: bool,
}

/// The two names that an interpreter may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterpreterFile {
    /// `qemu-ARCH-static`, as in the reference document. It comes first.
    Static,
    /// `qemu-ARCH`, as in packages that have no other.
    Plain,
}

/// Why an interpreter cannot serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// There is no such file.
    Missing,
    /// It is no program that could be started.
    Defective(Defect),
    /// It cannot be opened or read.
    Unreadable(Errno),
    /// It would be its own interpreter, so that no program would run.
    ForItself,
}

impl Interpreter {
    /// The path as parts to be joined: the directory, a slash, and the parts of the file's name.
    pub fn path(&self) -> [&[u8]; 6] {
        let ending: &[u8] = if self.file == InterpreterFile::Static { b"-static" } else { b"" };
        let directory = &self.directory;
        [
            directory.path.to_bytes(),
            directory.separator,
            directory.prefix.to_bytes(),
            b"qemu-",
            self.architecture.name(),
            ending,
        ]
    }

    /// Looks for the interpreter in its `directory`, which is open, and which of its two names it has there. The first that
    /// is there decides.
    ///
    /// # Errors
    /// Why it cannot serve.
    pub fn find(&mut self, directory: &OpenDirectory, must_be_static: bool) -> Result<(), Unfit> {
        let place = directory.file.as_ref().map_err(|errno| unreadable(*errno))?;
        for name in [InterpreterFile::Static, InterpreterFile::Plain] {
            self.file = name;
            match self.check(place.as_fd(), directory, must_be_static) {
                Err(Unfit::Missing) => {}
                found => return found,
            }
        }
        self.file = InterpreterFile::Static;
        Err(Unfit::Missing)
    }

    fn check(&mut self, place: BorrowedFd, directory: &OpenDirectory, must_be_static: bool) -> Result<(), Unfit> {
        let [_, _, name @ ..] = self.path();
        let mut buffer = PathBuffer::new();
        let file_name = join(&mut buffer, &name).map_err(Unfit::Unreadable)?;
        let inspected = inspect(place, file_name, directory, must_be_static)?;
        self.is_roots = inspected.is_roots;
        inspected.fit.map_err(Unfit::Defective)
    }
}

/// What a file is, as an interpreter.
#[derive(Debug)]
pub struct Inspected {
    /// Whether only root can replace it.
    pub is_roots: bool,
    /// How it begins, as far as the kernel looks.
    pub start: Vec<u8, FILE_START_LENGTH>,
    /// Whether it is a program that could be started.
    pub fit: Result<(), Defect>,
}

/// Looks at the file called `file_name` in `place`, which is `directory`.
///
/// # Errors
/// It is missing, or cannot be read.
pub fn inspect(
    place: BorrowedFd,
    file_name: &CStr,
    directory: &OpenDirectory,
    must_be_static: bool,
) -> Result<Inspected, Unfit> {
    // Not to wait for the other end of a pipe.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let file = open(place, file_name, flags).map_err(unreadable)?;
    let stat = fstat(&file).map_err(Unfit::Unreadable)?;
    let mut buffer = [MaybeUninit::<u8>::uninit(); 1024];
    let (start, _) = pread(&file, &mut buffer, 0).map_err(Unfit::Unreadable)?;
    let read = |buffer: &mut [u8], offset| pread(&file, buffer, offset).ok();
    Ok(Inspected {
        is_roots: directory.is_roots && directory.owners.only_root_can_replace(&stat).0,
        start: start.iter().copied().take(FILE_START_LENGTH).collect(),
        fit: judge(start, stat.st_size as u64, must_be_static, &read),
    })
}

/// Why what cannot be opened cannot serve.
pub fn unreadable(error: Errno) -> Unfit {
    match error {
        Errno::NOENT | Errno::NOTDIR => Unfit::Missing,
        error => Unfit::Unreadable(error),
    }
}

/// Judges a file as the kernel does that is to execute it (`load_elf_binary` and `load_elf_phdrs` in `fs/binfmt_elf.c`).
/// `start` is how it begins, `size` how many bytes it has, and `read` reads from an offset on what is not in the start.
///
/// # Errors
/// What is wrong with it.
pub fn judge(
    start: &[u8],
    size: u64,
    must_be_static: bool,
    read: &dyn Fn(&mut [u8], u64) -> Option<usize>,
) -> Result<(), Defect> {
    if !start.starts_with(b"\x7fELF") {
        return Err(Defect::NotElf);
    }
    if start.len() < HOST.class.header_length().into() {
        return Err(Defect::Truncated);
    }
    let header = ElfHeader::parse(start).filter(|header| header.is_of(HOST)).ok_or(Defect::OtherMachine)?;
    let segments = Segments::read(&header, start, size, read)?;
    if must_be_static && segments.linker.is_some() { Err(Defect::DynamicallyLinked) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges a file that is no longer than what is read of its start.
    fn judge(start: &[u8], size: u64, must_be_static: bool) -> Result<(), Defect> {
        super::judge(start, size, must_be_static, &|_, _| None)
    }

    /// This test program: dynamically linked, of the host.
    fn program() -> std::vec::Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn a_program_of_the_host() {
        let probe = HOST.probe();
        assert_eq!(judge(&probe, probe.len() as u64, true), Ok(()));
        let program = program();
        assert_eq!(judge(&program[..1024], program.len() as u64, true), Err(Defect::DynamicallyLinked));
        assert_eq!(judge(&program[..1024], program.len() as u64, false), Ok(()));
    }

    #[test]
    fn what_ends_too_early() {
        let probe = HOST.probe();
        for length in 4..probe.len() - HOST.exit_code.len() {
            assert_eq!(judge(&probe[..length], length as u64, true), Err(Defect::Truncated), "{length}");
        }
        assert_eq!(judge(&probe, probe.len() as u64 - 1, true), Err(Defect::Truncated));
        assert_eq!(judge(&HOST.probe_without_interpreter_name(), 1000, false), Err(Defect::Truncated), "no PT_LOAD");
    }

    #[test]
    fn what_is_no_program_of_the_host() {
        for start in [&b""[..], b"\x7fEL", b"#!/bin/sh\n", &[0; 1024]] {
            assert_eq!(judge(start, start.len() as u64, true), Err(Defect::NotElf));
        }
        for architecture in crate::architecture::ARCHITECTURES.iter() {
            let probe = architecture.probe();
            let expected = if architecture == HOST { Ok(()) } else { Err(Defect::OtherMachine) };
            // A header of 32 bits is shorter than the host's may be.
            if probe.len() >= HOST.class.header_length().into() {
                assert_eq!(judge(&probe, probe.len() as u64, true), expected, "{}", architecture.names);
            }
        }
        let mut object = HOST.probe();
        object[16..18].copy_from_slice(&1_u16.to_ne_bytes());
        assert_eq!(judge(&object, object.len() as u64, true), Err(Defect::OtherMachine));
    }

    /// The probe of the host, with other fields of its header, and what is at the end of the file.
    fn altered(fields: &[(usize, &[u8])]) -> std::vec::Vec<u8> {
        let mut probe = HOST.probe().to_vec();
        for (offset, bytes) in fields {
            probe[*offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        probe
    }

    #[test]
    fn program_headers_as_the_kernel_takes_them() {
        let is_64 = size_of::<usize>() == 8;
        let (phoff, phentsize, phnum) = if is_64 { (32, 54, 56) } else { (28, 42, 44) };
        let length = usize::from(HOST.class.program_header_length());
        for wrong in [0_u16, length as u16 - 1, length as u16 + 1] {
            assert_eq!(judge(&altered(&[(phentsize, &wrong.to_ne_bytes())]), 1000, true), Err(Defect::Malformed));
        }
        let most = (65536 / length) as u16;
        assert_eq!(judge(&altered(&[(phnum, &(most + 1).to_ne_bytes())]), 1000, true), Err(Defect::Malformed));
        assert_eq!(judge(&altered(&[(phnum, &most.to_ne_bytes())]), 1000, true), Err(Defect::Truncated));
        // They may be anywhere, also far after what is read of the start.
        let offset = if is_64 { 5_usize << 30 } else { 3 << 29 };
        let probe = altered(&[(phoff, &offset.to_ne_bytes())]);
        let header = &HOST.probe()[HOST.class.header_length().into()..][..length];
        let read = |buffer: &mut [u8], at: u64| {
            assert_eq!(at, offset as u64);
            buffer.copy_from_slice(header);
            Some(header.len())
        };
        assert_eq!(super::judge(&probe, u64::MAX, true, &read), Ok(()));
        assert_eq!(super::judge(&probe, u64::MAX, true, &|buffer, _| Some(buffer.len() - 1)), Err(Defect::Truncated));
        let last = altered(&[(phoff, &usize::MAX.to_ne_bytes()), (phnum, &2_u16.to_ne_bytes())]);
        assert_eq!(judge(&last, u64::MAX, true), Err(Defect::Truncated));
    }
}

//! The interpreters: where they are, and whether they can serve.

use super::file::open;
use super::path::{PathBuffer, join};
use crate::architecture::{Architecture, ElfHeader, HOST, PT_INTERP, PT_LOAD, ProgramHeader};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, OFlags, SeekFrom, seek};
use rustix::io::{self, Errno, pread};

/// Where interpreters are: `DIRECTORY/PREFIXqemu-ARCH-static` or `DIRECTORY/PREFIXqemu-ARCH`.
#[derive(Clone, Copy, Debug)]
pub struct Directory {
    /// An absolute path.
    pub path: &'static CStr,
    /// What the names of the files start with.
    pub prefix: &'static CStr,
}

/// The interpreter of an architecture, be it there or not.
#[derive(Clone, Copy, Debug)]
pub struct Interpreter {
    /// Of which architecture it executes programs.
    pub architecture: &'static Architecture,
    /// Where it is.
    pub directory: Directory,
    /// What its name ends with.
    pub file: InterpreterFile,
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
}

/// What is wrong with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// It is not an ELF file.
    NotElf,
    /// It ends too early.
    Truncated,
    /// It is for another machine.
    OtherMachine,
    /// It needs a dynamic linker, which registration mode does not provide.
    DynamicallyLinked,
}

impl Directory {
    /// Opens the directory to look for interpreters in it.
    ///
    /// # Errors
    /// Those of `openat(2)`.
    pub fn open(&self) -> io::Result<OwnedFd> {
        open(CWD, self.path, OFlags::PATH | OFlags::DIRECTORY)
    }
}

impl Interpreter {
    /// The path as parts to be joined: the directory, a slash, and the parts of the file's name.
    pub fn path(&self) -> [&[u8]; 6] {
        let ending: &[u8] = if self.file == InterpreterFile::Static { b"-static" } else { b"" };
        let directory = &self.directory;
        [
            directory.path.to_bytes(),
            b"/",
            directory.prefix.to_bytes(),
            b"qemu-",
            self.architecture.name.as_bytes(),
            ending,
        ]
    }

    /// Looks for the interpreter in its `directory`, as [`Directory::open`] has it, and which of its two names it has
    /// there. The first that is there decides.
    ///
    /// # Errors
    /// Why it cannot serve.
    pub fn find(&mut self, directory: &io::Result<OwnedFd>, must_be_static: bool) -> Result<(), Unfit> {
        let directory = directory.as_ref().map_err(|errno| unreadable(*errno))?;
        for file in [InterpreterFile::Static, InterpreterFile::Plain] {
            self.file = file;
            match self.check(directory.as_fd(), must_be_static) {
                Err(Unfit::Missing) => {}
                found => return found,
            }
        }
        self.file = InterpreterFile::Static;
        Err(Unfit::Missing)
    }

    fn check(&self, directory: BorrowedFd, must_be_static: bool) -> Result<(), Unfit> {
        let [_, _, name @ ..] = self.path();
        let mut buffer = PathBuffer::new();
        let file_name = join(&mut buffer, &name).map_err(Unfit::Unreadable)?;
        // Not to wait for the other end of a pipe.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let file = open(directory, file_name, flags).map_err(unreadable)?;
        let mut buffer = [MaybeUninit::<u8>::uninit(); 1024];
        let (start, _) = pread(&file, &mut buffer, 0).map_err(Unfit::Unreadable)?;
        // What has no end, such as a device, is judged by its start alone.
        let size = seek(&file, SeekFrom::End(0)).unwrap_or(u64::MAX);
        judge(start, size, must_be_static).map_err(Unfit::Defective)
    }
}

fn unreadable(error: Errno) -> Unfit {
    match error {
        Errno::NOENT | Errno::NOTDIR => Unfit::Missing,
        error => Unfit::Unreadable(error),
    }
}

/// Judges a file of `size` bytes by its `start`. Its program headers follow the ELF header, as linkers put them.
///
/// # Errors
/// What is wrong with it.
pub fn judge(start: &[u8], size: u64, must_be_static: bool) -> Result<(), Defect> {
    if !start.starts_with(b"\x7fELF") {
        return Err(Defect::NotElf);
    }
    let header = ElfHeader::parse(start, HOST).ok_or(Defect::Truncated)?;
    if !header.is_program {
        return Err(Defect::OtherMachine);
    }
    let offset = usize::try_from(header.program_headers_offset).unwrap_or(usize::MAX);
    let mut program_headers =
        start.get(offset..).unwrap_or_default().chunks_exact(HOST.class.program_header_length().into());
    let mut loads = false;
    for _ in 0..header.program_headers {
        let program_header = program_headers.next().and_then(ProgramHeader::parse).ok_or(Defect::Truncated)?;
        match program_header.kind {
            PT_INTERP if must_be_static => return Err(Defect::DynamicallyLinked),
            PT_LOAD if program_header.end > size => return Err(Defect::Truncated),
            PT_LOAD => loads = true,
            _ => {}
        }
    }
    if loads { Ok(()) } else { Err(Defect::Truncated) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for architecture in &crate::architecture::ARCHITECTURES {
            let probe = architecture.probe();
            let expected = if architecture.name == HOST.name { Ok(()) } else { Err(Defect::OtherMachine) };
            // A header of 32 bits is shorter than the host's may be.
            if probe.len() >= HOST.class.header_length().into() {
                assert_eq!(judge(&probe, probe.len() as u64, true), expected, "{}", architecture.name);
            }
        }
        let mut object = HOST.probe();
        object[16..18].copy_from_slice(&1_u16.to_ne_bytes());
        assert_eq!(judge(&object, object.len() as u64, true), Err(Defect::OtherMachine));
        let mut odd = HOST.probe();
        let e_phentsize = if size_of::<usize>() == 8 { 54 } else { 42 };
        odd[e_phentsize..][..2].copy_from_slice(&33_u16.to_ne_bytes());
        assert_eq!(judge(&odd, odd.len() as u64, true), Err(Defect::OtherMachine));
    }
}

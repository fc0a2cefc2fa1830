//! A file that is to be executed, as the kernel looks at it first.

use super::root::Root;
use super::segments::{Defect, Segments};
use crate::architecture::{ElfHeader, ProgramHeader};
use crate::sys::may_execute;
use core::cell::Cell;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use heapless::Vec;
use linux_raw_sys::general::MS_NOEXEC; // ST_NOEXEC is the same bit
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, fstat, fstatfs};
use rustix::io::{self, Errno, pread};

/// Why a file cannot be executed, whatever is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// There is no such file.
    Missing,
    /// It is a directory.
    Directory,
    /// It is something else than a file.
    NotRegular,
    /// Its mode forbids it.
    NotExecutable,
    /// It is on a file system that is mounted with `noexec`.
    NoExec,
    /// It cannot be opened, so that nothing is known.
    Unopened(Errno),
    /// It cannot be read, so that nothing is known.
    Unreadable(Errno),
}

/// A file that may be executed, as far as its mode and its mount are concerned.
#[derive(Debug)]
pub struct Program {
    file: OwnedFd,
    /// How it starts.
    pub start: Vec<u8, 1024>,
    size: u64,
}

impl Program {
    /// Opens the file that is at `path` in `root`.
    ///
    /// # Errors
    /// Why it cannot be executed.
    pub fn open(root: &Root, path: &CStr) -> Result<Self, Obstacle> {
        // Not to be read yet: that may do something if it is no regular file.
        let place = root.open(path, OFlags::PATH).map_err(|errno| match errno {
            Errno::NOENT | Errno::NOTDIR => Obstacle::Missing,
            errno => Obstacle::Unopened(errno),
        })?;
        let stat = fstat(&place).map_err(Obstacle::Unreadable)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(Obstacle::Directory),
            _ => return Err(Obstacle::NotRegular),
        }
        let mount = fstatfs(&place).map_err(Obstacle::Unreadable)?;
        #[allow(clippy::unnecessary_cast)] // the type depends on the host
        if mount.f_flags as u64 & u64::from(MS_NOEXEC) != 0 {
            return Err(Obstacle::NoExec);
        }
        match may_execute(&place) {
            Ok(()) => {}
            // An older kernel: the mode has to tell, for one who may do everything.
            Err(Errno::NOSYS) if Mode::from_raw_mode(stat.st_mode).intersects(EXECUTABLE) => {}
            Err(Errno::NOSYS | Errno::ACCESS) => return Err(Obstacle::NotExecutable),
            Err(errno) => return Err(Obstacle::Unreadable(errno)),
        }
        let file = root.open(path, OFlags::RDONLY | OFlags::NONBLOCK).map_err(Obstacle::Unopened)?;
        let mut buffer = [MaybeUninit::<u8>::uninit(); 1024];
        let (bytes, _) = pread(&file, &mut buffer, 0).map_err(Obstacle::Unreadable)?;
        let start = Vec::from_slice(bytes).unwrap_or_default();
        Ok(Self { file, start, size: stat.st_size as u64 })
    }

    /// The file, open to be read.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// What the program headers say, or what is wrong with them.
    ///
    /// # Errors
    /// Those of `pread64(2)`.
    pub fn segments(&self, header: &ElfHeader) -> io::Result<Result<Segments, Defect>> {
        let failed = Cell::new(None);
        let read = |buffer: &mut [u8], offset: u64| {
            pread(&self.file, buffer, offset).map_err(|errno| failed.set(Some(errno))).ok()
        };
        let segments = Segments::read(header, &self.start, self.size, &read);
        failed.get().map_or(Ok(segments), Err)
    }

    /// What is in a segment, as far as the buffer has room for it.
    ///
    /// # Errors
    /// Those of `pread64(2)`.
    pub fn segment<'a>(&self, segment: ProgramHeader, buffer: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a [u8]> {
        if segment.offset > self.size {
            return Ok(b""); // the kernel does not take such an offset at all
        }
        let length = usize::try_from(segment.size).unwrap_or(usize::MAX).min(buffer.len());
        let (bytes, _) = pread(&self.file, buffer.get_mut(..length).unwrap_or_default(), segment.offset)?;
        Ok(bytes)
    }
}

/// That anybody may execute a file.
const EXECUTABLE: Mode = Mode::XUSR.union(Mode::XGRP).union(Mode::XOTH);

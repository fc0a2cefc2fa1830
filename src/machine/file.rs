//! Files.

use core::ffi::CStr;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{self, write};

/// Opens the file at `path` in the directory `dir`, to be closed on execution. One that it creates is its owner's, and
/// executable.
///
/// # Errors
/// Those of `openat(2)`.
pub fn open(dir: BorrowedFd, path: &CStr, flags: OFlags) -> io::Result<OwnedFd> {
    openat(dir, path, flags | OFlags::CLOEXEC, Mode::RWXU)
}

/// Opens the file at `path` in the directory `dir`, writes `bytes` to it in one call, and closes it.
///
/// # Errors
/// Those of `openat(2)` and `write(2)`.
pub fn write_file(dir: BorrowedFd, path: &CStr, flags: OFlags, bytes: &[u8]) -> io::Result<()> {
    let file = open(dir, path, OFlags::WRONLY | flags)?;
    write(file, bytes).map(drop)
}

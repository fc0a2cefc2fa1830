//! Files.

use core::ffi::CStr;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{self, Errno, write};

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
/// Those of `openat(2)` and `write(2)`, as in `write_all`.
pub fn write_file(dir: BorrowedFd, path: &CStr, flags: OFlags, bytes: &[u8]) -> io::Result<()> {
    write_all(&open(dir, path, OFlags::WRONLY | flags)?, bytes)
}

/// Writes `bytes` in one call.
///
/// # Errors
/// Those of `write(2)`. `FBIG`: only a part was written, as a limit of the size of files has it.
pub fn write_all(file: &OwnedFd, bytes: &[u8]) -> io::Result<()> {
    if write(file, bytes)? == bytes.len() { Ok(()) } else { Err(Errno::FBIG) }
}

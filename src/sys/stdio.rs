//! The standard descriptors.

use core::mem::forget;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::fs::{CWD, Mode, OFlags, openat};

/// Standard output.
pub fn stdout() -> BorrowedFd<'static> {
    // SAFETY: nothing here closes it. Where `occupy_standard_descriptors` could not open it, a write fails with EBADF.
    unsafe { rustix::stdio::stdout() }
}

/// Standard error.
pub fn stderr() -> BorrowedFd<'static> {
    // SAFETY: as above.
    unsafe { rustix::stdio::stderr() }
}

/// Opens those of the standard descriptors that are closed, so that no file opened later gets their numbers: a message
/// would be written into it, and `register` is one of the files this tool opens.
///
/// They are opened with `O_PATH`, so that they can be neither read nor written, and closed on execution.
pub fn occupy_standard_descriptors() {
    while let Ok(descriptor) = openat(CWD, c"/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        if descriptor.as_raw_fd() > 2 {
            break;
        }
        forget(descriptor);
    }
}

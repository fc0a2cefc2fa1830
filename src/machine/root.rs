//! The root directory that a program is to run in.

use super::file::open;
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io;

/// A root directory: this process's own, or another one, which is not entered.
#[derive(Debug)]
pub struct Root(Option<OwnedFd>);

impl Root {
    /// This process's own.
    pub const OWN: Self = Self(None);

    /// The one at `path`; `None`: this process's own.
    ///
    /// # Errors
    /// Those of `openat(2)`.
    pub fn at(path: Option<&CStr>) -> io::Result<Self> {
        let directory = path.map(|path| open(CWD, path, OFlags::PATH | OFlags::DIRECTORY));
        directory.transpose().map(Self)
    }

    /// It, if it is another one.
    pub fn directory(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(AsFd::as_fd)
    }

    /// Opens what a process that has this root finds at `path`, through symbolic links too (`openat2(2)`, Linux 5.6, for
    /// another root).
    ///
    /// # Errors
    /// Those of `openat(2)` and `openat2(2)`.
    pub fn open(&self, path: &CStr, flags: OFlags) -> io::Result<OwnedFd> {
        match &self.0 {
            None => open(CWD, path, flags),
            Some(root) => openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::IN_ROOT),
        }
    }
}

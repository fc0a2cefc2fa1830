//! The entries of a binfmt_misc file system, to look at.

use super::entry::{Entry, is_enabled};
use crate::machine::open;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use linux_raw_sys::general::BINFMTFS_MAGIC;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, OFlags, RawDir, fstatfs};
use rustix::io::{self, Errno, read};
use rustix::mount::{OpenTreeFlags, open_tree};

/// The files that are no entries.
static NO_ENTRIES: [&CStr; 4] = [c".", c"..", c"register", c"status"];

/// Room for the text of an entry, which is not longer than a page.
pub type TextBuffer = [MaybeUninit<u8>; 4096];

/// A binfmt_misc file system, open to be looked at. While it is open it stays.
#[derive(Debug)]
pub struct Entries {
    root: OwnedFd,
}

impl Entries {
    /// The file system mounted at `mount_point`; `None` if no binfmt_misc is mounted there.
    ///
    /// # Errors
    /// Those of `openat(2)` and `fstatfs(2)`.
    #[allow(clippy::unnecessary_cast)] // the type of f_type depends on the host
    pub fn mounted_at(mount_point: &CStr) -> io::Result<Option<Self>> {
        let root = match open_directory(CWD, mount_point) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            root => root?,
        };
        // Another file system may have a file called `register` too.
        let is_binfmt_misc = fstatfs(&root)?.f_type as u64 == u64::from(BINFMTFS_MAGIC);
        Ok(is_binfmt_misc.then_some(Self { root }))
    }

    /// The file system with this root.
    pub(super) fn of(root: OwnedFd) -> Self {
        Self { root }
    }

    /// Its root directory.
    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Calls `each` with the name of every entry.
    ///
    /// # Errors
    /// Those of `openat(2)` and `getdents64(2)`.
    pub fn for_each(&self, each: &mut dyn FnMut(&CStr)) -> io::Result<()> {
        // Opened anew, so that the listing starts at the first entry.
        let directory = open_directory(self.root(), c".")?;
        let mut buffer = [MaybeUninit::uninit(); 2048];
        let mut files = RawDir::new(directory, &mut buffer);
        while let Some(file) = files.next() {
            let file = file?;
            if !NO_ENTRIES.contains(&file.file_name()) {
                each(file.file_name());
            }
        }
        Ok(())
    }

    /// Reads an entry into the buffer; `None` if there is none of that name.
    ///
    /// # Errors
    /// Those of `openat(2)` and `read(2)`.
    pub fn read<'a>(&self, name: &CStr, buffer: &'a mut TextBuffer) -> io::Result<Option<Entry<'a>>> {
        match self.text(name, buffer) {
            Err(Errno::NOENT) => Ok(None),
            text => Ok(Some(Entry::parse(text?))),
        }
    }

    /// Whether binfmt_misc is enabled as a whole, and not disabled by a `0` written to `status`.
    ///
    /// # Errors
    /// Those of `openat(2)` and `read(2)`.
    pub fn are_enabled(&self) -> io::Result<bool> {
        let mut buffer: TextBuffer = [MaybeUninit::uninit(); size_of::<TextBuffer>()];
        Ok(is_enabled(self.text(c"status", &mut buffer)?))
    }

    /// The same file system, by a mount that belongs to no namespace: whoever wants to unmount it can (`open_tree(2)`).
    /// Where there is no such call, the same as before.
    pub fn without_mount_point(self) -> Self {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
        let root = open_tree(&self.root, c"", flags).unwrap_or(self.root);
        Self { root }
    }

    fn text<'a>(&self, file: &CStr, buffer: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a [u8]> {
        let file = open(self.root(), file, OFlags::RDONLY)?;
        let (text, _) = read(file, buffer)?;
        Ok(text)
    }
}

fn open_directory(dir: BorrowedFd, path: &CStr) -> io::Result<OwnedFd> {
    open(dir, path, OFlags::RDONLY | OFlags::DIRECTORY)
}

//! Getting at the kernel's binfmt_misc file system, and its files: `register` and one per entry.
//!
//! See the kernel's `Documentation/admin-guide/binfmt-misc.rst`.

use crate::fd::{self, DIRECTORY, Fd, HERE, READ, WRITE, attach, fstat, fstatfs, list, open, stat, write, write_file};
use crate::text::{c_str, position};
use core::ffi::CStr;
use rustix::io::{Errno, Result};
use rustix::mount::{MountFlags, mount};

/// `BINFMTFS_MAGIC` of `include/uapi/linux/magic.h`.
const MAGIC: u64 = 0x4249_4e4d;

/// The text of an entry is at most a page long.
pub type EntryText = [u8; 4096];

/// How the file system was reached, and so how long it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It was mounted at the directory.
    Mounted,
    /// By descriptor only, without a mount point.
    Detached,
    /// Mounted at the directory now, and left there.
    MountedNow,
}

/// binfmt_misc, open.
#[derive(Clone, Copy, Debug)]
pub struct BinfmtMisc {
    /// How it was reached.
    pub way: Way,
    root: Fd,
    /// `register`, open for writing and locked; `root` where the file system was opened only to look.
    register: Fd,
}

impl BinfmtMisc {
    /// Opens binfmt_misc: to `change` it, which waits until no other process of this tool does, or to look at it.
    ///
    /// In a user namespace other than the first (`first` false) what is mounted at `dir` may be another namespace's:
    /// there, and where nothing is mounted, the file system is asked for anew, which loads the module too. Not so only
    /// to look: it would make a new, empty one and so hide the parent's entries.
    ///
    /// # Errors
    /// `PERM`: neither the new nor the old mount calls are permitted. `NODEV`: the kernel has no binfmt_misc. Others as
    /// of `mount(2)`.
    pub fn open(dir: &CStr, first: bool, change: bool) -> Result<Self> {
        if first || !change {
            let mounted = directory(dir).and_then(|root| Self::with(Way::Mounted, root, change));
            if mounted.is_ok() || !first {
                return mounted;
            }
        }
        let asked = match fd::mount(c"binfmt_misc") {
            Ok(mount) => {
                let root = open(mount, c".", DIRECTORY)?;
                // It shall last as long as the namespace, which a descriptor of this process would not do.
                let same = || Some(fstat(root).ok()?.st_dev == stat(HERE, dir).ok()?.st_dev);
                let kept = !first && (same() == Some(true) || attach(mount, HERE, dir).is_ok());
                // SAFETY: it is not used afterwards.
                unsafe { mount.close() };
                return Self::with(if kept { Way::MountedNow } else { Way::Detached }, root, change);
            }
            Err(error) => error,
        };
        if asked == Errno::NODEV {
            return Err(asked);
        }
        // No such calls (before Linux 5.2), or a filter that does not know them.
        match mount(c"binfmt_misc", dir, c"binfmt_misc", MountFlags::empty(), None) {
            // Busy: it is mounted there.
            Ok(()) | Err(Errno::BUSY) => Self::with(Way::MountedNow, directory(dir)?, change),
            Err(Errno::NOENT) if asked != Errno::NOSYS => Err(asked),
            Err(error) => Err(error),
        }
    }

    #[inline(never)]
    fn with(way: Way, root: Fd, change: bool) -> Result<Self> {
        let mut register = root;
        if change {
            register = open(root, c"register", WRITE)?;
            // On `register`, because only those who may write it can hold this lock against us.
            fd::lock(register)?;
        }
        Ok(Self { way, root, register })
    }

    /// Lets go of it. An unlocked detached file system without a pin is gone then.
    ///
    /// # Safety
    /// It must not be used again.
    pub unsafe fn close(self) {
        // SAFETY: as the caller vouches.
        unsafe {
            self.root.close();
            self.register.close();
        }
    }

    /// Whether it is disabled as a whole, by a `0` in `status`.
    pub fn is_off(&self) -> bool {
        let mut buffer: EntryText = [0; 4096];
        self.read(c"status", &mut buffer).is_ok_and(|text| text.starts_with(b"disabled"))
    }

    /// Registers an entry by its `line`, in one write.
    ///
    /// # Errors
    /// `EXIST`: the name is taken. `INVAL`: the kernel does not understand the line. With the flag `F`, also what opening
    /// the interpreter gave.
    pub fn register(&self, line: &[u8]) -> Result<()> {
        write(self.register, line).map(drop)
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// `NOENT`: there is none of that name. `ACCESS`, `PERM`: not ours to remove.
    pub fn remove(&self, name: &CStr) -> Result<()> {
        write_file(self.root, name, WRITE, b"-1").map(drop)
    }

    /// The names of all entries.
    pub fn entries(&self) -> Names {
        // Opened afresh, so that each starts at the first entry.
        Names { directory: open(self.root, c".", DIRECTORY), buffer: [0; 2048], length: 0, at: 0 }
    }

    /// Reads what an entry says of itself into `buffer`.
    ///
    /// # Errors
    /// `NOENT`: there is none of that name.
    pub fn read<'a>(&self, name: &CStr, buffer: &'a mut EntryText) -> Result<&'a [u8]> {
        let file = open(self.root, name, READ)?;
        let length = fd::read(file, buffer);
        // SAFETY: it is not used afterwards.
        unsafe { file.close() };
        Ok(buffer.get(..length?).unwrap_or_default())
    }
}

/// The names of entries, one after the other.
pub struct Names {
    directory: Result<Fd>,
    buffer: [u8; 2048],
    length: usize,
    at: usize,
}

impl Names {
    /// The next one.
    #[inline(never)]
    pub fn following(&mut self) -> Option<&CStr> {
        // struct linux_dirent64: inode and offset, 8 bytes each; length of the record, 2; type, 1; name
        loop {
            if self.at >= self.length {
                let directory = self.directory.ok()?;
                self.length = list(directory, &mut self.buffer).unwrap_or(0);
                self.at = 0;
                if self.length == 0 {
                    self.directory = Err(Errno::NOENT);
                    // SAFETY: it is not used afterwards.
                    unsafe { directory.close() };
                    return None;
                }
            }
            let start = self.at;
            let &[low, high] = self.buffer.get(start + 16..)?.first_chunk()?;
            self.at += usize::from(u16::from_ne_bytes([low, high]));
            let name = c_str(self.buffer.get(start + 19..self.length)?)?;
            if position(b". .. register status", name.to_bytes()).is_none() {
                return c_str(self.buffer.get(start + 19..)?);
            }
        }
    }
}

/// The directory, if binfmt_misc is mounted there.
fn directory(dir: &CStr) -> Result<Fd> {
    let root = open(HERE, dir, DIRECTORY)?;
    // A directory of another kind may hold a file `register` too.
    if fstatfs(root)?.f_type as u64 == MAGIC { Ok(root) } else { Err(Errno::NOENT) }
}

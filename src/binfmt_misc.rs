//! Getting at the kernel's binfmt_misc file system, and its files: `register` and one per entry.
//!
//! See the kernel's `Documentation/admin-guide/binfmt-misc.rst`.

use crate::arch::call;
use crate::errno::{Errno, Result, check};
use crate::fd::{
    self, DIRECTORY, Fd, HERE, NOWHERE, READ, WRITE, attach, kind, list, numbers, open, write, write_file,
};
use crate::handler::enabled;
use crate::text::Text;
use core::mem::MaybeUninit;
use linux_raw_sys::general as sys;

/// `BINFMTFS_MAGIC` of `include/uapi/linux/magic.h`.
const MAGIC: u64 = 0x4249_4e4d;

/// Room for the text of an entry, which is at most a page long.
pub type EntryText = MaybeUninit<[u8; 4096]>;

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

/// binfmt_misc, open, or why it is not.
#[derive(Clone, Copy, Debug)]
pub struct BinfmtMisc {
    /// How it was reached.
    pub way: Way,
    /// Another namespace's, which was mounted at the directory before.
    before: Fd,
    /// If it could not be opened, the error instead.
    root: Fd,
    /// `register`, open for writing and locked; `root` where the file system was opened only to look.
    register: Fd,
}

impl BinfmtMisc {
    /// Opens binfmt_misc: to `change` it, which waits until no other process of this tool does, or to look at it.
    ///
    /// In a user namespace other than the first (`first` false) what is mounted at `dir` may be another namespace's:
    /// then, and where nothing is mounted, the file system is asked for anew, which loads the module too. Not so only
    /// to look: it would make a new, empty one and so hide the parent's entries.
    ///
    /// Where it cannot be had, [`BinfmtMisc::failed`] says why. `PERM`: neither the new nor the old mount calls are
    /// permitted. `NODEV`: the kernel has no binfmt_misc. Others as of `mount(2)`.
    pub fn open(dir: Text, first: bool, change: bool) -> Self {
        let mut fs = MaybeUninit::uninit();
        Self::reach(&mut fs, dir, first, change);
        // SAFETY: `reach` fills it in.
        unsafe { fs.assume_init() }
    }

    /// Fills in `place`: a result that is returned would be copied.
    #[inline(never)]
    fn reach(place: &mut MaybeUninit<Self>, dir: Text, first: bool, change: bool) {
        let there = directory(dir);
        let fs = place.write(Self { way: Way::Mounted, before: NOWHERE, root: NOWHERE, register: NOWHERE });
        if first || !change || fd::administers(there) {
            fs.enter(there, change);
            if fs.root.opened().is_ok() || !first && !change {
                return;
            }
        } else {
            fs.before = there;
        }
        fs.way = Way::MountedNow;
        let mut root = Fd::or_error(fd::mount(Text::new(c"binfmt_misc")));
        match root.opened() {
            Ok(_) => {
                // It shall last as long as the namespace, which a descriptor of this process would not do.
                if first || attach(root, HERE, dir).is_err() {
                    fs.way = Way::Detached;
                }
            }
            Err(Errno::NODEV) => {}
            // No such calls (before Linux 5.2), or a filter that does not know them.
            Err(asked) => {
                let kind = c"binfmt_misc".as_ptr();
                // SAFETY: the strings outlive the call; the last pointer is null.
                match check(unsafe { call!(sys::__NR_mount, kind, dir.as_ptr(), kind, 0usize, 0usize) }) {
                    // Busy: it is mounted there.
                    Ok(_) | Err(Errno::BUSY) => root = directory(dir),
                    Err(Errno::NOENT) if asked != Errno::NOSYS => {}
                    Err(error) => root = Fd::or_error(Err(error)),
                }
            }
        }
        fs.enter(root, change);
    }

    /// Makes do with `root`, which may be an error.
    fn enter(&mut self, root: Fd, change: bool) {
        self.root = root;
        self.register = root;
        if root.opened().is_ok() && change {
            // On `register`, because only those who may write it can hold a lock on it against us.
            let locked = open(root, Text::new(c"register"), WRITE).and_then(|register| {
                self.register = register;
                fd::lock(register)
            });
            if let Err(error) = locked {
                self.root = Fd::or_error(Err(error));
            }
        }
    }

    /// Why it could not be opened.
    pub fn failed(&self) -> Option<Errno> {
        self.root.opened().err()
    }

    /// The one that was in force before this one, if there was another, to look at.
    #[inline(always)]
    pub fn parent(&self) -> Option<Self> {
        let both = self.root.opened().is_ok() && self.before.opened().is_ok();
        both.then_some(Self { root: self.before, ..*self })
    }

    /// Lets go of it. An unlocked detached file system without a pin is gone then.
    ///
    /// # Safety
    /// It must not be used again.
    #[inline(never)]
    pub unsafe fn close(self) {
        // SAFETY: as the caller vouches.
        unsafe {
            self.root.close();
            self.register.close();
        }
    }

    /// Keeps it to look at, but lets others change it and unmount it where it was mounted.
    pub fn let_go(&mut self) {
        let copy = fd::copy_tree(self.root).unwrap_or(self.root);
        // SAFETY: they are not used afterwards.
        unsafe {
            self.register.close();
            if copy.number() != self.root.number() {
                self.root.close();
            }
        }
        (self.root, self.register) = (copy, copy);
    }

    /// Asks for a SIGIO whenever something is written to one of its files, and so whenever an entry is removed.
    ///
    /// # Errors
    /// Those of `fcntl(2)`, `F_NOTIFY`.
    pub fn notify(&self) -> Result<i32> {
        let directory = open(self.root, Text::new(c"."), DIRECTORY)?;
        fd::notify(directory)
    }

    /// A number that only this entry has; 0 if there is none of that name.
    pub fn identity(&self, name: Text) -> u64 {
        numbers(self.root, name).1
    }

    /// Whether an entry is there and in force.
    pub fn is_enabled(&self, name: Text) -> bool {
        enabled(self.read(name, &mut EntryText::uninit()))
    }

    /// Whether it is disabled as a whole, by a `0` in `status`.
    pub fn is_off(&self) -> bool {
        !self.is_enabled(Text::new(c"status"))
    }

    /// Registers an entry by its `line`, in one write.
    ///
    /// # Errors
    /// `EXIST`: the name is taken. `INVAL`: the kernel does not understand the line. With the flag `F`, also what opening
    /// the interpreter gave.
    pub fn register(&self, line: &[u8]) -> Result<usize> {
        write(self.register, line)
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// `NOENT`: there is none of that name. `ACCESS`, `PERM`: not ours to remove.
    #[inline(always)]
    pub fn remove(&self, name: Text) -> Result<i32> {
        write_file(self.root, name, WRITE, b"-1")
    }

    /// The names of all entries; none if it could not be opened.
    #[inline(never)]
    pub fn entries(&self) -> Names {
        // Opened afresh, so that each starts at the first entry. If it cannot be, there are none.
        let directory = Fd::or_error(open(self.root, Text::new(c"."), DIRECTORY));
        Names { at: 0, length: 0, directory, buffer: MaybeUninit::uninit() }
    }

    /// Reads what an entry says of itself into `buffer`; nothing if there is none of that name.
    pub fn read<'a>(&self, name: Text, buffer: &'a mut EntryText) -> Text<'a> {
        // SAFETY: the name outlives the call. If the file cannot be opened, it cannot be read or closed either. The
        // kernel has written as many bytes as it says, and left room for another.
        unsafe {
            let file = call!(sys::__NR_openat, self.root.number(), name.as_ptr(), READ | sys::O_CLOEXEC);
            let length = call!(sys::__NR_pread64, file, buffer.as_mut_ptr(), size_of::<EntryText>() - 1, 0usize);
            call!(sys::__NR_close, file);
            let start = buffer.as_mut_ptr().cast::<u8>();
            *start.add(length.max(0) as usize) = 0;
            Text::from_ptr(start.cast())
        }
    }
}

/// The names of entries, one after the other.
#[repr(C)] // the long one last
pub struct Names {
    /// Where the next record is, of `length` bytes of them.
    at: u32,
    length: u32,
    directory: Fd,
    /// Aligned as the records are.
    buffer: MaybeUninit<[u64; 256]>,
}

impl Names {
    /// The next one.
    pub fn following(&mut self) -> Option<Text<'_>> {
        loop {
            if self.at >= self.length {
                let directory = self.directory;
                let length = list(directory, &mut self.buffer);
                if length <= 0 {
                    // SAFETY: it is not used afterwards.
                    unsafe { directory.close() };
                    self.directory = NOWHERE;
                    return None;
                }
                self.length = length as u32;
                self.at = 0;
            }
            // SAFETY: the kernel has written whole records, and ends each name with a NUL byte.
            let name = unsafe {
                let record: *const sys::linux_dirent64 = self.buffer.as_ptr().byte_add(self.at as usize).cast();
                self.at += u32::from((*record).d_reclen);
                Text::from_ptr((&raw const (*record).d_name).cast())
            };
            if Text::new(c". .. register status").position(name) == 0 {
                return Some(name);
            }
        }
    }
}

/// The directory, if binfmt_misc is mounted there; else an error.
fn directory(dir: Text) -> Fd {
    Fd::or_error(open(HERE, dir, DIRECTORY).and_then(|root| {
        // A directory of another kind may hold a file `register` too.
        if kind(root)? == MAGIC { Ok(root) } else { Err(Errno::NOENT) }
    }))
}

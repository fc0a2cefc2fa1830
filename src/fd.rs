//! File descriptors, and the system calls on them, one function each.

use crate::arch::{self, call};
use crate::errno::{Errno, Result, check};
use crate::text::Text;
use core::mem::MaybeUninit;
use linux_raw_sys::general as sys;
use linux_raw_sys::ioctl::FITHAW;

/// An open descriptor. It is not closed by itself: most serve until the process ends, and the functions here close
/// what they open for a moment.
#[derive(Clone, Copy, Debug)]
pub struct Fd(i32);

/// The working directory, where a path starts that is relative.
pub const HERE: Fd = Fd(sys::AT_FDCWD);
/// None: whatever is done with it fails.
pub const NOWHERE: Fd = Fd(-1);
/// Standard output.
pub const STDOUT: Fd = Fd(1);
/// Standard error.
pub const STDERR: Fd = Fd(2);

/// To read, without waiting for the other end of a pipe; as the other flags in `open(2)`.
pub const READ: u32 = sys::O_RDONLY | sys::O_NONBLOCK;
/// To write.
pub const WRITE: u32 = sys::O_WRONLY;
/// To list.
pub const DIRECTORY: u32 = sys::O_RDONLY | sys::O_DIRECTORY;
/// To make, executable by its owner; by [`write_file`] only.
pub const CREATE: u32 = sys::O_WRONLY | sys::O_CREAT;
/// To stand for a place, neither readable nor writable.
pub const PATH: u32 = sys::O_PATH;

/// What is made here is its owner's.
const MODE: u32 = 0o700;

impl Fd {
    /// What is open, or a descriptor that is not: whatever is done with it fails. (The error that has the number of
    /// [`HERE`] is one of sockets.)
    pub fn or_error(opened: Result<Self>) -> Self {
        opened.unwrap_or_else(|error| Self(error.answer()))
    }

    /// Whether it is open, or why not.
    ///
    /// # Errors
    /// What [`Fd::or_error`] was given.
    pub fn opened(self) -> Result<Self> {
        check(self.0).map(Self)
    }

    /// Its number.
    pub fn number(self) -> i32 {
        self.0
    }

    /// Closes it.
    ///
    /// # Safety
    /// It must not be used again.
    pub unsafe fn close(self) {
        // SAFETY: as the caller vouches.
        _ = unsafe { call!(sys::__NR_close, self.0) };
    }
}

/// `openat(2)`, with `O_CLOEXEC`.
///
/// # Errors
/// Those of the call.
#[inline(always)]
pub fn open(dir: Fd, path: Text, flags: u32) -> Result<Fd> {
    // SAFETY: the path outlives the call.
    check(unsafe { call!(sys::__NR_openat, dir.0, path.as_ptr(), flags | sys::O_CLOEXEC) }).map(Fd)
}

/// Reads from the start of a file what there is room for (`pread64(2)`).
///
/// # Errors
/// Those of the call.
#[inline(always)]
pub fn read<const N: usize>(file: Fd, room: &mut MaybeUninit<[u8; N]>) -> Result<&[u8]> {
    // SAFETY: the kernel writes within the room, as many bytes as it says.
    unsafe {
        let length = check(call!(sys::__NR_pread64, file.0, room.as_mut_ptr(), N, 0usize))?;
        Ok(core::slice::from_raw_parts(room.as_ptr().cast(), length as usize))
    }
}

/// `write(2)`; how much was written.
///
/// # Errors
/// Those of the call.
#[inline(always)]
pub fn write(file: Fd, bytes: &[u8]) -> Result<usize> {
    // SAFETY: the bytes outlive the call.
    check(unsafe { call!(sys::__NR_write, file.0, bytes.as_ptr(), bytes.len()) }).map(|length| length as usize)
}

/// Opens a file as `flags` say, writes `bytes` to it in one call, and closes it.
///
/// # Errors
/// Those of `openat(2)` and `write(2)`.
#[inline(always)]
pub fn write_file(dir: Fd, path: Text, flags: u32, bytes: &[u8]) -> Result<i32> {
    fn answer(dir: Fd, path: Text, flags: u32, bytes: &[u8]) -> i32 {
        // SAFETY: path and bytes outlive the calls; the descriptor is not used afterwards.
        unsafe {
            let file = call!(sys::__NR_openat, dir.0, path.as_ptr(), flags | sys::O_CLOEXEC, MODE);
            if file < 0 {
                return file;
            }
            let written = call!(sys::__NR_write, file, bytes.as_ptr(), bytes.len());
            call!(sys::__NR_close, file);
            written
        }
    }
    check(answer(dir, path, flags, bytes))
}

/// The size of a file, the lowest 32 bits of it (`lseek(2)`, which is quicker than `stat(2)`). Of what has none, a
/// great number.
#[inline(always)]
pub fn size(file: Fd) -> usize {
    // SAFETY: numbers only.
    unsafe { call!(sys::__NR_lseek, file.0, 0usize, sys::SEEK_END) as u32 as usize }
}

/// The numbers of the file system that a file is in, and of the file in that; zeros if it cannot be looked at
/// (`stat(2)`). A blank path stands for the file that `dir` is open on.
pub fn numbers(dir: Fd, path: Text) -> (u64, u64) {
    #[allow(clippy::unnecessary_cast)] // the types are not the same on every host
    fn look(dir: Fd, path: Text, told: &mut [u64; 2]) {
        let mut place = MaybeUninit::<arch::Stat>::uninit();
        // SAFETY: the path outlives the call; the kernel fills the structure in, if it succeeds.
        unsafe {
            if arch::stat(dir.0, path.as_ptr(), place.as_mut_ptr()) == 0 {
                let stat = place.assume_init_ref();
                *told = [stat.st_dev as u64, stat.st_ino as u64];
            }
        }
    }
    let mut told = [0; 2];
    look(dir, path, &mut told);
    told.into()
}

/// Makes a file longer, if it can (`ftruncate(2)`).
pub fn lengthen(file: Fd, length: usize) {
    // SAFETY: numbers only.
    _ = unsafe { call!(sys::__NR_ftruncate, file.0, length) };
}

/// The kind of the file system that a file is in.
///
/// # Errors
/// Those of `fstatfs(2)`.
pub fn kind(file: Fd) -> Result<u64> {
    let mut place = MaybeUninit::<sys::statfs>::uninit();
    // SAFETY: the kernel fills the structure in, if it succeeds.
    unsafe {
        check(call!(sys::__NR_fstatfs, file.0, place.as_mut_ptr())).map(|_| place.assume_init_ref().f_type as u64)
    }
}

/// Whether the file system that a file is in, which cannot be frozen, belongs to a user namespace in which this process
/// has `CAP_SYS_ADMIN`: any other it may not thaw (`FITHAW`), and this one need not be.
pub fn administers(file: Fd) -> bool {
    // SAFETY: there is no argument.
    unsafe { call!(sys::__NR_ioctl, file.0, FITHAW, 0usize) == Errno::INVAL.answer() }
}

/// Waits until it is the only one to hold `file` locked (`flock(2)`).
///
/// # Errors
/// Those of the call.
pub fn lock(file: Fd) -> Result<i32> {
    // SAFETY: numbers only.
    check(unsafe { call!(sys::__NR_flock, file.0, sys::LOCK_EX) })
}

/// Asks for a SIGIO whenever a file in a directory is written to (`F_NOTIFY`). Unlike inotify this leaves nothing to be
/// read.
///
/// # Errors
/// Those of the call.
pub fn notify(directory: Fd) -> Result<i32> {
    let what = (sys::DN_MODIFY | sys::DN_MULTISHOT) as usize;
    // SAFETY: numbers only.
    check(unsafe { call!(sys::__NR_fcntl, directory.0, sys::F_NOTIFY, what) })
}

/// Makes descriptor `to` stand for the same as `from` (`dup3(2)`).
///
/// # Errors
/// Those of the call.
#[inline(always)]
pub fn duplicate(from: Fd, to: Fd) -> Result<i32> {
    // SAFETY: numbers only; the standard descriptors belong to the process as a whole.
    check(unsafe { call!(sys::__NR_dup3, from.0, to.0, 0) })
}

/// Makes a directory for its owner (`mkdirat(2)`).
///
/// # Errors
/// Those of the call.
#[inline(never)]
pub fn make_directory(dir: Fd, path: Text) -> Result<i32> {
    // SAFETY: the path outlives the call.
    check(unsafe { call!(sys::__NR_mkdirat, dir.0, path.as_ptr(), MODE) })
}

/// Makes a directory the working directory (`fchdir(2)`).
///
/// # Errors
/// Those of the call.
#[inline(always)]
pub fn go_to(dir: Fd) -> Result<i32> {
    // SAFETY: numbers only.
    check(unsafe { call!(sys::__NR_fchdir, dir.0) })
}

/// `memfd_create(2)`, executable, with `flags`.
///
/// # Errors
/// Those of the call.
pub fn memory(name: Text, flags: u32) -> Result<Fd> {
    // SAFETY: the name outlives the call.
    let create = |flags: u32| check(unsafe { call!(sys::__NR_memfd_create, name.as_ptr(), flags) }).map(Fd);
    // Before Linux 6.3 all are executable and the flag is unknown.
    create(flags | sys::MFD_EXEC).or_else(|error| if error == Errno::INVAL { create(flags) } else { Err(error) })
}

/// Mounts a file system nowhere: it is reached through the descriptor only, and gone with it (Linux 5.2).
///
/// # Errors
/// Those of `fsopen(2)`, `fsconfig(2)` and `fsmount(2)`; `NODEV` means the kernel has no such file system, not even as
/// a module.
#[inline(always)]
pub fn mount(kind: Text) -> Result<Fd> {
    fn answer(kind: Text) -> i32 {
        // SAFETY: the name outlives the call; the others take numbers and null pointers. The context is not used
        // afterwards.
        unsafe {
            let context = call!(sys::__NR_fsopen, kind.as_ptr(), sys::FSOPEN_CLOEXEC);
            if context < 0 {
                return context;
            }
            let mut mount = call!(
                sys::__NR_fsconfig,
                context,
                sys::fsconfig_command::FSCONFIG_CMD_CREATE as u32,
                0usize,
                0usize,
                0
            );
            if mount >= 0 {
                mount = call!(sys::__NR_fsmount, context, sys::FSMOUNT_CLOEXEC, 0);
            }
            call!(sys::__NR_close, context);
            mount
        }
    }
    check(answer(kind)).map(Fd)
}

/// Takes away what is mounted at `dir`, if anything is, and can be (`umount2(2)`).
pub fn unmount(dir: Text) {
    // SAFETY: the path outlives the call.
    _ = unsafe { call!(sys::__NR_umount2, dir.as_ptr(), 0) };
}

/// Copies the mounts at and below `root` into a tree that belongs to no namespace (`open_tree(2)`, Linux 5.2).
///
/// # Errors
/// Those of the call.
#[inline(always)]
pub fn copy_tree(root: Fd) -> Result<Fd> {
    let flags = sys::OPEN_TREE_CLONE | sys::OPEN_TREE_CLOEXEC | sys::AT_RECURSIVE | sys::AT_EMPTY_PATH;
    // SAFETY: the path is a constant.
    check(unsafe { call!(sys::__NR_open_tree, root.0, c"".as_ptr(), flags) }).map(Fd)
}

/// Gives a detached mount a place (`move_mount(2)`, Linux 5.2).
///
/// # Errors
/// Those of the call.
#[inline(always)]
pub fn attach(mount: Fd, dir: Fd, place: Text) -> Result<i32> {
    #[inline(never)]
    fn answer(mount: Fd, place: Text, dir: Fd) -> i32 {
        // SAFETY: the paths outlive the call.
        unsafe {
            call!(sys::__NR_move_mount, mount.0, c"".as_ptr(), dir.0, place.as_ptr(), sys::MOVE_MOUNT_F_EMPTY_PATH)
        }
    }
    check(answer(mount, place, dir))
}

/// `getdents64(2)`: writes the next records of a directory into a buffer; how many bytes, none at the end. Negative is
/// an error.
pub fn list<T>(directory: Fd, buffer: &mut MaybeUninit<T>) -> i32 {
    // SAFETY: the kernel writes within the buffer.
    unsafe { call!(sys::__NR_getdents64, directory.0, buffer.as_mut_ptr(), size_of::<T>()) }
}

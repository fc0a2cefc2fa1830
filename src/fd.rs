//! File descriptors, and the system calls on them, one function each.
//!
//! rustix has them all. But a function of it that makes or takes a descriptor checks, with a panic, that it is not -1.
//! It never is, but the compiler cannot know that, and so the whole machinery of panics would come into the binary.

use crate::arch::call;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use linux_raw_sys::general as sys;
use rustix::io::{Errno, Result};

/// An open descriptor. It is not closed by itself: most serve until the process ends, and the functions here close
/// what they open for a moment.
#[derive(Clone, Copy, Debug)]
pub struct Fd(i32);

/// The working directory, where a path starts that is relative.
pub const HERE: Fd = Fd(sys::AT_FDCWD);
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
/// To make, executable by its owner.
pub const CREATE: u32 = sys::O_WRONLY | sys::O_CREAT;
/// To stand for a place, neither readable nor writable.
pub const PATH: u32 = sys::O_PATH;

impl Fd {
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
        _ = unsafe { call(sys::__NR_close, self.0 as usize, 0, 0, 0, 0) };
    }
}

/// Makes a call that returns a descriptor.
///
/// # Safety
/// As of the system call, which must return a new descriptor.
unsafe fn make(number: u32, a: usize, b: usize, c: usize, d: usize) -> Result<Fd> {
    // SAFETY: as the caller vouches.
    unsafe { call(number, a, b, c, d, 0) }.map(|raw| Fd(raw as i32))
}

/// `openat(2)`, with `O_CLOEXEC`.
///
/// # Errors
/// Those of the call.
pub fn open(dir: Fd, path: &CStr, flags: u32) -> Result<Fd> {
    const MODE: usize = 0o700;
    // SAFETY: the path outlives the call.
    unsafe { make(sys::__NR_openat, dir.0 as usize, path.as_ptr() as usize, (flags | sys::O_CLOEXEC) as usize, MODE) }
}

/// Reads from the start of a file what fits into `buffer` (`pread64(2)`); how much that is.
///
/// # Errors
/// Those of the call.
pub fn read(file: Fd, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: the kernel writes within the buffer.
    unsafe { call(sys::__NR_pread64, file.0 as usize, buffer.as_mut_ptr() as usize, buffer.len(), 0, 0) }
}

/// `write(2)`; how much was written.
///
/// # Errors
/// Those of the call.
pub fn write(file: Fd, bytes: &[u8]) -> Result<usize> {
    // SAFETY: the bytes outlive the call.
    unsafe { call(sys::__NR_write, file.0 as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0) }
}

/// Opens a file as `flags` say, writes `bytes` to it in one call, and closes it.
///
/// # Errors
/// Those of `openat(2)` and `write(2)`.
pub fn write_file(dir: Fd, path: &CStr, flags: u32, bytes: &[u8]) -> Result<usize> {
    let file = open(dir, path, flags)?;
    let written = write(file, bytes);
    // SAFETY: it is not used afterwards.
    unsafe { file.close() };
    written
}

/// A call that fills in a structure.
///
/// # Safety
/// The call takes a pointer to such a structure in the place after its first argument, or after its first two (`path`),
/// and fills it in if it succeeds.
unsafe fn ask<T>(number: u32, fd: Fd, path: Option<&CStr>) -> Result<T> {
    let mut answer = MaybeUninit::<T>::uninit();
    let place = answer.as_mut_ptr() as usize;
    // SAFETY: the path outlives the call; of the answer the caller vouches.
    unsafe {
        match path {
            Some(path) => call(number, fd.0 as usize, path.as_ptr() as usize, place, 0, 0),
            None => call(number, fd.0 as usize, place, 0, 0, 0),
        }
        .map(|_| answer.assume_init())
    }
}

/// `fstat(2)`.
///
/// # Errors
/// Those of the call.
pub fn fstat(file: Fd) -> Result<sys::stat> {
    // SAFETY: as the call does.
    unsafe { ask(sys::__NR_fstat, file, None) }
}

/// `newfstatat(2)`.
///
/// # Errors
/// Those of the call.
pub fn stat(dir: Fd, path: &CStr) -> Result<sys::stat> {
    // SAFETY: as the call does.
    unsafe { ask(sys::__NR_newfstatat, dir, Some(path)) }
}

/// `fstatfs(2)`.
///
/// # Errors
/// Those of the call.
pub fn fstatfs(file: Fd) -> Result<sys::statfs> {
    // SAFETY: as the call does.
    unsafe { ask(sys::__NR_fstatfs, file, None) }
}

/// Waits until it is the only one to hold `file` locked (`flock(2)`).
///
/// # Errors
/// Those of the call.
pub fn lock(file: Fd) -> Result<usize> {
    // SAFETY: numbers only.
    unsafe { call(sys::__NR_flock, file.0 as usize, sys::LOCK_EX as usize, 0, 0, 0) }
}

/// Makes descriptor `to` stand for the same as `from` (`dup3(2)`).
///
/// # Errors
/// Those of the call.
pub fn duplicate(from: Fd, to: Fd) -> Result<usize> {
    // SAFETY: numbers only; the standard descriptors belong to the process as a whole.
    unsafe { call(sys::__NR_dup3, from.0 as usize, to.0 as usize, 0, 0, 0) }
}

/// Makes a directory for its owner (`mkdirat(2)`).
///
/// # Errors
/// Those of the call.
pub fn make_directory(dir: Fd, path: &CStr) -> Result<usize> {
    // SAFETY: the path outlives the call.
    unsafe { call(sys::__NR_mkdirat, dir.0 as usize, path.as_ptr() as usize, 0o700, 0, 0) }
}

/// Makes a directory the working directory (`fchdir(2)`).
///
/// # Errors
/// Those of the call.
pub fn go_to(dir: Fd) -> Result<usize> {
    // SAFETY: numbers only.
    unsafe { call(sys::__NR_fchdir, dir.0 as usize, 0, 0, 0, 0) }
}

/// `memfd_create(2)`, executable; not closed by `execve(2)`.
///
/// # Errors
/// Those of the call.
pub fn memory(name: &CStr) -> Result<Fd> {
    // Before Linux 6.3 all are executable and the flag is unknown.
    let create = |flags| {
        // SAFETY: the name outlives the call.
        unsafe { make(sys::__NR_memfd_create, name.as_ptr() as usize, flags, 0, 0) }
    };
    create(sys::MFD_EXEC as usize).or_else(|error| if error == Errno::INVAL { create(0) } else { Err(error) })
}

/// Mounts a file system nowhere: it is reached through the descriptor only, and gone with it (Linux 5.2).
///
/// # Errors
/// Those of `fsopen(2)`, `fsconfig(2)` and `fsmount(2)`; `NODEV` means the kernel has no such file system, not even as
/// a module.
pub fn mount(kind: &CStr) -> Result<Fd> {
    // SAFETY: the name outlives the call; the others take numbers and null pointers. The context is not used afterwards.
    unsafe {
        let context = make(sys::__NR_fsopen, kind.as_ptr() as usize, sys::FSOPEN_CLOEXEC as usize, 0, 0)?;
        let number = context.0 as usize;
        let create = sys::fsconfig_command::FSCONFIG_CMD_CREATE as usize;
        let mount = call(sys::__NR_fsconfig, number, create, 0, 0, 0)
            .and_then(|_| make(sys::__NR_fsmount, number, sys::FSMOUNT_CLOEXEC as usize, 0, 0));
        context.close();
        mount
    }
}

/// Copies the mounts at and below `root` into a tree that belongs to no namespace (`open_tree(2)`, Linux 5.2).
///
/// # Errors
/// Those of the call.
pub fn copy_tree(root: Fd) -> Result<Fd> {
    let flags = sys::OPEN_TREE_CLONE | sys::OPEN_TREE_CLOEXEC | sys::AT_RECURSIVE | sys::AT_EMPTY_PATH;
    // SAFETY: the path is a constant.
    unsafe { make(sys::__NR_open_tree, root.0 as usize, c"".as_ptr() as usize, flags as usize, 0) }
}

/// Gives a detached mount a place (`move_mount(2)`, Linux 5.2).
///
/// # Errors
/// Those of the call.
pub fn attach(mount: Fd, dir: Fd, place: &CStr) -> Result<usize> {
    // SAFETY: the paths outlive the call.
    unsafe {
        call(
            sys::__NR_move_mount,
            mount.0 as usize,
            c"".as_ptr() as usize,
            dir.0 as usize,
            place.as_ptr() as usize,
            sys::MOVE_MOUNT_F_EMPTY_PATH as usize,
        )
    }
}

/// `getdents64(2)`: the next records of a directory; none at its end.
///
/// # Errors
/// Those of the call.
pub fn list(directory: Fd, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: the kernel writes within the buffer.
    unsafe { call(sys::__NR_getdents64, directory.0 as usize, buffer.as_mut_ptr() as usize, buffer.len(), 0, 0) }
}

//! Processes and the system calls that rustix does not have. The kernel is called by number here and in
//! `signals`, and nowhere else.

use super::arguments::Strings;
use super::host::syscall;
use core::ffi::{CStr, c_char};
use core::ptr;
use heapless::Vec;
use linux_raw_sys::general as sys;
use rustix::fd::{AsFd, AsRawFd};
use rustix::io::{self, Errno};
use rustix::ioctl;
use rustix::process::Pid;
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// The most arguments that [`execute_file`] puts before others.
const PREFIXED_ARGUMENTS: usize = 1024;

/// What a system call returned: a number, or a negative error.
pub(super) fn check(result: isize) -> io::Result<i32> {
    if result < 0 { Err(Errno::from_raw_os_error(-result as i32)) } else { Ok(result as i32) }
}

/// Ends the process (`exit_group(2)`).
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: the call takes a number, and does not return.
        unsafe { syscall(sys::__NR_exit_group, [status as usize, 0, 0, 0, 0]) };
    }
}

/// Runs `body` in a child process, which exits with the status that it returns. The child has a copy of the memory and of
/// the descriptors of this process; its working directory and namespaces are its own.
///
/// # Errors
/// Those of `clone(2)`.
pub fn start_child(body: &mut dyn FnMut() -> i32) -> io::Result<Pid> {
    let flags = sys::SIGCHLD as usize;
    // s390x takes the stack before the flags (`clone(2)`).
    let arguments = if cfg!(target_arch = "s390x") { [0, flags, 0, 0, 0] } else { [flags, 0, 0, 0, 0] };
    // SAFETY: without CLONE_VM this is fork(2): the child continues with a copy of the stack. This process has one
    // thread, so no lock is held by another one.
    let child = check(unsafe { syscall(sys::__NR_clone, arguments) })?;
    Pid::from_raw(child).map_or_else(|| exit(body()), Ok)
}

/// Gives this process a mount namespace of its own (`unshare(2)`, `CLONE_NEWNS`).
///
/// # Errors
/// Those of the call: `PERM` without `CAP_SYS_ADMIN`.
pub fn unshare_mount_namespace() -> io::Result<()> {
    // SAFETY: descriptors are not concerned; the working directory and the root, which NEWNS unshares too, are shared
    // with no other thread, since there is none.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }
}

/// Gives this process a user namespace of its own, in which it has all capabilities (`unshare(2)`, `CLONE_NEWUSER`).
///
/// # Errors
/// Those of the call: `PERM` where ordinary users may not.
pub fn unshare_user_namespace() -> io::Result<()> {
    // SAFETY: as above.
    unsafe { unshare_unsafe(UnshareFlags::NEWUSER) }
}

/// Keeps mounts made at and below `/` in this mount namespace out of all others (`mount_setattr(2)`, Linux 5.12).
///
/// # Errors
/// Those of the call.
pub fn make_mounts_slave() -> io::Result<()> {
    let attributes = sys::mount_attr { attr_set: 0, attr_clr: 0, propagation: sys::MS_SLAVE.into(), userns_fd: 0 };
    // SAFETY: the path and the structure outlive the call, which only reads them.
    let result = unsafe {
        syscall(
            sys::__NR_mount_setattr,
            [
                sys::AT_FDCWD as usize,
                c"/".as_ptr() as usize,
                sys::AT_RECURSIVE as usize,
                &raw const attributes as usize,
                size_of_val(&attributes),
            ],
        )
    };
    check(result).map(drop)
}

/// Whether the file system that holds `file` belongs to a user namespace in which this process has `CAP_SYS_ADMIN`. The
/// file system must be one that cannot be frozen, such as binfmt_misc.
///
/// `FITHAW` fails with `EPERM` where the capability is missing, and with `EINVAL` where the file system is not frozen
/// (`ioctl_fsthaw` in `fs/ioctl.c`). So it tells without a change. Any other error tells nothing; then the file system has
/// to tell by what it permits.
pub fn belongs_to_this_user_namespace(file: impl AsFd) -> bool {
    // SAFETY: the request takes no argument.
    let thawed = unsafe { ioctl::ioctl(file, ioctl::NoArg::<{ linux_raw_sys::ioctl::FITHAW }>::new()) };
    thawed != Err(Errno::PERM)
}

/// Whether this process may execute `file`, which may be open as a path only (`faccessat2(2)`, Linux 5.8).
///
/// # Errors
/// `ACCESS`: it may not, by the mode of the file or the options of its mount. `NOSYS`: the kernel does not tell.
pub fn may_execute(file: impl AsFd) -> io::Result<()> {
    let flags = sys::AT_EMPTY_PATH | sys::AT_EACCESS;
    let file = file.as_fd().as_raw_fd() as usize;
    let arguments = [file, c"".as_ptr() as usize, sys::X_OK as usize, flags as usize, 0];
    // SAFETY: the string outlives the call, which only reads it.
    check(unsafe { syscall(sys::__NR_faccessat2, arguments) }).map(drop)
}

/// Executes the program that `file` is open on, with `name` as its only argument and no environment (`execveat(2)`).
/// Returns only if that fails.
pub fn execute_descriptor(file: impl AsFd, name: &CStr) -> Errno {
    let arguments = [name.as_ptr(), ptr::null()];
    let [_, none] = &arguments;
    let file = file.as_fd().as_raw_fd() as usize;
    let (blank, empty_path) = (c"".as_ptr() as usize, sys::AT_EMPTY_PATH as usize);
    // SAFETY: the strings and the lists, each with a null pointer at its end, outlive the call.
    let result = unsafe {
        let lists = (arguments.as_ptr() as usize, &raw const *none as usize);
        syscall(sys::__NR_execveat, [file, blank, lists.0, lists.1, empty_path])
    };
    check(result).err().unwrap_or(Errno::NOSYS)
}

/// Executes the file at `path` in place of this process, with the arguments `first` and then `rest` (`execve(2)`).
/// Returns only if that fails; with `TOOBIG` also if `first` is not empty and there are more than a thousand arguments.
pub fn execute_file(path: &CStr, first: &[&CStr], rest: Strings, environment: Strings) -> Errno {
    let mut list: Vec<*const c_char, PREFIXED_ARGUMENTS> = Vec::new();
    let mut arguments = rest.as_ptr();
    if !first.is_empty() {
        let mut fits = first.iter().all(|string| list.push(string.as_ptr()).is_ok());
        fits &= rest.iter().all(|string| list.push(string.as_ptr()).is_ok());
        if !fits || list.push(ptr::null()).is_err() {
            return Errno::TOOBIG;
        }
        arguments = list.as_ptr();
    }
    // SAFETY: the strings and the lists, each with a null pointer at its end, outlive the call.
    let result = unsafe {
        syscall(sys::__NR_execve, [path.as_ptr() as usize, arguments as usize, environment.as_ptr() as usize, 0, 0])
    };
    check(result).err().unwrap_or(Errno::NOSYS)
}

//! Processes: a child, for what must not happen in this one, and another program in the place of this one.

use crate::arch::{self, call};
use crate::fd::Fd;
use crate::text::Text;
use core::ptr;
use linux_raw_sys::general as sys;

/// Runs `body` in a child process and waits for it. The child has a copy of this process's memory and descriptors, a
/// working directory and namespaces that it may change: nothing of it is left but what it wrote to files.
///
/// Returns the status it ended with as `wait4(2)` has it, of which the second byte is what `body` returned; or a
/// negative error of `clone(2)` or `wait4(2)`.
pub fn in_child(body: &mut dyn FnMut() -> i32) -> i32 {
    // SAFETY: as with `fork(2)`: the child goes on from here with a stack of its own. This process has one thread.
    let child = unsafe { arch::fork() };
    if child == 0 {
        arch::exit(body());
    }
    if child < 0 {
        return child;
    }
    let mut status = 0;
    // SAFETY: the kernel writes the status, and nothing where the pointer is null. It cannot be interrupted: no signal
    // has a handler.
    let waited = unsafe { call!(sys::__NR_wait4, child, &raw mut status, 0, 0usize) };
    if waited < 0 { waited } else { status }
}

/// The number of this process (`getpid(2)`).
pub fn number() -> i32 {
    // SAFETY: it has no arguments.
    unsafe { call!(sys::__NR_getpid) }
}

/// Buries the children that have ended: those of other processes, too, if this is PID 1.
pub fn reap() {
    // SAFETY: the kernel writes nothing where the pointers are null.
    while unsafe { call!(sys::__NR_wait4, -1_i32, 0usize, sys::WNOHANG, 0usize) } > 0 {}
}

/// Executes the program at `path` in `dir`, or, where that is blank, the one that `dir` is open on, with `name` as its
/// only argument and no environment. Returns only if that fails, with the error as `execveat(2)` answers it.
pub fn execute(dir: Fd, path: Text, name: Text) -> i32 {
    let arguments = [name.as_ptr(), ptr::null()];
    // SAFETY: the strings and lists outlive the call.
    unsafe {
        call!(
            sys::__NR_execveat,
            dir.number(),
            path.as_ptr(),
            arguments.as_ptr(),
            arguments.as_ptr().add(1),
            sys::AT_EMPTY_PATH
        )
    }
}

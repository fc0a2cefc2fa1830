//! Processes: a child, for what must not happen in this one, and another program in the place of this one.

use crate::arch::{self, call};
use crate::fd::Fd;
use core::ffi::CStr;
use core::ptr;
use linux_raw_sys::general as sys;
use rustix::io::{Errno, Result};

/// Room for what a child does: it makes system calls and calls nothing deep. Of `u128`, to be aligned to 16 bytes.
type Stack = [u128; 512];

/// Runs `body` in a child process and waits for it. The child shares this process's memory, not its descriptors, its
/// working directory, or its namespaces: what `body` changes in its surroundings is there afterwards.
///
/// Returns the status the child exited with, or 128 + the number of the signal that ended it, as shells do.
///
/// # Errors
/// Those of `clone(2)` and `wait4(2)`.
pub fn in_child(mut body: &mut dyn FnMut() -> i32) -> Result<i32> {
    extern "C" fn run(body: usize) -> ! {
        // SAFETY: `in_child` passes a pointer to its own `body`, and waits meanwhile.
        let body = unsafe { &mut *(body as *mut &mut dyn FnMut() -> i32) };
        arch::exit(body())
    }
    let mut stack = core::mem::MaybeUninit::<Stack>::uninit();
    // SAFETY: one past the end of the stack, which is aligned. The binary has one thread.
    let child = unsafe { arch::spawn(stack.as_mut_ptr().add(1).cast(), run, &raw mut body as usize) }?;
    loop {
        match wait(child) {
            Err(Errno::INTR) => {}
            status => {
                return status.map(|status| if status & 127 == 0 { status >> 8 & 255 } else { 128 + (status & 127) });
            }
        }
    }
}

/// Waits until a child process ends; returns its status as `wait4(2)` encodes it.
///
/// # Errors
/// Those of the call.
fn wait(child: i32) -> Result<i32> {
    let mut status = 0i32;
    // SAFETY: the kernel writes the status, and nothing where the pointers are null.
    unsafe { call(sys::__NR_wait4, child as usize, &raw mut status as usize, 0, 0, 0) }.map(|_| status)
}

/// Executes the program at `path` in `dir`, or, where that is blank, the one that `dir` is open on, with `name` as its
/// only argument and no environment. Returns only if that fails, with the error of `execveat(2)`.
pub fn execute(dir: Fd, path: &CStr, name: &CStr) -> Errno {
    let arguments = [name.as_ptr(), ptr::null()];
    let environment = [ptr::null::<u8>()];
    // SAFETY: the strings and lists outlive the call.
    let result = unsafe {
        call(
            sys::__NR_execveat,
            dir.number() as usize,
            path.as_ptr() as usize,
            arguments.as_ptr() as usize,
            environment.as_ptr() as usize,
            sys::AT_EMPTY_PATH as usize,
        )
    };
    result.err().unwrap_or(Errno::NOSYS)
}

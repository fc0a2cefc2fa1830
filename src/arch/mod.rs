//! All that depends on the architecture this is built for: how a process starts, how it calls the kernel, and what its
//! CPU calls itself. One file a host, each with the same few items; see `syscall(2)` for the registers of a call and
//! `clone(2)` for the order of its arguments, which differ.
//!
//! The macro `entry!` makes the entry point, `_start`, which calls the function named with the stack pointer the kernel
//! started the process with. There is no caller and no frame yet, hence assembly: it ends the chain of frames and sees
//! to what the ABI wants at a call.
//!
//! The macro `call!` calls the kernel with up to five arguments, numbers or pointers, in a block that is `unsafe` as
//! the system call is. What it answers is negative if it is an error. Arguments are as wide as what they stand for: an
//! `int` or `unsigned` has 32 bits, a pointer, a size or an offset has those of `usize`.

use linux_raw_sys::general as sys;

/// What looks at a file, by the call of that number, which fills in that structure.
#[allow(unused_macros)] // loongarch64 has no such call
macro_rules! stat_by {
    ($number:ident, $stat:ident) => {
        pub use linux_raw_sys::general::$stat as Stat;

        /// Looks at a file as `newfstatat(2)` does, `dir` itself where the path is blank.
        ///
        /// # Safety
        /// As of the call.
        #[inline(always)]
        pub unsafe fn stat(dir: i32, path: *const u8, place: *mut Stat) -> i32 {
            use linux_raw_sys::general as sys;
            // SAFETY: as the caller vouches.
            unsafe { $crate::arch::call!(sys::$number, dir, path, place, sys::AT_EMPTY_PATH) }
        }
    };
}
#[allow(unused_imports)] // as above
use stat_by;

#[cfg(not(target_arch = "x86_64"))]
pub(crate) mod plain;

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "x86", path = "x86.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "powerpc64", path = "powerpc64.rs")]
#[cfg_attr(target_arch = "s390x", path = "s390x.rs")]
#[cfg_attr(target_arch = "loongarch64", path = "loongarch64.rs")]
mod host;

pub(crate) use host::{Stat, call, stat};
pub use host::{copy, level};

/// Makes a child process with a copy of this one's memory, which goes on from here: there it returns 0, and here the
/// number of the child, or an error as the kernel does.
///
/// # Safety
/// As of `fork(2)`.
pub unsafe fn fork() -> i32 {
    let flags = sys::SIGCHLD as usize;
    // On s390x the flags are the second argument.
    let (first, second) = if cfg!(target_arch = "s390x") { (0, flags) } else { (flags, 0) };
    // SAFETY: as the caller vouches.
    unsafe { call!(sys::__NR_clone, first, second, 0usize, 0usize, 0usize) }
}

/// Ends the process.
#[inline(always)]
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: nothing is left to be unsafe about.
        _ = unsafe { call!(sys::__NR_exit_group, status) };
    }
}

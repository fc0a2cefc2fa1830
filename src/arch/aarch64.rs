//! AArch64.

pub(crate) use super::plain::call;
pub use super::plain::{copy, level, spawn};
use linux_raw_sys::general as sys;

/// See [`super`]: the entry point.
#[macro_export]
macro_rules! entry {
    ($enter:path) => {
        core::arch::global_asm!(
            ".globl _start",
            "_start:",
            "mov x29, xzr",
            "mov x30, xzr",
            "mov x0, sp", // the first argument
            "bl {enter}", // the kernel has aligned the stack to 16 bytes
            "udf #0",
            enter = sym $enter,
        );
    };
}

/// Calls the kernel; what it answers.
///
/// # Safety
/// As of the system call.
#[inline(always)]
pub unsafe fn enter(number: u32, a: usize, b: usize, c: usize, d: usize, e: usize) -> isize {
    let result: isize;
    // SAFETY: the kernel changes the registers that are named, and of memory what the call is for.
    unsafe {
        core::arch::asm!(
            "svc #0",
            in("x8") number as usize,
            inlateout("x0") a => result,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            in("x4") e,
            options(nostack),
        );
    }
    result
}

/// Makes a child process that calls `body`; its number.
///
/// # Safety
/// As of [`super::spawn`].
#[inline(always)]
pub unsafe fn clone(flags: usize, stack: *mut u8, body: extern "C" fn(usize) -> !, argument: usize) -> isize {
    let result: isize;
    // SAFETY: the child has the registers of this process, but for the stack pointer and the result; it never comes
    // back from `body`. This process goes on behind the jump, with its own stack as it was.
    unsafe {
        core::arch::asm!(
            "svc #0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x9",
            "blr x10",
            "2:",
            in("x8") sys::__NR_clone as usize,
            inlateout("x0") flags => result,
            in("x1") stack,
            in("x2") 0,
            in("x3") 0,
            in("x4") 0,
            in("x9") argument,
            in("x10") body,
        );
    }
    result
}

super::stat_by!(__NR_newfstatat, stat);

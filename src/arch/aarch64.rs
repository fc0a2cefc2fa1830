//! AArch64.

pub(crate) use super::plain::call;
pub use super::plain::{copy, level};

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

super::stat_by!(__NR_newfstatat, stat);

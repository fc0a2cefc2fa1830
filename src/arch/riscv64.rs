//! 64-bit RISC-V.

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
            "mv s0, zero",
            "mv ra, zero",
            "mv a0, sp", // the first argument
            "call {enter}", // the kernel has aligned the stack to 16 bytes
            "unimp",
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
            "ecall",
            in("a7") number as usize,
            inlateout("a0") a => result,
            in("a1") b,
            in("a2") c,
            in("a3") d,
            in("a4") e,
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
            "ecall",
            "bnez a0, 2f",
            "mv s0, zero",
            "mv a0, t0",
            "jalr t1",
            "2:",
            in("a7") sys::__NR_clone as usize,
            inlateout("a0") flags => result,
            in("a1") stack,
            in("a2") 0,
            in("a3") 0,
            in("a4") 0,
            in("t0") argument,
            in("t1") body,
        );
    }
    result
}

super::stat_by!(__NR_newfstatat, stat);

//! 32-bit Arm, EABI. The program is Thumb code, in which the compiler keeps `r7` to itself: that is the register of a
//! system call's number.

pub(crate) use super::plain::call;
pub use super::plain::{copy, level, spawn};
use linux_raw_sys::general as sys;

/// See [`super`]: the entry point.
#[macro_export]
macro_rules! entry {
    ($enter:path) => {
        core::arch::global_asm!(
            ".arm", // the linker has `bl` change to Thumb
            ".globl _start",
            ".type _start, %function",
            "_start:",
            "mov r7, #0",
            "mov lr, #0",
            "mov r0, sp", // the first argument
            "bl {enter}", // the kernel has aligned the stack to 8 bytes
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
            "mov {saved}, r7",
            "mov r7, {number}",
            "svc #0",
            "mov r7, {saved}",
            saved = out(reg) _,
            number = in(reg) number,
            inlateout("r0") a => result,
            in("r1") b,
            in("r2") c,
            in("r3") d,
            in("r4") e,
            in("r5") 0, // the upper half of the offset of `pread64(2)`: an even register, so there is none in `r3`
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
            "mov r12, r7",
            "mov r7, {number}",
            "svc #0",
            "cmp r0, #0",
            "bne 2f",
            "mov r7, #0",
            "mov r0, r5",
            "blx r8",
            "2: mov r7, r12",
            number = const sys::__NR_clone,
            inlateout("r0") flags => result,
            in("r1") stack,
            in("r2") 0,
            in("r3") 0,
            in("r4") 0,
            in("r5") argument,
            in("r8") body,
            out("r12") _,
        );
    }
    result
}

super::stat_by!(__NR_fstatat64, stat64);

//! 32-bit Arm, EABI. The program is Thumb code, in which the compiler keeps `r7` to itself: that is the register of a
//! system call's number.

pub(crate) use super::plain::call;
pub use super::plain::{copy, level};

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

super::stat_by!(__NR_fstatat64, stat64);

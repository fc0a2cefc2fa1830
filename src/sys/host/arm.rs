//! 32-bit Arm, EABI. The compiler may use `r7`, the register of the number, as frame pointer.

/// The entry point; see `mod.rs` beside this file.
#[macro_export]
macro_rules! entry {
    ($enter:path) => {
        core::arch::global_asm!(
            ".globl _start",
            ".type _start, %function",
            "_start:",
            "mov r11, #0",
            "mov lr, #0",
            "mov r0, sp", // the first argument
            "bl {enter}", // the kernel has aligned the stack to 8 bytes
            "udf #0",
            enter = sym $enter,
        );
    };
}

/// Calls the kernel with five arguments. Returns its answer: a number, or a negative error.
///
/// # Safety
/// As of the system call.
pub unsafe fn syscall(number: u32, [a, b, c, d, e]: [usize; 5]) -> isize {
    let result: isize;
    // SAFETY: the kernel changes the registers named here, and the memory that the call is for.
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
            options(nostack),
        );
    }
    result
}

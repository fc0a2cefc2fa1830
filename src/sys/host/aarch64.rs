//! AArch64.

/// The entry point; see `mod.rs` beside this file.
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

/// Calls the kernel with five arguments. Returns its answer: a number, or a negative error.
///
/// # Safety
/// As of the system call.
pub unsafe fn syscall(number: u32, [a, b, c, d, e]: [usize; 5]) -> isize {
    let result: isize;
    // SAFETY: the kernel changes the registers named here, and the memory that the call is for.
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

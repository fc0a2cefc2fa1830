//! s390x. A stack frame starts with 160 bytes for the function that is called.

/// The entry point; see `mod.rs` beside this file.
#[macro_export]
macro_rules! entry {
    ($enter:path) => {
        core::arch::global_asm!(
            ".globl _start",
            "_start:",
            "lgr %r2, %r15", // the first argument
            "aghi %r15, -160",
            "xc 0(8, %r15), 0(%r15)",
            "brasl %r14, {enter}",
            "j .+2",
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
            "svc 0",
            in("r1") number as usize,
            inlateout("r2") a => result,
            in("r3") b,
            in("r4") c,
            in("r5") d,
            in("r6") e,
            options(nostack),
        );
    }
    result
}

//! 64-bit POWER, ABI version 2. The kernel marks an error by a bit of `cr0`, and its number is positive. A function finds
//! its constants by `r2`.

/// The entry point; see `mod.rs` beside this file.
#[macro_export]
macro_rules! entry {
    ($enter:path) => {
        core::arch::global_asm!(
            ".globl _start",
            "_start:",
            "bcl 20, 31, 2f",
            "2: mflr 12",
            "addis 2, 12, .TOC.-2b@ha",
            "addi 2, 2, .TOC.-2b@l",
            "li 0, 0",
            "mtlr 0",
            "mr 3, 1", // the first argument
            "stdu 0, -64(1)", // the kernel has aligned the stack to 16 bytes
            "bl {enter}",
            "nop",
            "trap",
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
            "sc",
            "bns+ 2f",
            "neg 3, 3",
            "2:",
            inlateout("r0") number as usize => _,
            inlateout("r3") a => result,
            inlateout("r4") b => _,
            inlateout("r5") c => _,
            inlateout("r6") d => _,
            inlateout("r7") e => _,
            lateout("r8") _,
            lateout("r9") _,
            lateout("r10") _,
            lateout("r11") _,
            lateout("r12") _,
            lateout("cr0") _,
            lateout("xer") _,
            lateout("ctr") _,
            options(nostack),
        );
    }
    result
}

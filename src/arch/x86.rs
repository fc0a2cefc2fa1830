//! i386. The compiler keeps `esi` to itself.

pub(crate) use super::plain::call;
pub use super::plain::{copy, level};

/// See [`super`]: the entry point.
#[macro_export]
macro_rules! entry {
    ($enter:path) => {
        core::arch::global_asm!(
            ".globl _start",
            "_start:",
            "xor ebp, ebp",
            "mov eax, esp",
            "sub esp, 12", // the kernel has aligned the stack to 16 bytes, and so shall it be
            "push eax", // the first argument
            "call {enter}",
            "ud2",
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
    let memory = [b, d];
    let result: isize;
    // SAFETY: the kernel changes the registers that are named, and of memory what the call is for.
    unsafe {
        core::arch::asm!(
            "push esi",
            "mov esi, [ecx + 4]",
            "mov ecx, [ecx]",
            "int 0x80",
            "pop esi",
            inlateout("eax") number as isize => result,
            in("ebx") a,
            inlateout("ecx") &raw const memory => _,
            in("edx") c,
            in("edi") e,
        );
    }
    result
}

super::stat_by!(__NR_fstatat64, stat64);

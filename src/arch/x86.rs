//! i386. The compiler keeps `esi` to itself.

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
            "int 0x80",
            "test eax, eax",
            "jnz 2f",
            "xor ebp, ebp",
            "sub esp, 12",
            "push edi",
            "call edx",
            "2:",
            inlateout("eax") sys::__NR_clone as isize => result,
            in("ebx") flags,
            in("ecx") stack,
            in("edx") body, // where there would be pointers the flags do not ask for
            in("edi") argument,
        );
    }
    result
}

super::stat_by!(__NR_fstatat64, stat64);

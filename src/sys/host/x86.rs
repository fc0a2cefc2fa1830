//! i386. The compiler reserves `esi`, the register of the fourth argument.

/// The entry point; see `mod.rs` beside this file.
#[macro_export]
macro_rules! entry {
    ($enter:path) => {
        core::arch::global_asm!(
            ".globl _start",
            "_start:",
            "xor ebp, ebp",
            "mov eax, esp",
            "sub esp, 12", // the kernel has aligned the stack to 16 bytes, and so must a call
            "push eax",    // the first argument
            "call {enter}",
            "ud2",
            enter = sym $enter,
        );
    };
}

/// Calls the kernel with five arguments. Returns its answer: a number, or a negative error.
///
/// # Safety
/// As of the system call.
pub unsafe fn syscall(number: u32, [a, b, c, d, e]: [usize; 5]) -> isize {
    let in_memory = [b, d];
    let result: isize;
    // SAFETY: the kernel changes the registers named here, and the memory that the call is for.
    unsafe {
        core::arch::asm!(
            "push esi",
            "mov esi, [ecx + 4]",
            "mov ecx, [ecx]",
            "int 0x80",
            "pop esi",
            inlateout("eax") number as usize => result,
            in("ebx") a,
            inlateout("ecx") &raw const in_memory => _,
            in("edx") c,
            in("edi") e,
        );
    }
    result
}

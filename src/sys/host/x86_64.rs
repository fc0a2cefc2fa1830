//! x86-64.

/// The entry point; see `mod.rs` beside this file.
#[macro_export]
macro_rules! entry {
    ($enter:path) => {
        core::arch::global_asm!(
            ".globl _start",
            "_start:",
            "xor ebp, ebp",
            "mov rdi, rsp", // the first argument
            "call {enter}", // the kernel has aligned the stack to 16 bytes
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
    let result: isize;
    // SAFETY: the kernel changes the registers named here, and the memory that the call is for.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number as usize => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// The x86-64 level of this CPU, 1 to 4 (x86-64 psABI, section 3.1.1).
pub fn x86_64_level() -> u8 {
    use core::arch::x86_64::{__cpuid, __cpuid_count};
    #[allow(unused_unsafe)] // safe functions in newer compilers
    // SAFETY: every x86-64 CPU has the instruction.
    let (first, seventh, extended) = unsafe {
        let more = if __cpuid(0).eax < 7 { 0 } else { __cpuid_count(7, 0).ebx };
        (__cpuid(1).ecx, more, __cpuid(0x8000_0001).ecx)
    };
    // SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT; LAHF
    const V2: u32 = 1 | 1 << 9 | 1 << 13 | 1 << 19 | 1 << 20 | 1 << 23;
    if first & V2 != V2 || extended & 1 == 0 {
        return 1;
    }
    // FMA, MOVBE, OSXSAVE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT
    const V3: u32 = 1 << 12 | 1 << 22 | 1 << 27 | 1 << 28 | 1 << 29;
    const V3_SEVENTH: u32 = 1 << 3 | 1 << 5 | 1 << 8;
    if first & V3 != V3 || seventh & V3_SEVENTH != V3_SEVENTH || extended & 1 << 5 == 0 {
        return 2;
    }
    let saved: u32;
    // SAFETY: the CPU has the instruction where OSXSAVE is set, as checked above.
    unsafe {
        core::arch::asm!("xgetbv", in("ecx") 0, out("eax") saved, out("edx") _, options(nomem, nostack));
    }
    // What the kernel saves at a context switch: SSE, AVX; AVX-512 in three parts
    const AVX: u32 = 0b110;
    const AVX512: u32 = 0b1110_0000;
    // AVX-512 F, DQ, CD, BW, VL
    const V4: u32 = 1 << 16 | 1 << 17 | 1 << 28 | 1 << 30 | 1 << 31;
    match (saved & AVX == AVX, saved & AVX512 == AVX512 && seventh & V4 == V4) {
        (false, _) => 2,
        (true, false) => 3,
        (true, true) => 4,
    }
}

//! x86-64.

/// See [`super`]: the entry point.
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

/// Copies `length` bytes, from the first on.
///
/// # Safety
/// As of `memcpy(3)`.
pub unsafe fn copy(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: as the caller vouches; the direction flag is clear, as the ABI says.
    unsafe {
        core::arch::asm!(
            "rep movsb",
            inout("rcx") length => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
    }
}

/// See [`super`]: calls the kernel. A call in place is smaller than one of a function, and leaves alone the registers
/// that have no argument.
macro_rules! call {
    ($number:expr $(, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr)?)?)?)?)?) => {{
        let answer: isize;
        // The kernel changes `rax`, `rcx` and `r11`, and of memory what the call is for.
        core::arch::asm!(
            "syscall",
            inlateout("rax") $number as isize => answer,
            $(in("rdi") $a,
            $(in("rsi") $b,
            $(in("rdx") $c,
            $(in("r10") $d,
            $(in("r8") $e,)?)?)?)?)?
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
        answer as i32
    }};
}
pub(crate) use call;

/// The x86-64 level of this CPU, 1 to 4 (x86-64 psABI, section 3.1.1); 0 on other machines.
pub fn level() -> u8 {
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
    // SAFETY: OSXSAVE, looked at above, says that the instruction is there.
    unsafe {
        core::arch::asm!("xgetbv", in("ecx") 0, out("eax") saved, out("edx") _, options(nomem, nostack));
    }
    // What the kernel saves at a switch of tasks: SSE, AVX; AVX-512 in three parts
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

super::stat_by!(__NR_newfstatat, stat);

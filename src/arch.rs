//! All that depends on the architecture this is built for: how a process starts, how it calls the kernel, and what its
//! CPU calls itself.

use linux_raw_sys::general as sys;
use rustix::io::{Errno, Result};

/// The entry point, `_start`: calls the function named with the stack pointer the kernel started the process with.
///
/// There is no caller and no frame yet, hence assembly: it ends the chain of frames with a null frame pointer and sees
/// to the alignment of the stack that the ABI wants at a call.
#[cfg(target_arch = "x86_64")]
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
#[cfg(target_arch = "x86_64")]
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

/// Calls the kernel with up to five arguments; see `syscall(2)` for the registers.
///
/// # Safety
/// As of the system call.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
pub(crate) unsafe fn call(number: u32, a: usize, b: usize, c: usize, d: usize, e: usize) -> Result<usize> {
    let result: isize;
    // SAFETY: the kernel changes `rax`, `rcx` and `r11`, and of memory what the call is for.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => result,
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
    match result {
        -4095..=-1 => Err(errno(-result as i32)),
        _ => Ok(result as usize),
    }
}

/// The x86-64 level of this CPU, 1 to 4 (x86-64 psABI, section 3.1.1); 0 on other machines.
#[cfg(target_arch = "x86_64")]
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

/// The error of that number. Unlike `Errno::from_raw_os_error`, which it calls, it cannot panic.
#[inline(never)]
pub fn errno(number: i32) -> Errno {
    Errno::from_raw_os_error(number.clamp(1, 4095))
}

/// Ends the process.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: nothing is left to be unsafe about.
        _ = unsafe { call(sys::__NR_exit_group, status as usize, 0, 0, 0, 0) };
    }
}

/// Makes a child process that runs `body` with `argument`, in this process's memory but on a stack of its own that ends
/// at `stack`; returns its number. This process waits until the child ends or executes another program (`CLONE_VFORK`),
/// so a copy of its memory is not needed, which is what costs most about `fork(2)`.
///
/// # Errors
/// Those of `clone(2)`.
///
/// # Safety
/// The caller has one thread. `stack` is aligned to 16 bytes and there is room below it for what `body` does, which
/// leaves the caller's variables as the caller wants them.
#[cfg(target_arch = "x86_64")]
pub unsafe fn spawn(stack: *mut u8, body: extern "C" fn(usize) -> !, argument: usize) -> Result<i32> {
    let result: isize;
    // SAFETY: the kernel gives the child the same registers, but for the stack pointer and `rax`; it never comes back
    // from `body`. The parent goes on behind the jump, with its own stack as it was.
    unsafe {
        core::arch::asm!(
            "syscall",
            "test eax, eax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r8",
            "call r9",
            "2:",
            inlateout("rax") sys::__NR_clone as isize => result,
            in("rdi") sys::CLONE_VM | sys::CLONE_VFORK | sys::SIGCHLD,
            in("rsi") stack,
            in("rdx") 0,
            in("r10") 0,
            in("r8") argument,
            in("r9") body,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    match result {
        -4095..=-1 => Err(errno(-result as i32)),
        child => Ok(child as i32),
    }
}

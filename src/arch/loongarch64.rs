//! 64-bit LoongArch.

pub(crate) use super::plain::call;
pub use super::plain::{copy, level};
use core::mem::MaybeUninit;
use linux_raw_sys::general as sys;

/// See [`super`]: the entry point.
#[macro_export]
macro_rules! entry {
    ($enter:path) => {
        core::arch::global_asm!(
            ".globl _start",
            "_start:",
            "move $fp, $zero",
            "move $ra, $zero",
            "move $a0, $sp", // the first argument
            "bl {enter}", // the kernel has aligned the stack to 16 bytes
            "break 0",
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
    let result: isize;
    // SAFETY: the kernel changes the registers that are named, and of memory what the call is for.
    unsafe {
        core::arch::asm!(
            "syscall 0",
            in("$a7") number as usize,
            inlateout("$a0") a => result,
            in("$a1") b,
            in("$a2") c,
            in("$a3") d,
            in("$a4") e,
            lateout("$t0") _,
            lateout("$t1") _,
            lateout("$t2") _,
            lateout("$t3") _,
            lateout("$t4") _,
            lateout("$t5") _,
            lateout("$t6") _,
            lateout("$t7") _,
            lateout("$t8") _,
            options(nostack),
        );
    }
    result
}

/// What is asked for of `statx(2)`.
pub struct Stat {
    /// The number of the device.
    pub st_dev: u64,
    /// The number of the inode.
    pub st_ino: u64,
}

/// Looks at a file as `newfstatat(2)` would, `dir` itself where the path is blank. Before Linux 6.11 this architecture
/// has no other call for it.
///
/// # Safety
/// As of the call.
pub unsafe fn stat(dir: i32, path: *const u8, place: *mut Stat) -> i32 {
    let mut room = MaybeUninit::<sys::statx>::uninit();
    // SAFETY: as the caller vouches; the call fills in the room if it succeeds.
    unsafe {
        let answer = call!(sys::__NR_statx, dir, path, sys::AT_EMPTY_PATH, sys::STATX_BASIC_STATS, room.as_mut_ptr());
        if answer == 0 {
            let told = room.assume_init_ref();
            let st_dev = u64::from(told.stx_dev_major) << 32 | u64::from(told.stx_dev_minor);
            place.write(Stat { st_dev, st_ino: told.stx_ino });
        }
        answer
    }
}

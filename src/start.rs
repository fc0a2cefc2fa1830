//! What a C library would do before and beneath `main`: the entry point, the few memory functions the compiler calls,
//! and the end on a panic.
//!
//! The kernel starts a process with nothing but a stack pointer, at which it has laid out (System V ABI, "Process
//! Initialization"):
//!
//! ```text
//! argc | argv[0] … argv[argc-1] | NULL | envp[0] … | NULL | auxiliary vector
//! ```
//!
//! `entry!` makes the few instructions that pass this pointer to [`enter`]; the binary is static and not relocatable,
//! so nothing has to be linked or relocated first, and it has no thread-local or initialised data.

use crate::{Arguments, main};
use binfmt_register::arch::{copy, exit};
use binfmt_register::fd::{HERE, PATH, open};
use binfmt_register::text::{Strings, Text};
use core::ffi::c_char;
use core::ptr;

binfmt_register::entry!(enter);

/// # Safety
/// Called once, at the entry point, with the stack pointer the process was started with.
unsafe extern "C" fn enter(stack: *const usize) -> ! {
    hold_standard_descriptors();
    // SAFETY: `argc`, then `argc` pointers and a null pointer, then pointers up to another null pointer, all to strings
    // that stay as long as the process.
    let arguments = unsafe {
        let argc = *stack;
        let argv: *const *const c_char = stack.add(1).cast();
        Arguments { argv: Strings::from_ptr(argv), environment: Strings::from_ptr(argv.add(argc + 1)) }
    };
    exit(main(arguments))
}

/// Whatever is opened later must not land on a closed standard descriptor: a message would be written into it, and
/// `register` is one of the files this tool opens.
#[inline(always)]
fn hold_standard_descriptors() {
    // A descriptor of `O_PATH` can be neither read nor written.
    while open(HERE, Text::new(c"/"), PATH).is_ok_and(|descriptor| descriptor.number() <= 2) {}
}

// The compiler calls these by name, and expects them of the C library. A volatile access keeps it from seeing in the
// loop the very function it is to be.

/// # Safety
/// As of `memcpy(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: as the caller vouches.
    unsafe { copy(to, from, length) };
    to
}

/// # Safety
/// As of `memmove(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    if to.cast_const() <= from {
        // SAFETY: forwards, no byte is overwritten before it is read.
        return unsafe { memcpy(to, from, length) };
    }
    for at in (0..length).rev() {
        // SAFETY: the caller vouches for `length` bytes on both sides.
        unsafe { *to.add(at) = ptr::read_volatile(from.add(at)) };
    }
    to
}

/// # Safety
/// As of `memset(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
    for at in 0..length {
        // SAFETY: the caller vouches for `length` bytes.
        unsafe { ptr::write_volatile(to.add(at), byte as u8) };
    }
    to
}

/// # Safety
/// As of `memcmp(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    for at in 0..length {
        // SAFETY: the caller vouches for `length` bytes on both sides.
        let (left, right) = unsafe { (ptr::read_volatile(left.add(at)), *right.add(at)) };
        if left != right {
            return i32::from(left) - i32::from(right);
        }
    }
    0
}

/// # Safety
/// As of `bcmp(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    // From the end, which makes the shorter loop; and only whether they differ.
    let mut at = length as isize;
    loop {
        at -= 1;
        if at < 0 {
            return 0;
        }
        // SAFETY: the caller vouches for `length` bytes on both sides.
        if unsafe { ptr::read_volatile(left.offset(at)) != *right.offset(at) } {
            return 1;
        }
    }
}

/// # Safety
/// As of `strlen(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(string: *const c_char) -> usize {
    let mut length = 0;
    // SAFETY: the caller vouches for a NUL byte at the end.
    while unsafe { ptr::read_volatile(string.add(length)) } != 0 {
        length += 1;
    }
    length
}

/// Nothing in the release binary can panic, and a test looks that nothing does (`tests/binary.rs`): this is for builds
/// without optimisation.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(1)
}

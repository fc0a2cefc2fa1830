//! What a C library does before `main` and for it: the entry point, the memory functions that the compiler calls by
//! name, and the end after a panic. Part of the binary, not of the library.
//!
//! The kernel starts a process with nothing but a stack pointer, at which it has laid out (System V ABI, "Process
//! Initialization"):
//!
//! ```text
//! argc | argv[0] … argv[argc-1] | NULL | envp[0] … | NULL | auxiliary vector
//! ```
//!
//! The binary is static and linked to a fixed address, and it has no thread-local data: so nothing has to be relocated
//! or initialized first.

use crate::main;
use binfmt_register::sys::{Strings, exit, occupy_standard_descriptors, stderr};
use core::ffi::{c_char, c_int, c_void};
use core::panic::PanicInfo;

binfmt_register::entry!(enter);

/// # Safety
/// Called once, by the entry point, with the stack pointer that the process was started with.
unsafe extern "C" fn enter(stack: *const usize) -> ! {
    // SAFETY: the stack is laid out as above, and stays so as long as the process.
    let (arguments, environment) = unsafe {
        let count = *stack;
        let arguments: *const *const c_char = stack.add(1).cast();
        let environment = arguments.add(count + 1);
        // The first of all calls of rustix, which finds the auxiliary vector after the environment.
        #[cfg(target_arch = "x86")]
        rustix::param::init(environment.cast_mut().cast());
        (Strings::from_ptr(arguments), Strings::from_ptr(environment))
    };
    occupy_standard_descriptors();
    exit(main(arguments, environment))
}

/// Our own code has nothing that panics by intention; checks in rustix and heapless remain. One fixed line says so, since
/// to format the message would take kilobytes.
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    _ = rustix::io::write(stderr(), b"binfmt_register: internal error; please report it\n");
    exit(1)
}

// The accesses below are volatile: otherwise the compiler would recognize each loop and call the function it is in.

/// # Safety
/// As of `memcpy(3)`. The ranges may overlap if `to` is before `from`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut c_void, from: *const c_void, length: usize) -> *mut c_void {
    for at in 0..length {
        // SAFETY: the caller promises `length` bytes on both sides.
        unsafe { *to.cast::<u8>().add(at) = from.cast::<u8>().add(at).read_volatile() };
    }
    to
}

/// # Safety
/// As of `memmove(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut c_void, from: *const c_void, length: usize) -> *mut c_void {
    if to.cast_const() <= from {
        // SAFETY: from the first byte on, none is overwritten before it is read.
        return unsafe { memcpy(to, from, length) };
    }
    for at in (0..length).rev() {
        // SAFETY: the caller promises `length` bytes on both sides.
        unsafe { *to.cast::<u8>().add(at) = from.cast::<u8>().add(at).read_volatile() };
    }
    to
}

/// # Safety
/// As of `memset(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut c_void, byte: c_int, length: usize) -> *mut c_void {
    for at in 0..length {
        // SAFETY: the caller promises `length` bytes.
        unsafe { to.cast::<u8>().add(at).write_volatile(byte as u8) };
    }
    to
}

/// # Safety
/// As of `memcmp(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const c_void, right: *const c_void, length: usize) -> c_int {
    for at in 0..length {
        // SAFETY: the caller promises `length` bytes on both sides.
        let (left, right) = unsafe { (left.cast::<u8>().add(at).read_volatile(), *right.cast::<u8>().add(at)) };
        if left != right {
            return c_int::from(left) - c_int::from(right);
        }
    }
    0
}

/// # Safety
/// As of `bcmp(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const c_void, right: *const c_void, length: usize) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { memcmp(left, right, length) }
}

/// # Safety
/// As of `strlen(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(string: *const c_char) -> usize {
    let mut length = 0;
    // SAFETY: the caller promises a NUL byte at the end.
    while unsafe { string.add(length).read_volatile() } != 0 {
        length += 1;
    }
    length
}

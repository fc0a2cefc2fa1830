//! What depends on the machine the binary is built for: the entry point and the instruction that calls the kernel. One
//! file for each host, each with the same items:
//!
//! - the macro `entry!` makes the entry point `_start`. It ends the chain of stack frames, aligns the stack as the ABI
//!   wants it at a call, and calls the given function with the stack pointer that the kernel started the process with;
//! - [`syscall`] calls the kernel (`syscall(2)` has the registers).

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "x86", path = "x86.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "powerpc64", path = "powerpc64.rs")]
#[cfg_attr(target_arch = "s390x", path = "s390x.rs")]
mod this;

pub use this::syscall;
#[cfg(target_arch = "x86_64")]
pub use this::x86_64_level;

/// The x86-64 level of this CPU (x86-64 psABI, section 3.1.1): 0, since it is not an x86-64 one.
#[cfg(not(target_arch = "x86_64"))]
pub fn x86_64_level() -> u8 {
    0
}

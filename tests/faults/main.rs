//! Fails each system call of each job of the tool once with each of some errors, kills the process before and after it,
//! and looks at what is left: `make test-faults`.
//!
//! One process of this program a job does so, in a user namespace of its own, or in a machine of its own.

#[path = "../common/mod.rs"]
mod common;

#[cfg(target_arch = "x86_64")] // the registers
mod check;
#[cfg(target_arch = "x86_64")]
mod jobs;
#[cfg(target_arch = "x86_64")]
#[path = "../boot/machine.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
mod names;
#[cfg(target_arch = "x86_64")]
mod parent;
#[cfg(target_arch = "x86_64")]
mod programs;
#[cfg(target_arch = "x86_64")]
mod state;
#[cfg(target_arch = "x86_64")]
mod trace;
#[cfg(target_arch = "x86_64")]
mod work;

#[cfg(target_arch = "x86_64")]
fn main() {
    parent::main();
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    common::skip("faults", "it changes the registers of x86_64");
}

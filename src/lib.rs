//! Registers QEMU user-mode interpreters with the kernel's binfmt_misc, and makes the registrations last.
//!
//! There is no C library and no heap. Imports go one way, from the top of this list down:
//!
//! - [`help`]: what `--help` prints;
//! - [`jobs`]: register, uninstall, status, explain, print, hold. Each reads as observe, plan, apply, report;
//! - [`boot`]: the program that comes after the jobs, in the same process;
//! - [`report`]: outcomes and errors, and their words;
//! - [`plan`](mod@plan): from what was observed to what is to be done, without a system call;
//! - [`cli`], [`config`]: what is asked for, by options and by variables;
//! - [`binfmt`]: the file system binfmt_misc and what is written to it;
//! - [`machine`]: the kernel, namespaces, interpreters, and what the machine executes;
//! - [`architecture`]: the table of architectures, and their programs;
//! - [`sys`]: all that is unsafe.
#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]
#![deny(unsafe_code, unsafe_op_in_unsafe_fn)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod architecture;
pub mod binfmt;
pub mod boot;
pub mod cli;
pub mod config;
pub mod help;
pub mod jobs;
pub mod machine;
pub mod plan;
pub mod report;
#[allow(unsafe_code)]
pub mod sys;

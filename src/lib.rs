//! Registers QEMU user-mode interpreters with the kernel's binfmt_misc, and makes the registrations last.
//!
//! The library knows nothing of the command line, has no C library and no heap. Data flows one way:
//!
//! - what is asked for: [`config`]; what there is: [`kernel`], [`target`], [`elf`], [`handler`], [`interpreter`],
//!   [`observe`], [`probe`];
//! - [`plan`]: from both to one action per architecture, without a system call;
//! - [`apply`], [`rule`], [`access`], [`rootless`], [`binfmt_misc`], [`pin`]: the action carried out;
//! - [`report`], [`message`]: what was done.
//!
//! [`register`], [`hold`], [`uninstall`] and [`status`] join them to the jobs of the tool; [`command`] and [`init`] are
//! what comes after. Below all are [`text`] and [`output`], [`fd`], [`process`] and [`namespace`], and [`arch`].
#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

pub mod access;
pub mod apply;
pub mod arch;
pub mod binfmt_misc;
pub mod command;
pub mod config;
pub mod elf;
pub mod errno;
pub mod fd;
pub mod handler;
pub mod hold;
pub mod host;
pub mod init;
pub mod interpreter;
pub mod kernel;
pub mod message;
pub mod namespace;
pub mod observe;
pub mod output;
pub mod pin;
pub mod plan;
pub mod probe;
pub mod process;
pub mod register;
pub mod report;
pub mod rootless;
pub mod rule;
pub mod status;
pub mod target;
pub mod text;
pub mod uninstall;

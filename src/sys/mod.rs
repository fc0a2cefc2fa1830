//! What rustix leaves to a C library: the arguments of the process, its end, child processes, execution of programs,
//! and the few system calls that rustix does not have. All `unsafe` code of this package stands below this directory.
//!
//! `start.rs` beside this file belongs to the binary alone: the entry point, the memory functions that the compiler
//! calls by name, and the panic handler. A test program has all of them from the standard library.

mod arguments;
mod host;
mod process;
mod signals;
mod stdio;

pub use arguments::{Strings, strip_prefix};
pub use host::x86_64_level;
pub use process::{
    belongs_to_this_user_namespace, execute_descriptor, execute_file, exit, make_mounts_slave, may_execute,
    start_child, unshare_mount_namespace, unshare_user_namespace,
};
pub use signals::{InheritedSignals, Signal, signal_descriptor};
pub use stdio::{occupy_standard_descriptors, stderr, stdout};

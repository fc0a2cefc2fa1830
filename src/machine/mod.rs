//! This machine: its kernel, its namespaces, the interpreters on it, and what it executes.

mod file;
mod interpreter;
mod kernel;
mod mount;
mod namespace;
mod native;
mod path;
mod probe;

pub use file::{open, write_file};
pub use interpreter::{Defect, Directory, Interpreter, InterpreterFile, Unfit, judge};
pub use kernel::{ARGV0_FLAG_IS_TOLD, BINFMT_MISC_PER_USER_NAMESPACE, FIX_BINARY, NEW_MOUNT_CALLS, Release, Version};
pub use mount::{attach, may_mount, mount_detached};
pub use namespace::{container_ends_with_this_process, in_first_pid_namespace, in_first_user_namespace};
pub use native::{Native, is_native};
pub use path::{PathBuffer, join};
pub use probe::{ProbeError, run_probe};

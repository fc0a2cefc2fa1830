//! This machine: its kernel, its namespaces, the interpreters on it, and what it executes.

mod child;
mod file;
mod interpreter;
mod kernel;
mod label;
mod mount;
mod namespace;
mod native;
mod owners;
mod path;
mod probe;
mod program;
mod qemu;
mod root;
mod rule_files;
mod security;
mod segments;

pub use child::run_in_child;
pub use file::{open, write_all, write_file};
pub use interpreter::{Directory, HELD, Inspected, Interpreter, InterpreterFile, Unfit, inspect, judge, unreadable};
pub use kernel::{
    ARGV0_FLAG_IS_TOLD, BINFMT_MISC_PER_USER_NAMESPACE, FIX_BINARY, LONG_FILE_START, LONG_INTERPRETER_PATH,
    NEW_MOUNT_CALLS, Release, Version,
};
pub use label::{has_categories, register_for_all};
pub use mount::{attach, enter_own_mount_namespace, may_mount, mount_detached};
pub use namespace::{UserNamespace, container_ends_with_this_process, in_first_pid_namespace};
pub use native::{Native, is_native};
pub use owners::{OpenDirectory, Owners};
pub use path::{PathBuffer, join, split_file_name};
pub use probe::{ProbeError, level_of_cpu, run_probe};
pub use program::{Obstacle, Program};
pub use qemu::{QemuVersion, qemu_version};
pub use root::Root;
pub use rule_files::{NoLine, Place, each_line};
pub use security::SecurityModule;
pub use segments::{Defect, Segments};

//! What comes after the jobs, in the same process: another program.

mod command;
mod init;

pub use command::execute;
pub use init::{console, execute_next_init, is_machines_init};

//! Executes another program in place of this process.

use crate::machine::{PathBuffer, join};
use crate::sys::{Strings, execute_file};
use core::ffi::CStr;
use rustix::io::Errno;

/// Where programs are looked for if `PATH` is blank.
const USUAL_PATH: &CStr = c"/bin:/usr/bin";

/// Executes the program called `name`, looked up as `execvpe(3)` does, with the arguments `first` and then `rest`. A file
/// whose format the kernel does not know is given to the shell. Returns only if it fails.
///
/// `NOENT`: there is no such program. Others as of `execve(2)`.
pub fn execute(name: &CStr, first: &[&CStr], rest: Strings, environment: Strings) -> Errno {
    let path = environment.variable("PATH").unwrap_or(USUAL_PATH).to_bytes();
    // A name with a slash, or a blank one, is not looked up. A blank directory is the working directory.
    let is_looked_up = !name.is_empty() && name.to_bytes().iter().all(|byte| *byte != b'/');
    let path = if is_looked_up { path } else { b"" };
    let mut error = Errno::NOENT;
    let mut buffer = PathBuffer::new();
    for directory in path.split(|&byte| byte == b':') {
        let separator: &[u8] = if directory.is_empty() { b"" } else { b"/" };
        // The kernel would not take a path that is too long.
        let Ok(file) = join(&mut buffer, &[directory, separator, name.to_bytes()]) else { continue };
        match execute_or_interpret(file, first, rest, environment) {
            Errno::NOENT | Errno::NOTDIR => {}
            Errno::ACCESS => error = Errno::ACCESS, // another directory may have one that can be executed
            other => return other,
        }
    }
    error
}

fn execute_or_interpret(file: &CStr, first: &[&CStr], rest: Strings, environment: Strings) -> Errno {
    match execute_file(file, first, rest, environment) {
        Errno::NOEXEC => {
            // The shell gets the file instead of the name that the program would have seen.
            let rest = match rest.split_first() {
                Some((_, following)) if first.is_empty() => following,
                _ => rest,
            };
            execute_file(c"/bin/sh", &[c"/bin/sh", file], rest, environment)
        }
        error => error,
    }
}

//! Another program in the place of this process: `-- COMMAND`.

use crate::arch::call;
use crate::errno::{Errno, check};
use crate::output::Output;
use crate::text::{BLANK, Text};
use core::ffi::c_char;
use linux_raw_sys::general as sys;

/// A list of strings as the kernel lays it out for a new process: it ends with a null pointer.
pub type List = *mut *const c_char;

/// Executes the program that the first of `arguments` names, looked up as `execvpe(3)` does: in the directories of
/// `path` if there is no slash in the name; and as a script for the shell if the kernel does not know its format.
///
/// Returns only if that fails: `NOENT`, there is no such program; others as of `execve(2)`.
///
/// # Safety
/// Both are such lists, `arguments` not an empty one, and the word before `arguments` may be overwritten.
pub unsafe fn execute(arguments: List, environment: List, path: Text) -> Errno {
    // SAFETY: the first is a string, as the caller vouches.
    let name = unsafe { Text::from_ptr(*arguments) };
    let mut error = Errno::NOENT;
    let mut buffer = Output::text_only();
    // A name with a slash, or a blank one, is looked up nowhere; a blank directory is the working directory.
    let mut rest = if name.is_blank() || name.has(b'/') { BLANK } else { path };
    loop {
        buffer.clear();
        let mut last = true;
        for byte in rest.by_ref() {
            last = byte != b':';
            if !last {
                break;
            }
            buffer.byte(byte);
        }
        if !buffer.is_blank() {
            buffer.byte(b'/');
        }
        buffer.put(name);
        // One that there is no room for is none.
        if !buffer.failed {
            match try_one(buffer.text(), arguments, environment) {
                Errno::NOENT | Errno::NOTDIR => {}
                Errno::ACCESS => error = Errno::ACCESS, // there may be another one behind it
                other => return other,
            }
        }
        if last {
            return error;
        }
    }
}

/// Executes one file.
fn try_one(file: Text, arguments: List, environment: List) -> Errno {
    let error = execve(file, arguments, environment);
    if error != Errno::NOEXEC {
        return error;
    }
    let shell = Text::new(c"/bin/sh");
    // SAFETY: the caller of `execute` gives up the word before the list, which takes the name of the shell.
    unsafe {
        let script = arguments.sub(1);
        *script = shell.as_ptr().cast();
        *arguments = file.as_ptr().cast();
        execve(shell, script, environment)
    }
}

/// `execve(2)`
#[inline(always)]
fn execve(file: Text, arguments: List, environment: List) -> Errno {
    // SAFETY: the path and the lists outlive the call, as the caller of `execute` vouches.
    let answer = unsafe { call!(sys::__NR_execve, file.as_ptr(), arguments, environment) };
    check(answer).err().unwrap_or(Errno::NOSYS)
}

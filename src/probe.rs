//! Whether this machine executes programs of an architecture, natively or through a handler: found by doing it.

use crate::fd::{self, CREATE, HERE, PATH, STDERR, STDOUT, duplicate, open};
use crate::process::{execute, in_child};
use crate::target::Target;
use core::ffi::CStr;
use rustix::io::{Errno, Result};
use rustix::process::{Resource, Rlimit, setrlimit};

/// What came of executing a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It ran and exited with status 0.
    Runs,
    /// It was started, and ended otherwise.
    Died,
    /// It was not started; `NOEXEC`: nothing here knows such programs.
    Refused(Errno),
}

/// What a probe is called.
const NAME: &CStr = c"binfmt_probe";

/// CPU time in seconds that a probe may take: one that an emulator runs in circles with must not stop a boot.
const SECONDS: u64 = 5;

/// Executes the target's probe from memory: no writable file system is needed.
pub fn run(target: &Target) -> Verdict {
    try_out(&target.probe()).unwrap_or_else(Verdict::Refused)
}

fn try_out(program: &[u8]) -> Result<Verdict> {
    // It stays open when it is executed: an entry without the flag `O` opens it again, as /dev/fd/N.
    let file = fd::memory(NAME)?;
    fd::write(file, program)?;
    // Any exit status could be the program's own.
    let mut refused = None;
    let status = in_child(&mut || {
        _ = setrlimit(Resource::Cpu, Rlimit { current: Some(SECONDS), maximum: Some(SECONDS) });
        // What an emulator may print is of no interest, and must not get between the lines of this tool's output.
        _ = open(HERE, c"/", PATH).map(|nowhere| (duplicate(nowhere, STDOUT), duplicate(nowhere, STDERR)));
        let mut error = execute(file, c"", NAME);
        // A security module (Tomoyo) may insist on finding /dev/fd/N, and there is none: one with a name.
        if error == Errno::NOENT && named(program).is_ok() {
            error = execute(HERE, NAME, NAME);
        }
        refused = Some(error);
        0
    });
    // SAFETY: it is not used afterwards.
    unsafe { file.close() };
    Ok(match (refused, status?) {
        (Some(error), _) => Verdict::Refused(error),
        (None, 0) => Verdict::Runs,
        (None, _) => Verdict::Died,
    })
}

/// Makes a program in a file system of its own, which becomes the working directory.
fn named(program: &[u8]) -> Result<usize> {
    let nowhere = fd::mount(c"tmpfs")?;
    fd::write_file(nowhere, NAME, CREATE, program)?;
    fd::go_to(nowhere)
}

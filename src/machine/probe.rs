//! Whether the machine executes programs of an architecture, by itself or through a handler: found by executing one.

use super::file::{open, write_all, write_file};
use super::mount::mount_detached;
use crate::architecture::{Architecture, Probe};
use crate::sys::{execute_program, run_in_child};
use core::ffi::CStr;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, MemfdFlags, OFlags, fstat, ftruncate, memfd_create};
use rustix::io::{self, Errno};
use rustix::process::{Resource, Rlimit, fchdir, setrlimit};
use rustix::stdio::{dup2_stderr, dup2_stdout};

/// What a probe is called.
pub(super) const NAME: &CStr = c"binfmt_probe";

/// The CPU time in seconds that a probe may take: an emulator that loops must not stop a boot.
const CPU_SECONDS: u64 = 5;

/// The largest number of an error (`MAX_ERRNO` in `include/linux/err.h`).
const LARGEST_ERRNO: i32 = 4095;

/// Why a probe did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeError {
    /// It could not be tried: there was no file for it, or no process.
    NotTried(Errno),
    /// It was not started. `NOEXEC`: nothing here knows such programs.
    NotStarted(Errno),
    /// It was started, and did not exit with status 0.
    Failed,
}

/// Executes the probe of the architecture from memory, so that no writable file system is needed.
///
/// # Errors
/// Why it did not exit with status 0.
pub fn run_probe(architecture: &Architecture) -> Result<(), ProbeError> {
    let probe = architecture.probe();
    // It stays open during the execution: an entry without the flag `O` opens it again, as /dev/fd/N.
    let file = memory_file(&probe, MemfdFlags::empty()).map_err(ProbeError::NotTried)?;
    let status = run_in_child(&mut || execute(&probe, &file)).map_err(ProbeError::NotTried)?;
    // The child tells the error of the execution by making the file longer: any exit status may be the probe's own.
    let length = fstat(&file).map_err(ProbeError::NotTried)?.st_size as i32;
    match length - probe.len() as i32 {
        0 if status.exit_status() == Some(0) => Ok(()),
        error @ 1..=LARGEST_ERRNO => Err(ProbeError::NotStarted(Errno::from_raw_os_error(error))),
        _ => Err(ProbeError::Failed),
    }
}

/// Puts a program into a file in memory.
///
/// # Errors
/// Those of `memfd_create(2)` and [`write_all`].
pub(super) fn memory_file(program: &Probe, flags: MemfdFlags) -> io::Result<OwnedFd> {
    let file = match memfd_create(NAME, flags | MemfdFlags::EXEC) {
        // Before Linux 6.3 all are executable and the flag is unknown.
        Err(Errno::INVAL) => memfd_create(NAME, flags)?,
        file => file?,
    };
    write_all(&file, program)?;
    Ok(file)
}

/// In the child: executes the file. Returns only if that fails.
fn execute(probe: &Probe, file: &OwnedFd) -> i32 {
    _ = setrlimit(Resource::Cpu, Rlimit { current: Some(CPU_SECONDS), maximum: Some(CPU_SECONDS) });
    // What an emulator prints must not get between the lines of this tool.
    if let Ok(nowhere) = open(CWD, c"/", OFlags::PATH) {
        _ = dup2_stdout(&nowhere);
        _ = dup2_stderr(&nowhere);
    }
    let mut error = execute_program(file, c"", NAME);
    // A security module (Tomoyo) may insist on /dev/fd/N. Where there is none, a file with a name serves.
    if error == Errno::NOENT && file_with_name(probe).is_ok() {
        error = execute_program(CWD, NAME, NAME);
    }
    _ = ftruncate(file, (probe.len() as u64).saturating_add(error.raw_os_error() as u64));
    1
}

/// Puts a program into a file system of its own, which becomes the working directory.
fn file_with_name(program: &Probe) -> io::Result<()> {
    let directory = mount_detached(c"tmpfs")?;
    fchdir(&directory)?;
    write_file(directory.as_fd(), NAME, OFlags::CREATE, program)
}

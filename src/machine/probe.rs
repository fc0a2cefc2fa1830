//! Whether the machine executes programs of an architecture, by itself or through a handler: found by executing one.

use super::child::run_in_child_for;
use super::file::{open, write_all, write_file};
use super::mount::mount_detached;
use crate::architecture::{Architecture, LEVELS, Probe, level_probe};
use crate::sys::{Strings, execute_descriptor, execute_file, unshare_user_namespace};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, MemfdFlags, OFlags, memfd_create};
use rustix::io::{self, Errno, read};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Resource, Rlimit, Signal, chroot, fchdir, setrlimit};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

/// What a probe is called.
pub(super) const NAME: &CStr = c"binfmt_probe";

/// The CPU time in seconds that a probe may take.
const CPU_SECONDS: u64 = 5;

/// The time in seconds that it may take in all: an emulator that waits must not stop a boot.
const SECONDS: u64 = 9;

/// Why a probe did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeError {
    /// It could not be tried: there was no file for it, or no process.
    NotTried(Errno),
    /// It was not started. `NOEXEC`: nothing here knows such programs.
    NotStarted(Errno),
    /// It was started, and did not exit with status 0.
    Failed,
    /// It was started, and killed: because it did not end, or by somebody else.
    Killed,
}

/// Executes the probe of the architecture, from memory where that can be, so that no writable file system is needed. With
/// `root`, interpreters and dynamic linkers are looked for in that root directory.
///
/// # Errors
/// Why it did not exit with status 0.
pub fn run_probe(root: Option<BorrowedFd>, architecture: &Architecture) -> Result<(), ProbeError> {
    run(&architecture.probe(), root)
}

/// The highest level of x86-64, 1 to 4, of which programs run, found by executing instructions of each.
///
/// # Errors
/// Why one could not be tried.
pub fn level_of_cpu(root: Option<BorrowedFd>, x86_64: &Architecture) -> Result<u8, ProbeError> {
    let mut level = 1;
    for instructions in LEVELS {
        match run(&level_probe(x86_64, instructions), root) {
            Ok(()) => level += 1,
            Err(ProbeError::Failed) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(level)
}

fn run(probe: &Probe, root: Option<BorrowedFd>) -> Result<(), ProbeError> {
    // The child tells by a pipe why it executed nothing: any exit status may be the probe's own.
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(ProbeError::NotTried)?;
    let ended = run_in_child_for(SECONDS, &mut || {
        _ = write_all(&writer, &execute(probe, root).to_ne_bytes());
        1
    });
    let status = ended.map_err(ProbeError::NotTried)?;
    let mut buffer = [MaybeUninit::<u8>::uninit(); 4];
    let told = read(&reader, &mut buffer).ok().and_then(|(bytes, _)| bytes.first_chunk());
    match (told.map(|bytes| i32::from_ne_bytes(*bytes)), status) {
        (Some(errno @ 1..), _) => Err(ProbeError::NotStarted(Errno::from_raw_os_error(errno))),
        (Some(errno), _) => Err(ProbeError::NotTried(Errno::from_raw_os_error(-errno))),
        (None, Some(status)) if status.exit_status() == Some(0) => Ok(()),
        (None, Some(status)) if status.terminating_signal() != Some(Signal::KILL.as_raw()) => Err(ProbeError::Failed),
        (None, _) => Err(ProbeError::Killed),
    }
}

/// Puts a program into a file in memory.
///
/// # Errors
/// Those of `memfd_create(2)` and `write(2)`. `ACCESS`: `vm.memfd_noexec` forbids to execute such files.
pub(super) fn memory_file(program: &Probe, flags: MemfdFlags) -> io::Result<OwnedFd> {
    let file = match memfd_create(NAME, flags | MemfdFlags::EXEC) {
        // Before Linux 6.3 all are executable and the flag is unknown.
        Err(Errno::INVAL) => memfd_create(NAME, flags)?,
        file => file?,
    };
    write_all(&file, program)?;
    Ok(file)
}

/// In the child: executes the program. Returns only if that fails: the number of the error, or, if there was nothing to be
/// executed, its negative.
fn execute(program: &Probe, root: Option<BorrowedFd>) -> i32 {
    if let Some(Err(error)) = root.map(enter) {
        return -error.raw_os_error();
    }
    _ = setrlimit(Resource::Cpu, Rlimit { current: Some(CPU_SECONDS), maximum: Some(CPU_SECONDS) });
    // What an emulator prints must not get between the lines of this tool, and it must not read what is not for it.
    if let Ok(nowhere) = open(CWD, c"/", OFlags::PATH) {
        _ = dup2_stdin(&nowhere);
        _ = dup2_stdout(&nowhere);
        _ = dup2_stderr(&nowhere);
    }
    let told = match memory_file(program, MemfdFlags::empty()) {
        // It stays open during the execution: an entry without the flag `O` opens it again, as /dev/fd/N.
        Ok(file) => match execute_descriptor(&file, NAME) {
            // A security module (Tomoyo) may insist on /dev/fd/N, and there may be none.
            Errno::NOENT => Errno::NOENT.raw_os_error(),
            // There is no such call, or a filter forbids it.
            error @ (Errno::NOSYS | Errno::PERM) => -error.raw_os_error(),
            error => return error.raw_os_error(),
        },
        Err(error) => -error.raw_os_error(),
    };
    if file_with_name(program).is_err() {
        return told;
    }
    execute_file(NAME, &[NAME], Strings::NONE, Strings::NONE).raw_os_error()
}

/// Enters another root directory. For that an ordinary user needs a user namespace, in which what is registered outside is
/// in force, too.
fn enter(root: BorrowedFd) -> io::Result<()> {
    fchdir(root)?;
    match chroot(c".") {
        Err(Errno::PERM) => unshare_user_namespace().and_then(|()| chroot(c".")),
        entered => entered,
    }
}

/// Puts a program into a file system of its own, which becomes the working directory.
fn file_with_name(program: &Probe) -> io::Result<()> {
    let directory = mount_detached(c"tmpfs")?;
    fchdir(&directory)?;
    write_file(directory.as_fd(), NAME, OFlags::CREATE, program)
}

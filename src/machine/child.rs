//! Child processes, and how long they are waited for.

use crate::sys::start_child;
use rustix::io::{self, Errno};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process_group, setpgid, waitpid};
use rustix::system::sysinfo;
use rustix::thread::{Timespec, nanosleep};

/// How long is slept between two looks at a child: a small part of what an emulator takes for a start.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };

/// Runs `body` in a child process, as [`start_child`] does, and waits for its end.
///
/// # Errors
/// Those of `body`, of `clone(2)` and `wait4(2)`. `INTR`: a signal ended it.
pub fn run_in_child(body: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
    let child = start_child(&mut || body().err().map_or(0, Errno::raw_os_error))?;
    loop {
        match wait(child, WaitOptions::empty())?.map(WaitStatus::exit_status) {
            None => {}
            Some(Some(0)) => return Ok(()),
            Some(Some(errno)) => return Err(Errno::from_raw_os_error(errno)),
            Some(None) => return Err(Errno::INTR),
        }
    }
}

/// The same, for a body that executes a program of which nothing is known: in a process group of its own, which is killed
/// after `seconds`. `None` if it was. A program that gives itself another group is not killed with the rest of its group.
///
/// # Errors
/// As above.
pub fn run_in_child_for(seconds: u64, body: &mut dyn FnMut() -> i32) -> io::Result<Option<WaitStatus>> {
    let child = start_child(&mut || {
        _ = setpgid(None, None);
        body()
    })?;
    _ = setpgid(Some(child), Some(child)); // whichever of the two is the first
    let now = || sysinfo().uptime as u64;
    let end = now() + seconds;
    let mut ended = wait(child, WaitOptions::NOHANG);
    while matches!(ended, Ok(None)) && now() <= end {
        _ = nanosleep(&PAUSE);
        ended = wait(child, WaitOptions::NOHANG);
    }
    _ = kill_process_group(child, Signal::KILL); // or what it has left
    if matches!(ended, Ok(None)) {
        _ = wait(child, WaitOptions::empty());
    }
    ended
}

/// How the child ended; `None` if it has not, or if a signal came.
fn wait(child: Pid, options: WaitOptions) -> io::Result<Option<WaitStatus>> {
    match waitpid(Some(child), options) {
        Err(Errno::INTR) => Ok(None),
        ended => Ok(ended?.map(|(_, status)| status)),
    }
}

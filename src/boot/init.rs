//! The machine's init: what is different when the kernel starts this tool as its first process.
//!
//! There may be nothing but the initramfs then: no `/proc`, no `/dev`, and nobody who sees an exit status. The process
//! must never end, or the kernel panics. So whatever happens, the next init is executed.

use super::command::execute;
use crate::machine::{Version, in_first_pid_namespace, mount_detached, open};
use crate::report::{NotExecuted, Notice, Report, Sink};
use crate::sys::{Strings, stderr};
use core::ffi::CStr;
use rustix::event::pause;
use rustix::fd::AsFd;
use rustix::fs::{OFlags, stat};
use rustix::io::{self, Errno, write};
use rustix::process::getpid;
use rustix::system::{RebootCommand, reboot};

/// Where an init is looked for that the variable `INIT` does not name: as the kernel does (`kernel_init` in
/// `init/main.c`).
static INITS: [&CStr; 4] = [c"/sbin/init", c"/etc/init", c"/bin/init", c"/bin/sh"];

/// Whether this process is the machine's init, and not that of a container.
pub fn is_machines_init(version: Version) -> bool {
    getpid().is_init() && in_first_pid_namespace(version)
}

/// Where to say something: standard error, which is the console. The kernel gives none where there is no `/dev/console`;
/// then its own log serves, which reaches whatever it has for a console later.
pub fn console() -> Sink {
    if write(stderr(), b"").is_ok() {
        return Sink::Stderr;
    }
    let log = || -> io::Result<Sink> {
        let devices = mount_detached(c"devtmpfs")?;
        open(devices.as_fd(), c"kmsg", OFlags::WRONLY).map(Sink::KernelLog)
    };
    log().unwrap_or(Sink::Stderr)
}

/// Executes the next init: the one that the variable `INIT` names, or one at the usual places, with `arguments` except
/// for the first, which is its own name. `own_name` is the path of this program. Where there is no init, says so and
/// halts the machine.
pub fn execute_next_init(own_name: &CStr, arguments: Strings, environment: Strings, report: &mut Report) -> ! {
    let identity = |path: &CStr| stat(path).map(|stat| (stat.st_dev, stat.st_ino)).ok();
    let own = identity(own_name);
    let rest = arguments.split_first().map_or(arguments, |(_, rest)| rest);
    for init in environment.variable("INIT").into_iter().chain(INITS.iter().copied()) {
        let error = if own.is_some() && identity(init) == own {
            Errno::LOOP // it would execute itself forever
        } else {
            execute(init, &[init], rest, environment)
        };
        report.say(&NotExecuted(init, error));
        report.flush();
    }
    report.say(&Notice::NoInit);
    report.flush();
    halt()
}

/// Halts the machine, as `halt -f` does. If the process ended, the kernel would panic: what it prints then would hide the
/// line that says what is wrong, or it would reset the machine (`panic=`), again and again.
fn halt() -> ! {
    loop {
        _ = reboot(RebootCommand::Halt);
        pause(); // where that is not permitted: there is no signal to come
    }
}

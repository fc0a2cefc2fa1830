//! The machine's init: what is different when the kernel starts this tool as its first process.
//!
//! There may be nothing but the initramfs then: no /proc, no /dev, nobody to see an exit status. The process must never
//! end, or the kernel panics; so whatever happens, the next init is executed.

use crate::arch::call;
use crate::command::{List, execute};
use crate::errno::Errno;
use crate::fd::{Fd, HERE, STDERR, WRITE, mount, numbers, open, write};
use crate::kernel::Version;
use crate::message::{Reason, Say};
use crate::namespace::in_first_pid_namespace;
use crate::process::number;
use crate::report::Report;
use crate::text::{BLANK, List as Texts, Text};
use linux_raw_sys::general as sys;

/// Where an init is looked for that the variable `INIT` does not name: as the kernel does.
const INITS: Texts = Texts::new(b"/sbin/init\0/etc/init\0/bin/init\0/bin/sh\0\0");

/// Whether this process is the machine's init, and not that of a container.
pub fn is_machines_init(version: Version) -> bool {
    number() == 1 && in_first_pid_namespace(version)
}

/// Where to say something: standard error, which is the console. The kernel gives none where there is no /dev/console;
/// what is written to its own log reaches whatever it has for a console later, and `dmesg`.
pub fn console() -> Fd {
    let log = |_| open(mount(Text::new(c"devtmpfs"))?, Text::new(c"kmsg"), WRITE);
    write(STDERR, b"").map(|_| STDERR).or_else(log).unwrap_or(STDERR)
}

/// Executes the next init: the one that `wanted` names, else one at the usual places, with `arguments` but for the
/// first, which is its own name. Where there is none, says so and halts the machine.
///
/// # Safety
/// As of [`execute`].
#[inline(always)]
pub unsafe fn next(wanted: Text, arguments: List, environment: List, path: Text, report: &mut Report) -> ! {
    // By which path this was started, unless a command was tried before.
    // SAFETY: a string, as the caller vouches.
    let this = numbers(HERE, unsafe { Text::from_ptr(*arguments) });
    let mut usual = INITS;
    let mut init = wanted;
    loop {
        if !init.is_blank() {
            let error = if this.1 != 0 && numbers(HERE, init) == this {
                Errno::LOOP // it would execute itself forever
            } else {
                // SAFETY: there is room for a name where there was one; otherwise as the caller vouches.
                unsafe {
                    *arguments = init.as_ptr().cast();
                    execute(arguments, environment, path)
                }
            };
            report.say(Say::NotExecuted, init, error.into());
            report.out.flush();
        }
        let Some(next) = usual.next() else { break };
        init = next;
    }
    report.say(Say::NoInit, BLANK, Reason::NONE);
    report.out.flush();
    halt()
}

/// Halts the machine, as `halt -f` does. To end would make the kernel panic, and its words push those that say what is
/// wrong off the screen, or reset the machine (`panic=`), again and again; to sleep would leave a machine that looks
/// alive, and its disks as they are.
#[inline(always)]
fn halt() -> ! {
    // Does not return; and if it may not be, there is nothing left to do but to wait for a signal that never comes.
    loop {
        // SAFETY: numbers and null pointers only.
        unsafe {
            _ = call!(sys::__NR_reboot, 0xfee1_dead_u32, 0x2812_1969_u32, 0xcdef_0123_u32, 0usize);
            _ = call!(sys::__NR_ppoll, 0usize, 0usize, 0usize, 0usize, 0usize);
        }
    }
}

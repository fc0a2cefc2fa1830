//! `--hold`: registers, stays, registers again what others remove, and at the end removes what it registered.

use crate::access;
use crate::arch::call;
use crate::binfmt_misc::{BinfmtMisc, Way};
use crate::config::Config;
use crate::errno::{Errno, check};
use crate::host::Host;
use crate::output::Output;
use crate::pin;
use crate::process::{in_child, reap};
use crate::register::register;
use crate::report::Report;
use crate::target::TARGETS;
use crate::text::Text;
use crate::uninstall::uninstall;
use core::ptr;
use linux_raw_sys::general as sys;

/// Which entry has each name that this tool gives, by the target's place, the pin's the last; 0: there is none. An
/// entry that is removed and registered again is another one.
type Entries = [u64; TARGETS.len() + 1];

/// Registers, and stays until SIGTERM or SIGINT. What `config` asks for is registered again when it is gone. Then
/// removes what it registered itself, if that is still there. If something fails at the start, does so at once.
pub fn hold(config: &mut Config, host: &Host, report: &mut Report) {
    // From here on, so that what was registered is never left behind.
    block(END | CHLD | IO);
    // Open all along, so that there is no moment in which the file system could go.
    let mut fs = access::open(host, report);
    if fs.failed().is_some() {
        return;
    }
    fs.let_go();
    let notified = fs.notify().is_ok();
    let mut seen: Entries = [0; TARGETS.len() + 1];
    let mut ours = seen;
    loop {
        look(&fs, &mut seen, None);
        // What it opens is closed with the child, and its memory given back.
        let status = in_child(&mut || {
            register(config, host, None, report);
            report.out.flush();
            report.failed.into()
        });
        look(&fs, &mut seen, Some(&mut ours));
        // What fails later is said, and may have others for its reason.
        report.failed = status != 0 && !report.quiet;
        if report.failed || !wait(notified) {
            break;
        }
        config.keep();
        report.quiet = true;
    }
    look(&fs, &mut seen, None);
    let now = BinfmtMisc::open(host.dir, true, false);
    let mounted = now.failed().is_none() && now.way == Way::Mounted;
    let mut list = Output::text_only();
    for (place, (ours, seen)) in ours.iter().zip(&seen).enumerate() {
        // The pin goes with the last entry; those of others, which it may be all that keeps, a mount may keep.
        if *seen != 0 && seen == ours && (place < TARGETS.len() || mounted) {
            name(place, &mut list);
            list.byte(b' ');
        }
    }
    if !list.is_blank() {
        uninstall(list.text(), host, report);
    }
}

/// Looks what there is; what is new is `ours`.
fn look(fs: &BinfmtMisc, seen: &mut Entries, mut ours: Option<&mut Entries>) {
    let mut buffer = Output::text_only();
    for (place, seen) in seen.iter_mut().enumerate() {
        buffer.clear();
        name(place, &mut buffer);
        let entry = fs.identity(buffer.text());
        if let Some(ours) = ours.as_mut().and_then(|ours| ours.get_mut(place)) {
            if entry != *seen {
                *ours = entry;
            }
        }
        *seen = entry;
    }
}

/// Writes the name at a place.
fn name(place: usize, out: &mut Output) {
    match TARGETS.get(place) {
        Some(target) => {
            out.put(Text::new(c"qemu-"));
            out.put(target.name());
        }
        None => out.put(pin::NAME),
    }
}

/// A set of signals, as the kernel has it.
type Signals = u64;
const END: Signals = 1 << (sys::SIGTERM - 1) | 1 << (sys::SIGINT - 1);
const CHLD: Signals = 1 << (sys::SIGCHLD - 1);
const IO: Signals = 1 << (sys::SIGIO - 1);

/// Keeps signals until they are asked for, also from PID 1, which would not get them otherwise.
fn block(signals: Signals) {
    // SAFETY: the kernel reads the set, and writes nothing where the pointer is null.
    _ = unsafe { call!(sys::__NR_rt_sigprocmask, sys::SIG_BLOCK, &raw const signals, 0usize, size_of::<Signals>()) };
}

/// Waits until entries may have been removed, and reaps children meanwhile; `false`: it is time to end.
fn wait(notified: bool) -> bool {
    // In seconds and nanoseconds. A kernel that cannot notify is asked each second.
    let mut time = [1usize, 0];
    let mut signals = END;
    let mut limit = &raw const time;
    if notified {
        (signals, limit) = (END | CHLD | IO, ptr::null());
    }
    loop {
        // SAFETY: the kernel reads the set and the time, and writes nothing where the pointer is null.
        let signal =
            unsafe { call!(sys::__NR_rt_sigtimedwait, &raw const signals, 0usize, limit, size_of::<Signals>()) };
        match check(signal) {
            Ok(SIGCHLD) => reap(),
            // Who removes all may be about to register others (systemd-binfmt does): they shall find no entry in their
            // way, and be found.
            Ok(SIGIO) => {
                time = [0, 500_000_000];
                (signals, limit) = (END, &raw const time);
            }
            Ok(_) => return false,
            Err(Errno::AGAIN) => {
                reap();
                return true;
            }
            Err(_) => {} // stopped and continued
        }
    }
}

const SIGCHLD: i32 = sys::SIGCHLD as i32;
const SIGIO: i32 = sys::SIGIO as i32;

//! `--hold`: registers, stays, registers again what others remove, and at the end removes what it registered.

use super::Context;
use super::access::{Purpose, lock, open};
use super::register::register;
use super::uninstall::{remove, remove_pin};
use crate::architecture::ARCHITECTURES;
use crate::binfmt::{Access, Entries, OwnName, PIN, name_of, recognize};
use crate::config::Config;
use crate::machine::{self, PathBuffer};
use crate::report::{Notice, Report};
use crate::sys::{Signal, run_in_child, signal_descriptor};
use core::mem::MaybeUninit;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, OFlags, inotify};
use rustix::io::{self, read};
use rustix::process::{WaitOptions, fchdir, wait};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime};

/// How long it waits before it registers again: who removes all entries may be about to register others, as
/// systemd-binfmt is. They must find no entry in their way, and be found.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// How often it looks where the kernel does not notify it.
const INTERVAL: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// Registers what `config` asks for, and stays. What is removed is registered again. At SIGTERM or SIGINT it removes
/// what it registered itself, if that is still there. If something fails at the start, it does so at once.
pub fn hold(config: &mut Config, context: &Context, report: &mut Report) {
    let Some(binfmt_misc) = open(Purpose::Register, context, report) else { return };
    // They stay open, so that there is no moment in which the file system could go.
    let entries = binfmt_misc.into_entries();
    let watch = match Watch::new(&entries) {
        Ok(watch) => watch,
        Err(errno) => return report.say(&Notice::CannotHold(errno)),
    };
    let mut ours = Identities::NONE;
    while let Some(before) = Identities::of(&entries, context, report) {
        report.flush(); // or the child would say it too
        // In a child, so that its memory is given back.
        let status = run_in_child(&mut || {
            register(config, context, report);
            report.flush();
            report.failed.into()
        });
        let Some(after) = Identities::of(&entries, context, report) else { break };
        ours.add_new(&before, &after);
        let succeeded = match status {
            Ok(status) => status.exit_status() == Some(0),
            Err(errno) => {
                report.say(&Notice::CannotHold(errno));
                false
            }
        };
        // What fails later is said, and may be due to others.
        if !report.only_news && !succeeded {
            report.failed = true;
            break;
        }
        if watch.wait() == Event::End {
            break;
        }
        config.replace = false;
        report.only_news = true;
    }
    if let Some(now) = Identities::of(&entries, context, report) {
        remove_ours(&ours, &now, context, report);
    }
}

/// Removes the entries that are still those that it registered.
fn remove_ours(ours: &Identities, now: &Identities, context: &Context, report: &mut Report) {
    let still_there = |ours: u64, now: u64| ours != 0 && ours == now;
    let Some(binfmt_misc) = open(Purpose::Register, context, report) else { return };
    let Some(locked) = lock(&binfmt_misc, context, report) else { return };
    let mut any = false;
    for ((architecture, ours), now) in ARCHITECTURES.iter().zip(ours.entries).zip(now.entries) {
        if still_there(ours, now) {
            any = true;
            remove(&locked, name_of(architecture, OwnName::Entry, &mut PathBuffer::new()), report);
        }
    }
    // The pin goes with the last entry. Where entries of others are left, a mount may keep them instead.
    if any {
        let mounted = binfmt_misc.access == Access::Mounted;
        remove_pin(&locked, mounted && still_there(ours.pin, now.pin), context, report);
    }
}

/// The inode numbers of this tool's entries; 0 for one that is not there. An entry that is removed and registered again
/// has another one.
struct Identities {
    /// In the order of the table.
    entries: [u64; ARCHITECTURES.len()],
    pin: u64,
}

impl Identities {
    const NONE: Self = Self { entries: [0; ARCHITECTURES.len()], pin: 0 };

    /// Those that are there now; `None` after having said why they cannot be listed.
    fn of(entries: &Entries, context: &Context, report: &mut Report) -> Option<Self> {
        let mut identities = Self::NONE;
        let listed = entries.for_each(&mut |name, inode| {
            if name == PIN {
                identities.pin = inode;
            }
            let own = recognize(name.to_bytes());
            for (architecture, identity) in ARCHITECTURES.iter().zip(&mut identities.entries) {
                if own == Some((architecture, OwnName::Entry)) {
                    *identity = inode;
                }
            }
        });
        context.read(listed, report).map(|()| identities)
    }

    /// Adds those that are in `after` and were not in `before`.
    fn add_new(&mut self, before: &Self, after: &Self) {
        for ((ours, before), after) in self.entries.iter_mut().zip(&before.entries).zip(&after.entries) {
            if before != after {
                *ours = *after;
            }
        }
        if before.pin != after.pin {
            self.pin = after.pin;
        }
    }
}

/// What it waits for.
struct Watch {
    signals: OwnedFd,
    /// Set when a change is to be answered.
    timer: OwnedFd,
    /// Tells of changes of entries; `None` where the kernel cannot.
    changes: Option<OwnedFd>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    /// Entries may have been removed.
    Change,
    /// It is time to end.
    End,
}

impl Watch {
    /// Begins to watch the entries, and blocks the signals, so that none of them ends this process while it registers.
    fn new(entries: &Entries) -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(Self {
            signals: signal_descriptor(&[Signal::Terminate, Signal::Interrupt, Signal::Child])?,
            timer: timerfd_create(TimerfdClockId::Monotonic, flags)?,
            changes: watch_entries(entries).ok(),
        })
    }

    /// Waits for an event. Meanwhile it reaps children: those of other processes, too, where it is process 1.
    fn wait(&self) -> Event {
        let mut is_set = self.changes.is_none();
        if is_set {
            self.set_timer(INTERVAL);
        }
        loop {
            let changes = self.changes.as_ref().unwrap_or(&self.signals);
            let mut descriptors = [&self.signals, &self.timer, changes].map(|fd| PollFd::new(fd, PollFlags::IN));
            _ = poll(&mut descriptors, None); // what can be read is found by reading
            let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
            if let Ok((signal, _)) = read(&self.signals, buffer.get_mut(..128).unwrap_or_default()) {
                let number = signal.first_chunk().map(|number| u32::from_ne_bytes(*number));
                if number != Some(Signal::Child as u32) {
                    return Event::End;
                }
                while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
            }
            if self.changes.as_ref().is_some_and(|changes| read(changes, &mut buffer).is_ok()) && !is_set {
                is_set = true;
                self.set_timer(PAUSE);
            }
            if read(&self.timer, &mut buffer).is_ok() {
                return Event::Change;
            }
        }
    }

    fn set_timer(&self, time: Timespec) {
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: time };
        _ = timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once);
    }
}

/// Opens a descriptor that tells when an entry, or binfmt_misc as a whole, is written to, and so when one is removed.
fn watch_entries(entries: &Entries) -> io::Result<OwnedFd> {
    let changes = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    // There may be no path that leads to the file system, so it becomes the working directory for the moment.
    let here = machine::open(CWD, c".", OFlags::PATH | OFlags::DIRECTORY)?;
    fchdir(entries.root())?;
    let watched = inotify::add_watch(&changes, c".", inotify::WatchFlags::MODIFY | inotify::WatchFlags::DELETE);
    fchdir(here)?;
    watched.map(|_| changes)
}

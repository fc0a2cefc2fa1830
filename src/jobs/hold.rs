//! `--hold`: registers, stays, registers again what others remove, and at the end removes what it registered.

use super::Context;
use super::access::{Purpose, open};
use super::observe::each_entry;
use super::register::register;
use super::uninstall::{remove, remove_pin};
use crate::binfmt::{Access, Entries};
use crate::config::Config;
use crate::machine::{self, HELD, split_file_name};
use crate::report::{Notice, Report};
use crate::sys::{Signal, signal_descriptor, start_child};
use core::mem::MaybeUninit;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, OFlags, inotify};
use rustix::io::{self, read, write};
use rustix::process::{self, Pid, WaitOptions, fchdir, kill_process, wait, waitpid};
use rustix::thread::nanosleep;

/// How long it waits before it registers again: who removes all entries may be about to register others, as
/// systemd-binfmt is. They must find no entry in their way, and be found.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// How often it looks where the kernel does not notify it.
const INTERVAL: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// How long a process that registers, and perhaps waits for another one, is given when it is time to end. Killed at any
/// moment, it leaves no architecture without its handler.
const GRACE: Timespec = Timespec { tv_sec: 0, tv_nsec: 300_000_000 };

/// Registers what `config` asks for, and stays. What is removed is registered again. At SIGTERM or SIGINT it removes
/// what a holder registered, itself or one before it that was killed, if that is still there. If something fails at the
/// start, it does so at once.
pub fn hold(config: &mut Config, context: &Context, report: &mut Report) {
    let Some(binfmt_misc) = open(Purpose::Register, context, report) else { return };
    // They stay open, so that there is no moment in which the file system could go.
    let entries = binfmt_misc.into_entries();
    let watch = match Watch::new(&entries) {
        Ok(watch) => watch,
        Err(errno) => return report.say(&Notice::CannotHold(errno)),
    };
    config.interpreters.separator = HELD;
    let mut last_digest = [0; 8];
    report.flush(); // or the child would say it too
    loop {
        // In a child, so that its memory is given back.
        let child = start_child(&mut || {
            register(config, context, report);
            if report.only_news && report.news {
                report.say(&Notice::RegisteredAgain);
            }
            // What went on failing was said in the last round.
            let digest = report.writer.digest().to_ne_bytes();
            _ = write(&watch.digest, &digest);
            if report.news || digest != last_digest {
                report.flush();
            }
            report.failed.into()
        });
        let (status, event) = match child {
            Ok(child) => watch.wait_for(child),
            Err(errno) => {
                report.say(&Notice::CannotHold(errno));
                (Some(1), Event::Change)
            }
        };
        match status {
            _ if event == Event::End => {}
            Some(0) if report.only_news => {}
            Some(0) => report.say(&Notice::Holding),
            status => {
                if status.is_none() {
                    report.say(&Notice::ChildKilled);
                }
                // What fails later may be due to others.
                if !report.only_news {
                    report.failed = true;
                    break;
                }
            }
        }
        report.flush();
        last_digest = [0; 8];
        _ = read(&watch.digest, &mut last_digest);
        if event == Event::End || watch.wait() == Event::End {
            break;
        }
        config.replace = false;
        (report.only_news, report.news) = (true, false);
    }
    remove_held(context, report);
}

/// Removes the entries that a holder has registered.
fn remove_held(context: &Context, report: &mut Report) {
    let Some(binfmt_misc) = open(Purpose::Register, context, report) else { return };
    let locked = binfmt_misc.lock_or_go_on();
    let mut any = false;
    each_entry(locked.entries(), context, report, &mut |name, entry, report| {
        if split_file_name(entry.interpreter).0.ends_with(HELD) {
            any = true;
            remove(&locked, name, report);
        }
    });
    // The pin goes with the last entry. Where entries of others are left, a mount may keep them instead.
    if any {
        remove_pin(&locked, binfmt_misc.access == Access::Mounted, context, report);
    }
}

/// What it waits for.
struct Watch {
    signals: OwnedFd,
    /// A counter (`eventfd(2)`) by which a child tells the digest of what it says.
    digest: OwnedFd,
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
        Ok(Self {
            digest: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            signals: signal_descriptor(&[Signal::Terminate, Signal::Interrupt, Signal::Child])?,
            changes: watch_entries(entries).ok(),
        })
    }

    /// Waits for a child process, and kills it if it is time to end. Returns its exit status, which it has unless it was
    /// killed, and what else is to be done.
    fn wait_for(&self, child: Pid) -> (Option<i32>, Event) {
        let mut event = Event::Change;
        loop {
            let is_end = event == Event::End;
            let signalled = poll(&mut [PollFd::new(&self.signals, PollFlags::IN)], is_end.then_some(&GRACE));
            if self.signal() == Some(Event::End) {
                event = Event::End;
            }
            match waitpid(Some(child), WaitOptions::NOHANG) {
                Ok(None) => {}
                ended => return (ended.ok().flatten().and_then(|(_, status)| status.exit_status()), event),
            }
            if is_end && signalled == Ok(0) {
                _ = kill_process(child, process::Signal::KILL);
            }
        }
    }

    /// Reads a signal, if one has come; a child process has ended if it is no [`Event::End`].
    fn signal(&self) -> Option<Event> {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 128];
        let (signal, _) = read(&self.signals, &mut buffer).ok()?;
        let number = signal.first_chunk().map(|number| u32::from_ne_bytes(*number));
        Some(if number == Some(Signal::Child as u32) { Event::Change } else { Event::End })
    }

    /// Waits for an event. Meanwhile it reaps children: those of other processes, too, where it is process 1.
    fn wait(&self) -> Event {
        let mut event = None;
        loop {
            match self.signal() {
                Some(Event::End) => return Event::End,
                Some(Event::Change) => while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {},
                // It is time to answer the change, when no signal is left to be answered.
                None if event.is_some() => return Event::Change,
                None => {}
            }
            let (changes, timeout) = match &self.changes {
                Some(changes) => (changes, None),
                None => (&self.signals, Some(&INTERVAL)),
            };
            let mut descriptors = [&self.signals, changes].map(|fd| PollFd::new(fd, PollFlags::IN));
            if poll(&mut descriptors, timeout) == Ok(0) {
                event = Some(Event::Change);
            }
            if self.changes.as_ref().is_some_and(has_changed) {
                _ = nanosleep(&PAUSE); // the signals are blocked, and wait too
                _ = self.changes.as_ref().is_some_and(has_changed);
                event = Some(Event::Change);
            }
        }
    }
}

/// Whether something has changed since this was asked before.
fn has_changed(changes: &OwnedFd) -> bool {
    let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
    read(changes, &mut buffer).is_ok()
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

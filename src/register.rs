//! The main job: observe, plan, apply, report.

use crate::apply::{self, Entry, Failure};
use crate::binfmt_misc::{BinfmtMisc, Way};
use crate::config::{Asked, Config, Lookup, Mode};
use crate::interpreter::{self, Path, State};
use crate::kernel::{NAMESPACED, Version};
use crate::observe::{Items, entries, interpreters, native, nothing};
use crate::pin;
use crate::plan::{Action, Own, Request, Seen, Wanted, plan};
use crate::report::{Output, Report, Say};
use crate::rule::{self, Line};
use crate::target::TARGETS;
use crate::text::errno;
use core::ffi::CStr;
use rustix::io::Errno;

/// Where this runs.
pub struct Host<'a> {
    /// The kernel's release, as `uname -r` prints it.
    pub release: &'a [u8],
    /// Where binfmt_misc is, or is to be, mounted.
    pub dir: &'a CStr,
    /// Whether this is the machine's first user namespace.
    pub first: bool,
}

impl Host<'_> {
    fn version(&self) -> Version {
        Version::parse(self.release)
    }

    /// Opens binfmt_misc to change it, or says why that cannot be.
    pub fn open(&self, report: &mut Report) -> Option<BinfmtMisc> {
        let error = match BinfmtMisc::open(self.dir, self.first, true) {
            Ok(fs) => return Some(fs),
            Err(error) => error,
        };
        let line = match error {
            Errno::PERM if !self.first && self.version() < NAMESPACED => Say::NoNamespaces,
            Errno::PERM if !self.first => Say::NotPermittedHere,
            Errno::PERM | Errno::ACCESS => Say::NotPermitted,
            Errno::NODEV => Say::NoModule,
            Errno::NOENT | Errno::NOTDIR => Say::NoPlace,
            _ => Say::Unreachable,
        };
        report.say(line, &[errno(error), self.dir.to_bytes(), self.release]);
        None
    }
}

/// Registers what `config` asks for. With `rules`, instead, writes the rules that would do so where nothing is
/// registered, in the format of `binfmt.d(5)`, and changes nothing.
#[inline(never)]
pub fn register(config: &Config, host: &Host, rules: Option<&mut Output>, report: &mut Report) {
    let Some(lookup) = config.mode.lookup(host.version()) else {
        return report.say(Say::TooOld, &[host.release]);
    };
    let mut items = nothing();
    let any = interpreters(config, lookup, &mut items);
    let elsewhere = lookup == Lookup::Execution;
    let wanted = match config.asked {
        Asked::Named(_) => Wanted::Named,
        Asked::All if elsewhere => Wanted::Anyway,
        Asked::Blank if config.mode == Mode::Execution && !any => Wanted::Anyway,
        _ if any => Wanted::IfThere,
        _ => return report.say(Say::NoInterpreter, &[config.directory, config.prefix]),
    };
    let fs = match rules {
        Some(_) => BinfmtMisc::open(host.dir, host.first, false).ok(),
        None => host.open(report),
    };
    if fs.is_none() && rules.is_none() {
        return;
    }
    let pinned = fs.is_some_and(|fs| entries(&fs, &mut items));
    let mut job = Job {
        config,
        request: Request { wanted, replace: config.replace || rules.is_some(), absent_fits: elsewhere },
        flags: &rule::flags(config, lookup, host.version()),
        fs,
        rules,
    };
    let ours = job.run(&mut items, report);
    if let (None, Some(fs)) = (job.rules, fs) {
        if fs.is_off() {
            report.say(Say::Off, &[host.dir.to_bytes()]);
        }
        if ours && !pinned {
            make_last(fs, host, report);
        }
    }
}

struct Job<'a> {
    config: &'a Config<'a>,
    request: Request,
    flags: &'a [u8],
    fs: Option<BinfmtMisc>,
    rules: Option<&'a mut Output>,
}

impl Job<'_> {
    /// Plans, applies and reports; whether an entry of ours, of those asked for, is in force afterwards.
    fn run(&mut self, items: &mut Items, report: &mut Report) -> bool {
        let mut ours = false;
        let mut buffer = Path::new();
        for (place, target) in TARGETS.iter().enumerate() {
            let Some(item) = items.get_mut(place) else { break };
            let mut request = self.request;
            if !self.config.asked.allows(place) {
                request.wanted = Wanted::No;
            } else if item.seen.interpreter != State::Missing || request.wanted != Wanted::IfThere {
                native(target, &mut item.seen);
            }
            let interpreter = interpreter::path(self.config, target, item.place, &mut buffer);
            let entry = Entry { target, interpreter, flags: self.flags, verify: self.config.verify };
            let action = plan(request, &item.seen);
            let done = match (&mut self.rules, &self.fs) {
                (Some(out), _) => print(action, entry, &item.seen, out),
                (None, Some(fs)) => apply::carry_out(fs, action, entry, &item.seen),
                (None, None) => None,
            };
            if let Some((line, why)) = done {
                ours |= item.seen.own == Own::Handles || line as u8 <= Say::Replaced as u8;
                let done: &[u8] = if action == Action::Replace { b"replaced" } else { b"registered" };
                report.say(line, &[target.name(), interpreter, self.flags, &item.other, why, done]);
            }
        }
        ours
    }
}

/// Writes the rule of an entry to be made; what is to be said of the others.
fn print(action: Action, entry: Entry, seen: &Seen, out: &mut Output) -> Option<Failure> {
    match action {
        Action::Skip => None,
        Action::Nothing(line) => Some((line, apply::reason(seen))),
        Action::Register | Action::Replace => {
            let mut line = Line::new();
            if !entry.rule(b"", &mut line) {
                return Some((Say::TooLong, b""));
            }
            out.line(&line, &[]);
            None
        }
    }
}

/// Sees to it that the entries outlive this process, or says that they do not. Lets go of `fs`.
#[inline(never)]
fn make_last(fs: BinfmtMisc, host: &Host, report: &mut Report) {
    let error = match (host.first, fs.way) {
        (true, _) => pin::set().err(),
        (false, Way::Detached) => Some(Errno::ACCESS),
        (false, _) => return report.say(Say::Namespace, &[b"", host.dir.to_bytes()]),
    };
    let Some(error) = error else { return };
    // Something else may keep them: a mount elsewhere, or a kernel in which entries keep themselves.
    // SAFETY: it is not used afterwards.
    unsafe { fs.close() };
    let mut items = nothing();
    let again = BinfmtMisc::open(host.dir, host.first, true);
    _ = again.map(|fs| entries(&fs, &mut items));
    let line = match items.iter().any(|item| item.seen.own != Own::Absent) {
        false => Say::Gone,
        true if fs.way == Way::Detached || error == Errno::NOSYS => return,
        true => Say::WhileMounted,
    };
    report.say(line, &[errno(error), host.dir.to_bytes()]);
}

//! The main job: observe, plan, apply, report.

use crate::access;
use crate::apply::{Entry, Outcome, WELL, carry_out, reason};
use crate::binfmt_misc::{BinfmtMisc, Way};
use crate::config::{Config, How, Lookup, Mode};
use crate::errno::Errno;
use crate::fd;
use crate::host::Host;
use crate::interpreter::name;
use crate::kernel::FSOPEN;
use crate::message::{Reason, Say};
use crate::observe::{Item, Items, NAME, entries, interpreters, native, nothing};
use crate::output::{Output, Values};
use crate::pin;
use crate::plan::{Own, Request, Wanted, is_wanted, makes_entry, plan};
use crate::process;
use crate::report::Report;
use crate::rule;
use crate::text::{BLANK, Text};

/// Registers what `config` asks for. With `rules`, instead, writes the rules that would do so where nothing is
/// registered, in the format of `binfmt.d(5)`, and changes nothing.
pub fn register(config: &Config, host: &Host, rules: Option<&mut Output>, report: &mut Report) {
    let Some(lookup) = config.mode().lookup(host.version) else {
        return report.say(Say::TooOld, BLANK, Reason::NONE);
    };
    let flags = rule::flags(config, lookup, host.version);
    let mut path = Output::text_only();
    let mut job = Job { config, lookup, host, flags, rules, path: &mut path };
    job.run(&mut nothing(), report);
}

struct Job<'a> {
    config: &'a Config<'a>,
    lookup: Lookup,
    host: &'a Host<'a>,
    flags: Text<'a>,
    rules: Option<&'a mut Output>,
    path: &'a mut Output,
}

impl Job<'_> {
    #[inline(never)] // where the buffers are not: their size would make the addresses of all variables longer
    fn run(&mut self, items: &mut Items, report: &mut Report) {
        let any = interpreters(self.config, self.lookup, &report.values, items);
        let absent_fits = self.lookup == Lookup::Execution;
        let wanted = match self.config.asked.how {
            How::Named => Wanted::Named,
            How::All if absent_fits => Wanted::Anyway,
            How::Blank if self.config.mode() == Mode::Execution && !any => Wanted::Anyway,
            _ if any => Wanted::IfThere,
            _ => return report.say(Say::NoInterpreter, BLANK, Reason::NONE),
        };
        let prints = self.rules.is_some();
        let fs = match prints {
            true => BinfmtMisc::open(self.host.dir, self.host.first, false),
            false => access::open(self.host, report),
        };
        if !prints && fs.failed().is_some() {
            return;
        }
        let pinned = entries(&fs, items);
        let request = Request { wanted, replace: self.config.replaces() || prints, absent_fits };
        let mut ours = false;
        for item in items {
            ours |= self.handle(item, request, &fs, report);
        }
        if !prints {
            if fs.is_off() {
                report.say(Say::Off, BLANK, Reason::NONE);
            }
            if ours && !pinned {
                make_last(fs, self.host, report);
            }
        }
    }

    /// Plans, applies and reports; whether an entry of ours is in force afterwards.
    #[inline(never)]
    fn handle(&mut self, item: &mut Item, mut request: Request, fs: &BinfmtMisc, report: &mut Report) -> bool {
        if !item.asked {
            request.wanted = Wanted::No;
        }
        if is_wanted(request, &item.seen) {
            native(item.target, &mut item.seen);
        }
        let planned = plan(request, &item.seen);
        let mut values: Values = report.values;
        values[0] = item.target.name();
        self.path.clear();
        self.path.fill(Text::new(c"%8/"), &values);
        self.path.fill(name(item.plain), &values);
        values[1] = self.path.text();
        values[2] = self.flags;
        values[3] = item.other();
        values[5] = Text::new(if planned == Say::Replaced { c"replaced" } else { c"registered" });
        let entry = Entry { target: item.target, values: &values, verify: self.config.verifies() };
        let (line, why) = match &mut self.rules {
            None => carry_out(fs, planned, &entry, &item.seen),
            Some(out) if makes_entry(planned) => print(&entry, out),
            Some(_) => (planned, reason(planned, &item.seen)),
        };
        if line == Say::Nothing {
            return false;
        }
        values[4] = why.text();
        report.line(line, &values);
        item.seen.own == Own::Handles || makes_entry(line)
    }
}

/// Writes the rule of an entry to be made.
fn print(entry: &Entry, out: &mut Output) -> Outcome {
    let mut line = Output::text_only();
    if !rule::write(&mut line, NAME, entry.target, entry.values, true) {
        return (Say::TooLong, Reason::NONE);
    }
    out.put(line.text());
    out.byte(b'\n');
    WELL
}

/// Sees to it that the entries outlive this process, or says that they do not. Lets go of `fs`.
#[inline(always)]
fn make_last(fs: BinfmtMisc, host: &Host, report: &mut Report) {
    let error = match (host.first, fs.way) {
        (true, _) => pin::set().err(),
        (false, Way::Detached) => Some(Errno::ACCESS),
        (false, _) => return report.say(Say::Namespace, BLANK, Reason::NONE),
    };
    let Some(error) = error else { return };
    // Something else may keep them: a mount elsewhere, or a kernel in which entries keep themselves.
    // SAFETY: it is not used afterwards.
    unsafe { fs.close() };
    // What the first process of a container has mounted goes with it, and so must not count.
    if fs.way == Way::MountedNow && !host.stays && process::number() == 1 {
        fd::unmount(host.dir);
    }
    let mut items = nothing();
    let again = BinfmtMisc::open(host.dir, host.first, true);
    entries(&again, &mut items);
    let line = match items.iter().any(|item| item.seen.own != Own::Absent) {
        false => Say::Gone,
        true if fs.way == Way::Detached || error == Errno::NOSYS && host.version < FSOPEN => return,
        true => Say::WhileMounted,
    };
    report.say(line, BLANK, error.into());
}

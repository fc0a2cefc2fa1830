//! Rules of the user's: each is checked, planned and carried out as what the table has is.

use super::Context;
use super::apply::NewEntry;
use super::observe::{Item, each_entry};
use super::register::{is_risk, say};
use crate::binfmt::{Entry, Flags, Locked, OwnName, PatternBuffer, Target, TextBuffer, UserRule, recognize};
use crate::config::Config;
use crate::machine::{
    Defect, Native, OpenDirectory, PathBuffer, Unfit, UserNamespace, each_line, inspect, join, unreadable,
};
use crate::plan::{Handler, Observed, OwnEntry, Plan, Request, Runs, StandIn, Wanted, plan};
use crate::report::{Failure, Line, Notice, Outcome, Report, RuleLine, RuleNotice};
use core::mem::MaybeUninit;
use heapless::Vec;
use rustix::fd::AsFd;

/// The most rules there can be.
const MOST_RULES: usize = 512;

/// The name of an entry.
pub type EntryName = Vec<u8, 256>;

/// Calls `each` with each rule that is well-formed, and says what is wrong with the others.
fn each_rule(config: &Config, context: &Context, report: &mut Report, each: &mut dyn FnMut(&UserRule, &mut Report)) {
    let Some(paths) = config.rules else { return };
    let mut names: Vec<u64, MOST_RULES> = Vec::new();
    each_line(paths.to_bytes(), &mut |place, line| {
        let mut digits = PatternBuffer::new();
        let notice = match line {
            Err(no_line) => RuleNotice::NoLine(no_line),
            Ok(line) => match UserRule::parse(line, place, context.release.version(), &mut digits) {
                Err(malformed) => RuleNotice::Malformed(malformed),
                Ok(rule) if names.contains(&digest(rule.name)) => RuleNotice::SameName,
                Ok(rule) if names.push(digest(rule.name)).is_err() => RuleNotice::TooMany,
                Ok(mut rule) => {
                    rule.separator = config.interpreters.separator;
                    return each(&rule, report);
                }
            },
        };
        report.say(&RuleLine(place, notice));
    });
}

/// A number for a name (FNV-1a, of 64 bits). If another name ever had the same, its rule would be refused, aloud.
fn digest(name: &[u8]) -> u64 {
    let add = |digest: u64, byte: &u8| (digest ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    name.iter().fold(0xcbf2_9ce4_8422_2325, add)
}

/// Registers the rules, and notes in the items which architectures they take. Returns the name of an entry of theirs that is
/// in force.
pub fn register_rules(
    config: &Config,
    context: &Context,
    binfmt_misc: &Locked,
    items: &mut [Item],
    report: &mut Report,
) -> Option<EntryName> {
    let mut in_force = None;
    each_rule(config, context, report, &mut |rule, report| {
        if register_rule(rule, config, context, binfmt_misc, items, report).is_some() {
            in_force = EntryName::from_slice(rule.name).ok(); // there is room
        }
    });
    in_force
}

/// Registers one rule. `None` if no entry of its name is in force then.
fn register_rule(
    rule: &UserRule,
    config: &Config,
    context: &Context,
    binfmt_misc: &Locked,
    items: &mut [Item],
    report: &mut Report,
) -> Option<()> {
    let target = Target::Rule(rule);
    let mut observed = observe(rule, context, report);
    let complete = each_entry(binfmt_misc.entries(), context, report, &mut |name, entry, _| {
        note(&mut observed, rule, name.to_bytes(), entry);
    });
    if !complete {
        return None;
    }
    let request = request(rule, config, config.replace, &observed);
    let for_all = context.user_namespace == UserNamespace::First;
    let mut entry = NewEntry::new(binfmt_misc, target, config.verify, for_all);
    let outcome = entry.carry_out(plan(Wanted::Named, &request, &observed), &observed)?;
    let is_new = say(&entry, outcome, report);
    if is_new && entry.denied {
        report.say(&Notice::Denied(target));
    }
    if is_new && is_risk(&request) && !observed.is_roots {
        report.say(&Notice::Replaceable(target));
    }
    // What counts is what the kernel has made of it.
    let found = read_again(rule, context, binfmt_misc, items, report);
    if is_new && found == Some(false) {
        report.say(&Line { target, outcome: Outcome::NotRegistered(Failure::NotInForce) });
    }
    (found == Some(true)).then_some(())
}

/// Reads the entry of a rule, and leaves to it the architectures that it handles. Returns whether it is there as the rule
/// says; `None` if it is disabled, or after having said that it cannot be read.
#[inline(never)] // its buffers are not to be on the stack meanwhile
fn read_again(
    rule: &UserRule,
    context: &Context,
    binfmt_misc: &Locked,
    items: &mut [Item],
    report: &mut Report,
) -> Option<bool> {
    let mut text: TextBuffer = [MaybeUninit::uninit(); size_of::<TextBuffer>()];
    let mut name = PathBuffer::new();
    let name = Target::Rule(rule).entry_name(OwnName::Entry, &mut name);
    let found = context.read(binfmt_misc.entries().read(name, &mut text), report)?;
    let Some(found) = found.filter(|found| found.matches_the_same_as(&rule.entry)) else { return Some(false) };
    found.enabled.then(|| {
        take_architectures(items, rule.name, &found);
        true
    })
}

/// Plans for each rule what would be done with it if nothing was registered yet, and calls `each` with that.
pub fn plan_rules(
    config: &Config,
    context: &Context,
    items: &mut [Item],
    report: &mut Report,
    each: &mut dyn FnMut(&UserRule, Plan, &mut Report),
) {
    each_rule(config, context, report, &mut |rule, report| {
        let observed = observe(rule, context, report);
        let plan = plan(Wanted::Named, &request(rule, config, true, &observed), &observed);
        if matches!(plan, Plan::Register { .. }) {
            take_architectures(items, rule.name, &rule.entry);
        }
        each(rule, plan, report);
    });
}

/// Notes that the architectures that the entry handles are left to it, and that of QEMU's own entry of the same name.
fn take_architectures(items: &mut [Item], name: &[u8], entry: &Entry) {
    let named = recognize(name).map(|(architecture, _)| architecture);
    for Item { interpreter, observed, .. } in items {
        if named == Some(interpreter.architecture) || entry.handles(interpreter.architecture) {
            (observed.handler, observed.by_rule) = (Some(Handler::new(name, entry)), true);
        }
    }
}

/// What is asked for by a rule: its own flags, as they are written, and no others.
fn request(rule: &UserRule, config: &Config, replace: bool, observed: &Observed) -> Request {
    let flags = rule.entry.flags;
    // An entry of another name that matches the same has its own.
    let required = if observed.own == OwnEntry::Handles { Flags::all() } else { Flags::empty() };
    // Where QEMU could serve an architecture, an interpreter that is not here must not take its place.
    let may_be_missing = !flags.contains(Flags::FIX_BINARY) && rule.architecture().is_none();
    Request { replace, may_be_missing, flags, required, trust: config.trust }
}

/// Looks at the interpreter of a rule. Of the entries nothing is known yet.
fn observe(rule: &UserRule, context: &Context, report: &mut Report) -> Observed {
    let is_fixed = rule.entry.flags.contains(Flags::FIX_BINARY);
    let (directory, file) = rule.path();
    let mut buffer = PathBuffer::new();
    // There is room, and no NUL byte in it.
    let path = join(&mut buffer, &[directory]).unwrap_or_default();
    let directory = OpenDirectory::open(path, context.owners(), !is_fixed);
    let mut is_roots = directory.is_roots_if_missing;
    let file = join(&mut buffer, &[file]).unwrap_or_default();
    let interpreter = directory.file.as_ref().map_err(|errno| unreadable(*errno));
    let interpreter = interpreter.and_then(|place| inspect(place.as_fd(), file, &directory, is_fixed));
    let interpreter = interpreter.and_then(|inspected| {
        is_roots = inspected.is_roots;
        if rule.entry.takes(rule.entry.interpreter, &inspected.start) {
            return Err(Unfit::ForItself);
        }
        match inspected.fit {
            // The kernel starts a script by its own interpreter.
            Err(Defect::NotElf) if inspected.start.starts_with(b"#!") => Ok(()),
            Err(Defect::DynamicallyLinked) => {
                report.say(&RuleLine(rule.place, RuleNotice::Dynamic(Target::Rule(rule))));
                Ok(())
            }
            // It is looked for again at each execution, and may be another one then.
            Err(_) if !is_fixed => Ok(()),
            fit => fit.map_err(Unfit::Defective),
        }
    });
    Observed {
        own: OwnEntry::Absent,
        handler: None,
        stand_in: StandIn::Absent,
        runs: Runs::As(Native::No),
        interpreter,
        is_roots,
        by_rule: false,
    }
}

/// Notes an entry, if it has to do with the rule.
fn note(observed: &mut Observed, rule: &UserRule, name: &[u8], entry: &Entry) {
    let same = entry.matches_the_same_as(&rule.entry);
    let handles = entry.enabled && same;
    // One of that name that matches other files is somebody else's.
    if same && name.strip_suffix(b".new") == Some(rule.name) {
        observed.stand_in = if handles { StandIn::Handles } else { StandIn::Useless };
        return;
    }
    let is_own = name == rule.name;
    if is_own {
        observed.own = OwnEntry::new(entry.enabled, handles);
    }
    // QEMU is what the rule goes before, whoever has registered it.
    let is_qemu = !is_own && recognize(name).is_some();
    if handles && !is_qemu && (is_own || observed.own != OwnEntry::Handles) {
        observed.handler = Some(Handler::new(name, entry));
    }
}

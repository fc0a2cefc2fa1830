//! Registers interpreters.

use super::Context;
use super::access::{Purpose, lock, open};
use super::apply::NewEntry;
use super::lasting::{check_lasting, make_lasting};
use super::observe::{Item, Observation, Pin, entries};
use super::rules::register_rules;
use crate::binfmt::{Flags, Locked, PIN, Target};
use crate::config::Config;
use crate::machine::UserNamespace;
use crate::plan::{OwnEntry, Request, plan};
use crate::report::{Line, Notice, Outcome, Report};

/// Registers what `config` asks for, and makes it last.
pub fn register(config: &Config, context: &Context, report: &mut Report) {
    let Some(mut observation) = Observation::new(config, config.replace, context, report) else { return };
    let Some(binfmt_misc) = open(Purpose::Register, context, report) else { return };
    let Some(locked) = lock(&binfmt_misc, context, report) else { return };
    let by_rules = register_rules(config, context, &locked, &mut observation.items, report);
    let Some(pin) = entries(locked.entries(), &mut observation.items, context, report) else { return };
    let request = &observation.request;
    // A user namespace is a container's own, or may not mount what it takes.
    let for_all = context.user_namespace == UserNamespace::First;
    let (mut ours, mut replaceable, mut denied) = (by_rules.is_some(), None, None);
    for item in &mut observation.items {
        let (in_force, is_denied) = register_one(item, request, &locked, config.verify, for_all, report);
        ours |= in_force != InForce::No;
        if in_force == InForce::New && is_risk(request) && !item.interpreter.is_roots {
            replaceable = Some(&item.interpreter);
        }
        if is_denied {
            denied = Some(&item.interpreter);
        }
    }
    if let Some(interpreter) = denied {
        report.say(&Notice::Denied(Target::Architecture(interpreter, request.flags)));
    }
    if let Some(interpreter) = replaceable {
        report.say(&Notice::Replaceable(Target::Architecture(interpreter, request.flags)));
    }
    if pin == Pin::Enabled {
        _ = context.read(locked.disable(PIN), report);
    }
    if context.read(locked.entries().are_enabled(), report) == Some(false) {
        report.say(&Notice::Disabled(context.mount_point));
    }
    if !ours || pin != Pin::Absent {
        return;
    }
    let lasting = make_lasting(&locked, binfmt_misc.access, context, report);
    drop(locked);
    if let Err(errno) = lasting {
        check_lasting(errno, binfmt_misc, by_rules.as_deref(), context, report);
    }
}

/// Whether an entry of this tool is in force.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InForce {
    No,
    Kept,
    New,
}

/// Plans, applies and reports for one architecture. Returns also whether SELinux denies it to other containers.
fn register_one(
    item: &mut Item,
    request: &Request,
    binfmt_misc: &Locked,
    verify: bool,
    for_all: bool,
    report: &mut Report,
) -> (InForce, bool) {
    item.ask_whether_native();
    let Item { interpreter, wanted, observed } = item;
    let mut entry = NewEntry::new(binfmt_misc, Target::Architecture(interpreter, request.flags), verify, for_all);
    let Some(outcome) = entry.carry_out(plan(*wanted, request, observed), observed) else {
        return (InForce::No, false);
    };
    let is_new = say(&entry, outcome, report);
    let in_force = match observed.own {
        _ if is_new => InForce::New,
        OwnEntry::Handles => InForce::Kept,
        _ => InForce::No,
    };
    (in_force, is_new && entry.denied)
}

/// Says what became of an entry. Returns whether it is new.
pub fn say(entry: &NewEntry, outcome: Outcome, report: &mut Report) -> bool {
    let target = entry.target;
    report.say(&Line { target, outcome });
    if let Err(errno) = entry.stand_in_removed {
        report.say(&Line { target, outcome: Outcome::StandInStays(errno) });
    }
    matches!(outcome, Outcome::Registered { .. } | Outcome::Replaced)
}

/// Whether a new entry would give root's rights to those who can replace its interpreter.
pub fn is_risk(request: &Request) -> bool {
    request.flags.contains(Flags::CREDENTIALS) && !request.trust
}

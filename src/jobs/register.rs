//! Registers interpreters.

use super::Context;
use super::access::{Purpose, lock, open};
use super::apply::NewEntry;
use super::lasting::{check_lasting, make_lasting};
use super::observe::{Item, entries, interpreters};
use crate::binfmt::{Flags, Locked};
use crate::config::Config;
use crate::plan::{OwnEntry, plan};
use crate::report::{Line, Notice, Outcome, Report};

/// Registers what `config` asks for, and makes it last.
pub fn register(config: &Config, context: &Context, report: &mut Report) {
    let Some(mut observation) = interpreters(config, config.replace, context, report) else { return };
    let Some(binfmt_misc) = open(Purpose::Register, context, report) else { return };
    let Some(locked) = lock(&binfmt_misc, context, report) else { return };
    let Some(pinned) = entries(locked.entries(), &mut observation.items, context, report) else { return };
    let mut ours = false;
    for item in &mut observation.items {
        ours |= register_one(item, &locked, observation.flags, config.verify, report);
    }
    if context.read(locked.entries().are_enabled(), report) == Some(false) {
        report.say(&Notice::Disabled(context.mount_point));
    }
    if !ours || pinned {
        return;
    }
    let lasting = make_lasting(&binfmt_misc, context, report);
    drop(locked);
    if let Err(errno) = lasting {
        check_lasting(errno, binfmt_misc, context, report);
    }
}

/// Plans, applies and reports for one architecture. Returns whether an entry of this tool is in force afterwards.
fn register_one(item: &mut Item, binfmt_misc: &Locked, flags: Flags, verify: bool, report: &mut Report) -> bool {
    item.ask_whether_native();
    let Item { interpreter, request, observed } = item;
    let entry = NewEntry { binfmt_misc, interpreter, flags, verify };
    let Some(outcome) = entry.carry_out(plan(*request, observed), observed) else { return false };
    report.say(&Line { interpreter, flags, outcome });
    observed.own == OwnEntry::Handles || matches!(outcome, Outcome::Registered { .. } | Outcome::Replaced)
}

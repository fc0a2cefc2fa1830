//! Prints what would be registered, and changes nothing.

use super::Context;
use super::observe::{Item, Observation, entries};
use super::rules::plan_rules;
use crate::binfmt::{BinfmtMisc, Flags, OwnName, RuleBuffer, RuleTooLong, Target};
use crate::config::Config;
use crate::plan::{Plan, plan};
use crate::report::{Failure, Line, Notice, Outcome, Report, Writer};
use rustix::io::Errno;

/// What is printed of each entry that `config` asks for, a line each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Printed {
    /// Its rule, in the format of `binfmt.d(5)`.
    Rules,
    /// The path of its interpreter, if that is opened when it is registered: not in execution mode.
    Interpreters,
}

/// Prints what would be registered if nothing was registered yet.
pub fn print(printed: Printed, config: &Config, context: &Context, out: &mut Writer, report: &mut Report) {
    let Some(mut observation) = Observation::new(config, true, context, report) else { return };
    plan_rules(config, context, &mut observation.items, report, &mut |rule, plan, report| {
        if printed == Printed::Rules || rule.entry.flags.contains(Flags::FIX_BINARY) {
            print_one(printed, Target::Rule(rule), plan, out, report);
        }
    });
    if printed == Printed::Interpreters && observation.request.may_be_missing {
        return;
    }
    match BinfmtMisc::look(context.mount_point, context.user_namespace) {
        Ok(Some(binfmt_misc)) => {
            if entries(&binfmt_misc, &mut observation.items, context, report).is_none() {
                return;
            }
        }
        // Who may not look at the entries, or where binfmt_misc cannot be mounted, has the rules all the same.
        Ok(None) | Err(Errno::PERM | Errno::ACCESS | Errno::NOENT | Errno::NOTDIR | Errno::NOSYS) => {}
        Err(errno) => return report.say(&Notice::NotRead(context.mount_point, errno)),
    }
    let request = &observation.request;
    for item in &mut observation.items {
        item.ask_whether_native();
        let Item { interpreter, wanted, observed } = item;
        let target = Target::Architecture(interpreter, request.flags);
        print_one(printed, target, plan(*wanted, request, observed), out, report);
    }
}

/// Prints what is printed of an entry, or says why it is not to be made.
fn print_one(printed: Printed, target: Target, plan: Plan, out: &mut Writer, report: &mut Report) {
    let outcome = match plan {
        Plan::Nothing => return,
        Plan::Leave(reason) => Outcome::Left(reason),
        Plan::Refuse(refusal) => Outcome::Refused(refusal),
        Plan::Register { .. } | Plan::Replace => match target.rule(OwnName::Entry, &mut RuleBuffer::new()) {
            Ok(rule) => {
                if printed == Printed::Rules {
                    out.write(rule.as_bytes());
                } else {
                    target.path().iter().for_each(|part| out.write(part));
                }
                return out.write(b"\n");
            }
            Err(RuleTooLong) => Outcome::NotRegistered(Failure::TooLong),
        },
    };
    report.say(&Line { target, outcome });
}

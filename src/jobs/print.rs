//! Prints what would be registered, and changes nothing.

use super::Context;
use super::apply::rule;
use super::observe::{Item, Observation, entries};
use crate::binfmt::{BinfmtMisc, OwnName, RuleBuffer};
use crate::config::Config;
use crate::plan::{Plan, plan};
use crate::report::{Line, Notice, Outcome, Report, Writer};
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
        let outcome = match plan(*wanted, request, observed) {
            Plan::Nothing => continue,
            Plan::Leave(reason) => Outcome::Left(reason),
            Plan::Refuse(refusal) => Outcome::Refused(refusal),
            Plan::Register { .. } | Plan::Replace => {
                match rule(interpreter, OwnName::Entry, request.flags, &mut RuleBuffer::new()) {
                    Ok(rule) => {
                        if printed == Printed::Rules {
                            out.write(rule.as_bytes());
                        } else {
                            interpreter.path().iter().for_each(|part| out.write(part));
                        }
                        out.write(b"\n");
                        continue;
                    }
                    Err(failure) => Outcome::NotRegistered(failure),
                }
            }
        };
        report.say(&Line { interpreter, flags: request.flags, outcome });
    }
}

//! Prints what would be registered, and changes nothing.

use super::Context;
use super::observe::{Item, entries, interpreters};
use crate::binfmt::{BinfmtMisc, OwnName, Rule, RuleTooLong, name_of};
use crate::config::{Config, Mode};
use crate::machine::PathBuffer;
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
    let Some(mut observation) = interpreters(config, true, context, report) else { return };
    if printed == Printed::Interpreters && observation.mode == Mode::Execution {
        return;
    }
    match BinfmtMisc::look(context.mount_point, context.in_first_user_namespace) {
        Ok(Some(binfmt_misc)) => {
            if entries(&binfmt_misc, &mut observation.items, context, report).is_none() {
                return;
            }
        }
        // Who may not look at the entries, or where binfmt_misc cannot be mounted, has the rules all the same.
        Ok(None) | Err(Errno::PERM | Errno::ACCESS | Errno::NOENT | Errno::NOTDIR | Errno::NOSYS) => {}
        Err(errno) => return report.say(&Notice::NotRead(context.mount_point, errno)),
    }
    let flags = observation.flags;
    for item in &mut observation.items {
        item.ask_whether_native();
        let Item { interpreter, request, observed } = item;
        let outcome = match plan(*request, observed) {
            Plan::Nothing => continue,
            Plan::Leave(reason) => Outcome::Left(reason),
            Plan::Refuse(refusal) => Outcome::Refused(refusal),
            Plan::Register { .. } | Plan::Replace => {
                let architecture = interpreter.architecture;
                let mut buffer = PathBuffer::new();
                let name = name_of(architecture, OwnName::Entry, &mut buffer);
                match Rule::new(name, architecture, &interpreter.path(), flags) {
                    Ok(rule) => {
                        if printed == Printed::Rules {
                            out.write(rule.as_bytes());
                        } else {
                            interpreter.path().iter().for_each(|part| out.write(part));
                        }
                        out.write(b"\n");
                        continue;
                    }
                    Err(RuleTooLong) => Outcome::NotRegistered(Failure::TooLong),
                }
            }
        };
        report.say(&Line { interpreter, flags, outcome });
    }
}

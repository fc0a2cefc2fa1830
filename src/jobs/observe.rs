//! What is there: interpreters, entries, and what the machine runs by itself.

use super::Context;
use crate::architecture::{ARCHITECTURES, Architecture, Relation};
use crate::binfmt::{Entries, Entry, Flags, OwnName, PIN, recognize};
use crate::config::{Config, Mode, Selection};
use crate::machine::{Interpreter, InterpreterFile, Native, Unfit, is_native};
use crate::plan::{Observed, OtherName, OwnEntry, Request, Runs, Wanted};
use crate::report::{Notice, Report};

/// What is there of one architecture.
#[derive(Debug)]
pub struct Item {
    /// Its interpreter.
    pub interpreter: Interpreter,
    /// What was asked for it.
    pub request: Request,
    /// What was observed of it.
    pub observed: Observed,
}

/// What is there.
#[derive(Debug)]
pub struct Observation {
    /// The mode of new entries.
    pub mode: Mode,
    /// The flags of new entries.
    pub flags: Flags,
    /// One item for each architecture, in the order of the table.
    pub items: [Item; ARCHITECTURES.len()],
}

/// Looks for the interpreters. `replace` is whether handlers that are there are replaced. `None` after having said why
/// there is nothing to register.
pub fn interpreters(config: &Config, replace: bool, context: &Context, report: &mut Report) -> Option<Observation> {
    let version = context.release.version();
    let Some(mode) = config.effective_mode(version) else {
        report.say(&Notice::NoRegistrationMode(context.release.as_bytes()));
        return None;
    };
    let may_be_missing = mode == Mode::Execution;
    let directory = config.interpreters.open();
    let mut any = false;
    let mut items = ARCHITECTURES.each_ref().map(|architecture| {
        let mut interpreter =
            Interpreter { architecture, directory: config.interpreters, file: InterpreterFile::Static };
        let included = config.selection.includes(architecture);
        let is_host = architecture.relation == Relation::Host;
        let found = if included && !is_host {
            interpreter.find(&directory, mode == Mode::Registration)
        } else {
            Err(Unfit::Missing)
        };
        any |= found != Err(Unfit::Missing);
        let wanted = if included { Wanted::IfAvailable } else { Wanted::No };
        let observed = Observed {
            own: OwnEntry::Absent,
            other: None,
            stand_in: false,
            runs: if is_host { Runs::AsHost } else { Runs::As(Native::No) },
            interpreter: found,
        };
        Item { interpreter, request: Request { wanted, replace, may_be_missing }, observed }
    });
    let wanted = match config.selection {
        Selection::Named(_) => Wanted::Named,
        Selection::All if may_be_missing => Wanted::Always,
        Selection::Available if config.mode == Some(Mode::Execution) && !any => Wanted::Always,
        _ if any => Wanted::IfAvailable,
        _ => {
            report.say(&Notice::NoInterpreter(config.interpreters));
            return None;
        }
    };
    for item in items.iter_mut().filter(|item| item.request.wanted != Wanted::No) {
        item.request.wanted = wanted;
    }
    Some(Observation { mode, flags: config.flags(mode, version), items })
}

/// Looks at the entries. Returns whether the pin is among them; `None` after having said what could not be read.
///
/// An entry that is removed meanwhile counts as removed.
pub fn entries(entries: &Entries, items: &mut [Item], context: &Context, report: &mut Report) -> Option<bool> {
    let mut pinned = false;
    let mut complete = true;
    let listed = entries.for_each(&mut |name, _| {
        if name == PIN {
            pinned = true;
            return;
        }
        match entries.read(name) {
            Ok(Some(entry)) => {
                let own = recognize(name.to_bytes());
                items.iter_mut().for_each(|item| item.note(name.to_bytes(), own, &entry));
            }
            Ok(None) => {}
            Err(errno) => {
                report.say(&Notice::EntryNotRead(name.to_bytes(), errno));
                complete = false;
            }
        }
    });
    context.read(listed, report)?;
    complete.then_some(pinned)
}

impl Item {
    /// Notes an entry, if it has to do with the architecture. `own` is what this tool gives its name to.
    fn note(&mut self, name: &[u8], own: Option<(&Architecture, OwnName)>, entry: &Entry) {
        let architecture = self.interpreter.architecture;
        let handles = || entry.enabled && entry.matches_programs_of(architecture);
        let observed = &mut self.observed;
        match own.filter(|(owner, _)| *owner == architecture) {
            Some((_, OwnName::StandIn)) => observed.stand_in = true,
            Some((_, OwnName::Entry)) if !entry.enabled => observed.own = OwnEntry::Disabled,
            Some((_, OwnName::Entry)) if handles() => observed.own = OwnEntry::Handles,
            Some((_, OwnName::Entry)) => observed.own = OwnEntry::OtherPrograms,
            None if handles() => observed.other = Some(OtherName::new(name)),
            None => {}
        }
    }

    /// Asks the kernel whether the machine runs the architecture by itself, if that matters. What has a handler is not
    /// run by the machine itself, so the answer would be the handler's.
    pub fn ask_whether_native(&mut self) {
        let architecture = self.interpreter.architecture;
        let observed = &self.observed;
        let handled = observed.own == OwnEntry::Handles || observed.other.is_some() || observed.stand_in;
        if architecture.relation == Relation::Related && !handled && self.request.concerns(observed) {
            self.observed.runs = Runs::As(is_native(architecture));
        }
    }
}

//! What is there: interpreters, entries, and what the machine runs by itself.

use super::Context;
use crate::architecture::{ARCHITECTURES, Relation};
use crate::binfmt::{Entries, Entry, OwnName, TextBuffer, is_pin, recognize};
use crate::config::{Config, Mode, Selection};
use crate::machine::{Interpreter, InterpreterFile, Native, OpenDirectory, Unfit, is_native};
use crate::plan::{Handler, Observed, OwnEntry, Request, Runs, StandIn, Wanted};
use crate::report::{Notice, Report};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use heapless::Vec;

/// What is there of one architecture.
#[derive(Debug)]
pub struct Item {
    /// Its interpreter.
    pub interpreter: Interpreter,
    /// How much it is wanted.
    pub wanted: Wanted,
    /// What was observed of it.
    pub observed: Observed,
}

/// What is there.
#[derive(Debug)]
pub struct Observation {
    /// What was asked for.
    pub request: Request,
    /// One item for each architecture, in the order of the table.
    pub items: Vec<Item, { ARCHITECTURES.len() }>,
}

impl Observation {
    /// Looks for the interpreters. `replace` is whether handlers that are there are replaced. `None` after having said why
    /// there is nothing to register.
    pub fn new(config: &Config, replace: bool, context: &Context, report: &mut Report) -> Option<Self> {
        let version = context.release.version();
        let Some(mode) = config.effective_mode(version) else {
            report.say(&Notice::NoRegistrationMode(context.release.as_bytes()));
            return None;
        };
        let request = Request {
            replace,
            may_be_missing: mode == Mode::Execution,
            flags: config.flags(mode, version),
            required: config.required_flags(),
            trust: config.trust,
        };
        let mut observation = Self { request, items: Vec::new() };
        let any = observation.find_interpreters(config, context);
        let wanted = match config.selection {
            Selection::Named(_) => Wanted::Named,
            Selection::All if request.may_be_missing => Wanted::Always,
            Selection::Available if config.mode == Some(Mode::Execution) && !any => Wanted::Always,
            // Rules of the user's may be all that is wanted.
            _ if any || config.rules.is_some() => Wanted::IfAvailable,
            _ => {
                report.say(&Notice::NoInterpreter(config.interpreters));
                return None;
            }
        };
        for item in observation.items.iter_mut().filter(|item| item.wanted != Wanted::No) {
            item.wanted = wanted;
        }
        Some(observation)
    }

    /// Makes the items, and looks for their interpreters. Returns whether there is any.
    fn find_interpreters(&mut self, config: &Config, context: &Context) -> bool {
        let owners = context.owners();
        let in_registration_mode = !self.request.may_be_missing;
        let directory = OpenDirectory::open(config.interpreters.path, owners, !in_registration_mode);
        let mut any = false;
        for architecture in &ARCHITECTURES {
            let mut interpreter = Interpreter {
                architecture,
                directory: config.interpreters,
                file: InterpreterFile::Static,
                is_roots: directory.is_roots_if_missing,
            };
            let included = config.selection.includes(architecture);
            let is_host = architecture.relation == Relation::Host;
            let mut found = Err(Unfit::Missing);
            if included && !is_host {
                found = interpreter.find(&directory, in_registration_mode);
            }
            any |= found != Err(Unfit::Missing);
            let observed = Observed {
                own: OwnEntry::Absent,
                handler: None,
                stand_in: StandIn::Absent,
                runs: if is_host { Runs::AsHost } else { Runs::As(Native::No) },
                interpreter: found,
                is_roots: interpreter.is_roots,
                by_rule: false,
            };
            let wanted = if included { Wanted::IfAvailable } else { Wanted::No };
            _ = self.items.push(Item { interpreter, wanted, observed }); // there is room for each
        }
        any
    }
}

/// The entry that keeps the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// There is none.
    Absent,
    /// It is there.
    Set,
    /// It is there, and was not disabled yet when a run was killed.
    Enabled,
}

/// Looks at the entries. `None` after having said what could not be read.
///
/// An entry that is removed meanwhile counts as removed.
pub fn entries(entries: &Entries, items: &mut [Item], context: &Context, report: &mut Report) -> Option<Pin> {
    let mut pin = Pin::Absent;
    let complete = each_entry(entries, context, report, &mut |name, entry, _| {
        if is_pin(name, entry) {
            pin = if entry.enabled { Pin::Enabled } else { Pin::Set };
        } else {
            items.iter_mut().for_each(|item| item.note(name.to_bytes(), entry));
        }
    });
    complete.then_some(pin)
}

/// Calls `each` with every entry. Returns whether all could be read, and says it if not.
pub fn each_entry(
    entries: &Entries,
    context: &Context,
    report: &mut Report,
    each: &mut dyn FnMut(&CStr, &Entry, &mut Report),
) -> bool {
    let mut complete = true;
    let mut buffer: TextBuffer = [MaybeUninit::uninit(); size_of::<TextBuffer>()];
    let listed = entries.for_each(&mut |name| match entries.read(name, &mut buffer) {
        Ok(Some(entry)) => each(name, &entry, report),
        Ok(None) => {}
        Err(errno) => {
            report.say(&Notice::EntryNotRead(name.to_bytes(), errno));
            complete = false;
        }
    });
    context.read(listed, report).is_some() && complete
}

impl Item {
    /// Notes an entry, if it has to do with the architecture.
    fn note(&mut self, name: &[u8], entry: &Entry) {
        let architecture = self.interpreter.architecture;
        let observed = &mut self.observed;
        let own = recognize(name).filter(|(owner, _)| *owner == architecture);
        let handles = entry.enabled && entry.handles(architecture);
        if let Some((_, OwnName::StandIn)) = own {
            observed.stand_in = if handles { StandIn::Handles } else { StandIn::Useless };
            return;
        }
        if own.is_some() {
            observed.own = OwnEntry::new(entry.enabled, handles);
        }
        if handles && !observed.by_rule && (own.is_some() || observed.own != OwnEntry::Handles) {
            observed.handler = Some(Handler::new(name, entry));
        }
    }

    /// Asks the kernel whether the machine runs the architecture by itself, if that matters. What has a handler is not
    /// run by the machine itself, so the answer would be the handler's.
    pub fn ask_whether_native(&mut self) {
        let architecture = self.interpreter.architecture;
        let observed = &self.observed;
        let handled = observed.handler.is_some() || observed.stand_in == StandIn::Handles;
        if architecture.relation == Relation::Related && !handled && self.wanted.concerns(observed) {
            self.observed.runs = Runs::As(is_native(architecture));
        }
    }
}

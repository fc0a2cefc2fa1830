//! From what was observed to one plan per architecture: a pure function, without a system call.

use crate::binfmt::{Entry, Flags};
use crate::machine::{Native, ProbeError, Unfit};
use heapless::Vec;

/// The start of a text, as much as a message shows.
pub type Start = Vec<u8, 64>;

/// An entry that handles an architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    /// Its name.
    pub name: Start,
    /// The path of its interpreter.
    pub interpreter: Start,
    /// Its flags.
    pub flags: Flags,
}

impl Handler {
    /// The entry called `name`.
    pub fn new(name: &[u8], entry: &Entry) -> Self {
        let start = |text: &[u8]| {
            let mut start = Start::new();
            text.iter().for_each(|byte| _ = start.push(*byte)); // as long as there is room
            start
        };
        Self { name: start(name), interpreter: start(entry.interpreter), flags: entry.flags }
    }
}

/// How much an architecture is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It was not asked for.
    No,
    /// If its interpreter is there.
    IfAvailable,
    /// Whether its interpreter is there or not: in execution mode it is needed elsewhere.
    Always,
    /// It was asked for by name.
    Named,
}

/// What was asked for all architectures that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether handlers that are there are replaced.
    pub replace: bool,
    /// Whether the interpreter may be missing here, as in execution mode.
    pub may_be_missing: bool,
    /// The flags of a new entry.
    pub flags: Flags,
    /// Those of them, set or not, that were asked for, so that a handler without them is not what was asked for.
    pub required: Flags,
    /// Whether it does not matter who can replace the interpreter.
    pub trust: bool,
}

/// The entry that has the name which this tool gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnEntry {
    /// There is none.
    Absent,
    /// It is enabled, and programs of the architecture match it.
    Handles,
    /// It is disabled.
    Disabled,
    /// It is enabled, but for other programs.
    OtherPrograms,
}

impl OwnEntry {
    /// One that is there.
    pub fn new(is_enabled: bool, handles: bool) -> Self {
        match (is_enabled, handles) {
            (false, _) => Self::Disabled,
            (true, true) => Self::Handles,
            (true, false) => Self::OtherPrograms,
        }
    }
}

/// What a replacement leaves that is cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandIn {
    /// There is none.
    Absent,
    /// It is there, and handles the architecture.
    Handles,
    /// It is there, and of no use.
    Useless,
}

/// Whether the machine runs programs of the architecture without a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// It is the host's own architecture.
    AsHost,
    /// The kernel was asked; or it need not be, because the architecture is foreign or has a handler.
    As(Native),
}

/// All that was observed of an architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The entry that has this tool's name.
    pub own: OwnEntry,
    /// The entry that handles it: of this tool's name, or else of another.
    pub handler: Option<Handler>,
    /// The entry that has the name of a stand-in.
    pub stand_in: StandIn,
    /// Whether the machine runs it without a handler.
    pub runs: Runs,
    /// Whether its interpreter can serve.
    pub interpreter: Result<(), Unfit>,
    /// Whether only root can replace the interpreter.
    pub is_roots: bool,
    /// Whether the handler is the entry of a rule of the user's, who wants that one.
    pub by_rule: bool,
}

/// What is to be done about an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan<'a> {
    /// Nothing, and nothing is said.
    Nothing,
    /// Nothing, for this reason.
    Leave(Reason<'a>),
    /// Nothing, though it was asked for.
    Refuse(Refusal),
    /// A new entry, which comes before the `other` one.
    Register {
        /// An entry of another name that handles the architecture already.
        other: Option<&'a Handler>,
    },
    /// A new entry in the place of the one that has this tool's name.
    Replace,
}

/// Why an architecture is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason<'a> {
    /// An entry handles it.
    HandledBy(&'a Handler),
    /// The entry of a rule of the user's handles it.
    LeftToRule(&'a Handler),
    /// An entry handles it, with other flags than those that were asked for.
    OtherFlags(&'a Handler),
    /// This tool's entry is there, but disabled.
    Disabled {
        /// Whether the architecture was asked for by name.
        named: bool,
    },
    /// The machine runs it.
    Native,
    /// It cannot be told whether the machine runs it.
    Unknown(ProbeError),
}

/// Why what was asked for cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be told whether the machine runs it.
    Unknown(ProbeError),
    /// An entry that has this tool's name is for other programs.
    NameTaken,
    /// Its interpreter cannot serve.
    Unfit(Unfit),
    /// With the flag `C`, whoever can replace its interpreter could become root.
    Replaceable,
}

impl Wanted {
    /// Whether anything is to be done or said about the architecture.
    pub fn concerns(self, observed: &Observed) -> bool {
        match self {
            Self::No => false,
            Self::IfAvailable => observed.interpreter != Err(Unfit::Missing),
            Self::Always | Self::Named => true,
        }
    }
}

/// Decides on one architecture.
pub fn plan<'a>(wanted: Wanted, request: &Request, observed: &'a Observed) -> Plan<'a> {
    if !wanted.concerns(observed) {
        return Plan::Nothing;
    }
    let Runs::As(native) = observed.runs else { return Plan::Leave(Reason::Native) };
    let named = wanted == Wanted::Named;
    let cut_short = observed.stand_in == StandIn::Handles;
    let plan = match (observed.own, &observed.handler) {
        (_, Some(handler)) if observed.by_rule => return Plan::Leave(Reason::LeftToRule(handler)),
        (_, Some(handler)) if !request.replace => return keep(request, handler),
        (OwnEntry::Absent, Some(other)) => Plan::Register { other: Some(other) },
        (OwnEntry::Absent, None) if cut_short => Plan::Register { other: None },
        (OwnEntry::Absent, None) => match native {
            Native::No => Plan::Register { other: None },
            Native::Yes => return Plan::Leave(Reason::Native),
            Native::Unknown(error) if named => return Plan::Refuse(Refusal::Unknown(error)),
            Native::Unknown(error) => return Plan::Leave(Reason::Unknown(error)),
        },
        _ if request.replace || cut_short => Plan::Replace,
        (OwnEntry::Disabled, _) => return Plan::Leave(Reason::Disabled { named }),
        _ => return Plan::Refuse(Refusal::NameTaken),
    };
    // In registration mode the interpreter is opened now, so that it does not matter who replaces it later.
    let is_risk = request.flags.contains(Flags::CREDENTIALS) && !request.flags.contains(Flags::FIX_BINARY);
    match observed.interpreter {
        Ok(()) | Err(Unfit::Missing) if is_risk && !observed.is_roots && !request.trust => {
            Plan::Refuse(Refusal::Replaceable)
        }
        Ok(()) => plan,
        Err(Unfit::Missing) if request.may_be_missing => plan,
        Err(unfit) => Plan::Refuse(Refusal::Unfit(unfit)),
    }
}

/// What is there is kept, if it is what was asked for.
fn keep<'a>(request: &Request, handler: &'a Handler) -> Plan<'a> {
    let differs = (handler.flags ^ request.flags).intersects(request.required);
    Plan::Leave(if differs { Reason::OtherFlags(handler) } else { Reason::HandledBy(handler) })
}

#[cfg(test)]
mod tests;

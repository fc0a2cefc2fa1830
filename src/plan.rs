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
mod tests {
    use super::*;
    use crate::machine::Defect;
    use rustix::io::Errno;

    const FIT: Result<(), Unfit> = Ok(());
    const UNTRIED: ProbeError = ProbeError::NotTried(Errno::NOSYS);
    const DYNAMIC: Unfit = Unfit::Defective(Defect::DynamicallyLinked);
    const NOTHING: Observed = Observed {
        own: OwnEntry::Absent,
        handler: None,
        stand_in: StandIn::Absent,
        runs: Runs::As(Native::No),
        interpreter: FIT,
        is_roots: true,
    };
    const NEW: Request =
        Request { replace: false, may_be_missing: false, flags: Flags::all(), required: Flags::empty(), trust: false };
    /// How much an architecture is wanted, and what for.
    type Asked = (Wanted, Request);
    const BLANK: Asked = (Wanted::IfAvailable, NEW);
    const NAMED: Asked = (Wanted::Named, NEW);
    const REPLACE: Asked = (Wanted::IfAvailable, Request { replace: true, ..NEW });
    const UNWANTED: Asked = (Wanted::No, NEW);
    const ELSEWHERE: Asked = (Wanted::Always, Request { may_be_missing: true, ..NEW });

    fn plan((wanted, request): Asked, observed: &Observed) -> Plan<'_> {
        super::plan(wanted, &request, observed)
    }

    const UNFIT: Plan = Plan::Refuse(Refusal::Unfit(DYNAMIC));
    const MISSING: Plan = Plan::Refuse(Refusal::Unfit(Unfit::Missing));
    const NATIVE: Plan = Plan::Leave(Reason::Native);
    const REGISTER: Plan = Plan::Register { other: None };

    /// A handler with the flags that the kernel shows so.
    fn handler(flags: &[u8]) -> Handler {
        let text = [b"enabled\ninterpreter /x\nflags: ", flags, b"\noffset 0\nmagic 00\n"].concat();
        Handler::new(b"rosetta", &Entry::parse(&text))
    }

    fn ours() -> Observed {
        Observed { own: OwnEntry::Handles, handler: Some(handler(b"POCF")), ..NOTHING }
    }

    fn check(rows: impl IntoIterator<Item = (Asked, Observed, Plan<'static>)>) {
        for (row, (request, observed, expected)) in rows.into_iter().enumerate() {
            assert_eq!(plan(request, &observed), expected, "row {row}: {request:?} {observed:?}");
        }
    }

    #[test]
    fn what_is_not_wanted() {
        let ours = ours();
        check([
            (UNWANTED, NOTHING, Plan::Nothing),
            (UNWANTED, ours.clone(), Plan::Nothing),
            (UNWANTED, Observed { stand_in: StandIn::Handles, ..ours.clone() }, Plan::Nothing),
            (UNWANTED, Observed { stand_in: StandIn::Handles, ..NOTHING }, Plan::Nothing),
            (UNWANTED, Observed { stand_in: StandIn::Handles, own: OwnEntry::Disabled, ..NOTHING }, Plan::Nothing),
            (UNWANTED, Observed { runs: Runs::AsHost, ..NOTHING }, Plan::Nothing),
            (BLANK, Observed { interpreter: Err(Unfit::Missing), ..NOTHING }, Plan::Nothing),
            (REPLACE, Observed { interpreter: Err(Unfit::Missing), ..ours }, Plan::Nothing),
            (
                (Wanted::IfAvailable, ELSEWHERE.1),
                Observed { interpreter: Err(Unfit::Missing), ..NOTHING },
                Plan::Nothing,
            ),
        ]);
    }

    #[test]
    fn what_nothing_handles() {
        let missing = Observed { interpreter: Err(Unfit::Missing), ..NOTHING };
        let unfit = Observed { interpreter: Err(DYNAMIC), ..NOTHING };
        check([
            (BLANK, NOTHING, REGISTER),
            (NAMED, NOTHING, REGISTER),
            (REPLACE, NOTHING, REGISTER),
            (BLANK, unfit.clone(), UNFIT),
            (NAMED, missing.clone(), MISSING),
            (ELSEWHERE, missing.clone(), REGISTER),
            ((Wanted::Named, ELSEWHERE.1), missing, REGISTER),
            (ELSEWHERE, unfit, UNFIT),
            // A replacement was cut short after it had removed the old entry.
            (BLANK, Observed { stand_in: StandIn::Handles, ..NOTHING }, REGISTER),
            (BLANK, Observed { stand_in: StandIn::Handles, runs: Runs::As(Native::Yes), ..NOTHING }, REGISTER),
        ]);
    }

    #[test]
    fn what_the_machine_runs() {
        let native = Observed { runs: Runs::As(Native::Yes), ..NOTHING };
        let unknown = Observed { runs: Runs::As(Native::Unknown(UNTRIED)), ..NOTHING };
        let host = Observed { runs: Runs::AsHost, ..NOTHING };
        check([
            (BLANK, host.clone(), NATIVE),
            (REPLACE, Observed { runs: Runs::AsHost, ..ours() }, NATIVE),
            (REPLACE, Observed { handler: Some(handler(b"")), ..host }, NATIVE),
            (NAMED, native.clone(), NATIVE),
            (REPLACE, native, NATIVE),
            (BLANK, unknown.clone(), Plan::Leave(Reason::Unknown(UNTRIED))),
            (NAMED, unknown, Plan::Refuse(Refusal::Unknown(UNTRIED))),
        ]);
    }

    #[test]
    fn what_an_entry_of_ours_handles() {
        let disabled = Observed { own: OwnEntry::Disabled, ..NOTHING };
        let taken = Observed { own: OwnEntry::OtherPrograms, ..NOTHING };
        let (handler, ours) = (handler(b"POCF"), ours());
        let kept = Plan::Leave(Reason::HandledBy(&handler));
        for ours in [
            ours.clone(),
            Observed { interpreter: Err(DYNAMIC), ..ours.clone() },
            Observed { interpreter: Err(Unfit::Missing), ..ours.clone() },
            Observed { stand_in: StandIn::Handles, ..ours.clone() },
            Observed { own: OwnEntry::Disabled, ..ours.clone() },
        ] {
            assert_eq!(plan(NAMED, &ours), kept);
        }
        check([
            (REPLACE, ours.clone(), Plan::Replace),
            (REPLACE, Observed { interpreter: Err(DYNAMIC), ..ours.clone() }, UNFIT),
            ((Wanted::Named, REPLACE.1), Observed { interpreter: Err(Unfit::Missing), ..ours.clone() }, MISSING),
            (BLANK, disabled.clone(), Plan::Leave(Reason::Disabled { named: false })),
            (NAMED, disabled.clone(), Plan::Leave(Reason::Disabled { named: true })),
            (
                BLANK,
                Observed { stand_in: StandIn::Useless, ..disabled.clone() },
                Plan::Leave(Reason::Disabled { named: false }),
            ),
            (REPLACE, disabled.clone(), Plan::Replace),
            (BLANK, taken.clone(), Plan::Refuse(Refusal::NameTaken)),
            (REPLACE, taken, Plan::Replace),
            (REPLACE, Observed { stand_in: StandIn::Handles, ..ours }, Plan::Replace),
            // A replacement of it was cut short.
            (BLANK, Observed { stand_in: StandIn::Handles, ..disabled }, Plan::Replace),
        ]);
    }

    #[test]
    fn what_an_entry_of_somebody_else_handles() {
        let rosetta = handler(b"");
        let theirs = Observed { handler: Some(rosetta.clone()), ..NOTHING };
        let missing = Observed { interpreter: Err(Unfit::Missing), ..theirs.clone() };
        let unfit = Observed { interpreter: Err(DYNAMIC), ..theirs.clone() };
        let kept = Plan::Leave(Reason::HandledBy(&rosetta));
        assert_eq!(plan(BLANK, &theirs), kept);
        assert_eq!(plan(NAMED, &theirs), kept);
        assert_eq!(plan(NAMED, &missing), kept);
        assert_eq!(plan(NAMED, &Observed { stand_in: StandIn::Handles, ..theirs.clone() }), kept);
        assert_eq!(plan(REPLACE, &theirs), Plan::Register { other: Some(&rosetta) });
        assert_eq!(plan(REPLACE, &unfit), UNFIT);
    }

    #[test]
    fn what_is_kept_is_what_was_asked_for() {
        for (present, asked, required, is_kept) in [
            ("OC", "OCF", "", true),
            ("OC", "OCF", "F", false),
            ("OCF", "OCF", "F", true),
            ("OCF", "OF", "C", false),
            ("OF", "OCF", "C", false),
            ("OF", "POF", "C", true),
            ("POF", "OF", "P", false),
            ("POF", "OCF", "FPC", false),
            ("F", "POCF", "F", true),
        ] {
            let observed = Observed { handler: Some(handler(present.as_bytes())), ..NOTHING };
            let flags = |letters: &str| Flags::read(letters.as_bytes());
            let request = (Wanted::Named, Request { flags: flags(asked), required: flags(required), ..NEW });
            let handler = handler(present.as_bytes());
            let reason = if is_kept { Reason::HandledBy(&handler) } else { Reason::OtherFlags(&handler) };
            assert_eq!(plan(request, &observed), Plan::Leave(reason), "{present} {asked} {required}");
        }
    }

    #[test]
    fn what_others_than_root_can_replace() {
        let theirs = Observed { is_roots: false, ..NOTHING };
        let missing = Observed { interpreter: Err(Unfit::Missing), ..theirs.clone() };
        let with = |flags: &[u8], trust| {
            (Wanted::Always, Request { flags: Flags::read(flags), may_be_missing: true, trust, ..NEW })
        };
        let execution = with(b"POC", false);
        let refused = Plan::Refuse(Refusal::Replaceable);
        check([
            (execution, NOTHING, REGISTER),
            (execution, theirs.clone(), refused),
            (execution, missing, refused),
            (execution, Observed { own: OwnEntry::Disabled, stand_in: StandIn::Handles, ..theirs.clone() }, refused),
            (with(b"POC", true), theirs.clone(), REGISTER),
            (with(b"PO", false), theirs.clone(), REGISTER),
            (BLANK, theirs.clone(), REGISTER),
            (execution, Observed { runs: Runs::As(Native::Yes), ..theirs }, NATIVE),
        ]);
    }
}

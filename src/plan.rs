//! From what was observed to one plan per architecture: a pure function, without a system call.

use crate::machine::{Native, Unfit};
use heapless::Vec;
use rustix::io::Errno;

/// The name of an entry that is not this tool's; of a long one the start, as much as a message shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherName(Vec<u8, 40>);

impl OtherName {
    /// The name, or the start of it.
    pub fn new(name: &[u8]) -> Self {
        let mut start = Vec::new();
        name.iter().for_each(|byte| _ = start.push(*byte)); // as long as there is room
        Self(start)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
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

/// What was asked for an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// How much it is wanted.
    pub wanted: Wanted,
    /// Whether handlers that are there are replaced.
    pub replace: bool,
    /// Whether the interpreter may be missing here, as in execution mode.
    pub may_be_missing: bool,
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
    /// An entry of another name that handles it.
    pub other: Option<OtherName>,
    /// The stand-in of a replacement that was cut short is there.
    pub stand_in: bool,
    /// Whether the machine runs it without a handler.
    pub runs: Runs,
    /// Whether its interpreter can serve.
    pub interpreter: Result<(), Unfit>,
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
        /// The name of an entry that handles the architecture already.
        other: Option<&'a OtherName>,
    },
    /// A new entry in the place of the one that has this tool's name.
    Replace,
}

/// Why an architecture is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason<'a> {
    /// This tool's entry handles it.
    Handled,
    /// This tool's entry is there, but disabled.
    Disabled,
    /// An entry of another name handles it.
    HandledBy(&'a OtherName),
    /// The machine runs it.
    Native,
    /// It cannot be told whether the machine runs it.
    Unknown(Errno),
}

/// Why what was asked for cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be told whether the machine runs it.
    Unknown(Errno),
    /// An entry that has this tool's name is for other programs.
    NameTaken,
    /// Its interpreter cannot serve.
    Unfit(Unfit),
}

impl Request {
    /// Whether anything is to be done or said about the architecture.
    pub fn concerns(&self, observed: &Observed) -> bool {
        match self.wanted {
            Wanted::No => false,
            Wanted::IfAvailable => observed.interpreter != Err(Unfit::Missing),
            Wanted::Always | Wanted::Named => true,
        }
    }
}

/// Decides on one architecture.
pub fn plan(request: Request, observed: &Observed) -> Plan<'_> {
    if !request.concerns(observed) {
        return Plan::Nothing;
    }
    let Runs::As(native) = observed.runs else { return Plan::Leave(Reason::Native) };
    let plan = match (observed.own, &observed.other) {
        (OwnEntry::Absent, Some(other)) if !request.replace => return Plan::Leave(Reason::HandledBy(other)),
        (OwnEntry::Absent, Some(other)) => Plan::Register { other: Some(other) },
        (OwnEntry::Absent, None) if observed.stand_in => Plan::Register { other: None },
        (OwnEntry::Absent, None) => match native {
            Native::No => Plan::Register { other: None },
            Native::Yes => return Plan::Leave(Reason::Native),
            Native::Unknown(error) if request.wanted == Wanted::Named => return Plan::Refuse(Refusal::Unknown(error)),
            Native::Unknown(error) => return Plan::Leave(Reason::Unknown(error)),
        },
        _ if request.replace => Plan::Replace,
        (OwnEntry::Handles, _) => return Plan::Leave(Reason::Handled),
        (OwnEntry::Disabled, _) => return Plan::Leave(Reason::Disabled),
        (OwnEntry::OtherPrograms, _) => return Plan::Refuse(Refusal::NameTaken),
    };
    match observed.interpreter {
        Ok(()) => plan,
        Err(Unfit::Missing) if request.may_be_missing => plan,
        Err(unfit) => Plan::Refuse(Refusal::Unfit(unfit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Defect;

    const FIT: Result<(), Unfit> = Ok(());
    const DYNAMIC: Unfit = Unfit::Defective(Defect::DynamicallyLinked);
    const NOTHING: Observed =
        Observed { own: OwnEntry::Absent, other: None, stand_in: false, runs: Runs::As(Native::No), interpreter: FIT };
    const BLANK: Request = Request { wanted: Wanted::IfAvailable, replace: false, may_be_missing: false };
    const NAMED: Request = Request { wanted: Wanted::Named, ..BLANK };
    const REPLACE: Request = Request { replace: true, ..BLANK };
    const UNWANTED: Request = Request { wanted: Wanted::No, ..BLANK };
    const ELSEWHERE: Request = Request { wanted: Wanted::Always, may_be_missing: true, ..BLANK };

    const UNFIT: Plan = Plan::Refuse(Refusal::Unfit(DYNAMIC));
    const MISSING: Plan = Plan::Refuse(Refusal::Unfit(Unfit::Missing));
    const NATIVE: Plan = Plan::Leave(Reason::Native);
    const KEPT: Plan = Plan::Leave(Reason::Handled);
    const REGISTER: Plan = Plan::Register { other: None };

    fn other() -> OtherName {
        OtherName::new(b"rosetta")
    }

    fn check(rows: impl IntoIterator<Item = (Request, Observed, Plan<'static>)>) {
        for (row, (request, observed, expected)) in rows.into_iter().enumerate() {
            assert_eq!(plan(request, &observed), expected, "row {row}: {request:?} {observed:?}");
        }
    }

    #[test]
    fn what_is_not_wanted() {
        let ours = Observed { own: OwnEntry::Handles, ..NOTHING };
        check([
            (UNWANTED, NOTHING, Plan::Nothing),
            (UNWANTED, ours.clone(), Plan::Nothing),
            (UNWANTED, Observed { stand_in: true, ..ours.clone() }, Plan::Nothing),
            (UNWANTED, Observed { stand_in: true, ..NOTHING }, Plan::Nothing),
            (UNWANTED, Observed { stand_in: true, own: OwnEntry::Disabled, ..NOTHING }, Plan::Nothing),
            (UNWANTED, Observed { runs: Runs::AsHost, ..NOTHING }, Plan::Nothing),
            (BLANK, Observed { interpreter: Err(Unfit::Missing), ..NOTHING }, Plan::Nothing),
            (REPLACE, Observed { interpreter: Err(Unfit::Missing), ..ours }, Plan::Nothing),
            (
                Request { may_be_missing: true, ..BLANK },
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
            (Request { may_be_missing: true, ..NAMED }, missing, REGISTER),
            (ELSEWHERE, unfit, UNFIT),
            // A replacement was cut short after it had removed the old entry.
            (BLANK, Observed { stand_in: true, ..NOTHING }, REGISTER),
            (BLANK, Observed { stand_in: true, runs: Runs::As(Native::Yes), ..NOTHING }, REGISTER),
        ]);
    }

    #[test]
    fn what_the_machine_runs() {
        let native = Observed { runs: Runs::As(Native::Yes), ..NOTHING };
        let unknown = Observed { runs: Runs::As(Native::Unknown(Errno::NOSYS)), ..NOTHING };
        let host = Observed { runs: Runs::AsHost, ..NOTHING };
        check([
            (BLANK, host.clone(), NATIVE),
            (REPLACE, Observed { own: OwnEntry::Handles, ..host.clone() }, NATIVE),
            (REPLACE, Observed { other: Some(other()), ..host }, NATIVE),
            (NAMED, native.clone(), NATIVE),
            (REPLACE, native, NATIVE),
            (BLANK, unknown.clone(), Plan::Leave(Reason::Unknown(Errno::NOSYS))),
            (NAMED, unknown, Plan::Refuse(Refusal::Unknown(Errno::NOSYS))),
        ]);
    }

    #[test]
    fn what_an_entry_of_ours_handles() {
        let ours = Observed { own: OwnEntry::Handles, ..NOTHING };
        let disabled = Observed { own: OwnEntry::Disabled, ..NOTHING };
        let taken = Observed { own: OwnEntry::OtherPrograms, ..NOTHING };
        check([
            (BLANK, ours.clone(), KEPT),
            (BLANK, Observed { interpreter: Err(DYNAMIC), ..ours.clone() }, KEPT),
            (NAMED, Observed { interpreter: Err(Unfit::Missing), ..ours.clone() }, KEPT),
            (REPLACE, ours.clone(), Plan::Replace),
            (REPLACE, Observed { interpreter: Err(DYNAMIC), ..ours.clone() }, UNFIT),
            (
                Request { replace: true, ..NAMED },
                Observed { interpreter: Err(Unfit::Missing), ..ours.clone() },
                MISSING,
            ),
            (BLANK, disabled.clone(), Plan::Leave(Reason::Disabled)),
            (REPLACE, disabled, Plan::Replace),
            (BLANK, taken.clone(), Plan::Refuse(Refusal::NameTaken)),
            (REPLACE, taken, Plan::Replace),
            (BLANK, Observed { other: Some(other()), ..ours.clone() }, KEPT),
            (REPLACE, Observed { stand_in: true, ..ours.clone() }, Plan::Replace),
            (BLANK, Observed { stand_in: true, ..ours }, KEPT),
        ]);
    }

    #[test]
    fn what_an_entry_of_somebody_else_handles() {
        let rosetta = other();
        let theirs = Observed { other: Some(other()), ..NOTHING };
        let missing = Observed { interpreter: Err(Unfit::Missing), ..theirs.clone() };
        let unfit = Observed { interpreter: Err(DYNAMIC), ..theirs.clone() };
        let kept = Plan::Leave(Reason::HandledBy(&rosetta));
        assert_eq!(plan(BLANK, &theirs), kept);
        assert_eq!(plan(NAMED, &theirs), kept);
        assert_eq!(plan(NAMED, &missing), kept);
        assert_eq!(plan(REPLACE, &theirs), Plan::Register { other: Some(&rosetta) });
        assert_eq!(plan(REPLACE, &unfit), UNFIT);
    }
}

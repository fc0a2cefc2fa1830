//! From what was observed to one action per architecture: a pure function, no system call in it.

use crate::interpreter::State;
use crate::report::Say;
use rustix::io::Errno;

/// How much an architecture is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Not asked for.
    No,
    /// If its interpreter is there.
    IfThere,
    /// Whether or not its interpreter is there: execution mode looks for it elsewhere.
    Anyway,
    /// By name.
    Named,
}

/// The entry of the name this tool would give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// There is none.
    Absent,
    /// It is enabled and matches programs of the architecture.
    Handles,
    /// It is disabled.
    Disabled,
    /// It is enabled but matches something else.
    Misfit,
}

/// Whether this machine runs the architecture without any handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Native {
    /// It is this binary's own.
    Host,
    /// A probe ran.
    Yes,
    /// It does not.
    No,
    /// No probe could be made.
    Unknown(Errno),
}

/// All that was observed of one architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The entry under our name.
    pub own: Own,
    /// An entry under another name handles it.
    pub other: bool,
    /// The stand-in of a replacement that was cut short handles it.
    pub stand_in: bool,
    /// What runs it without a handler.
    pub native: Native,
    /// Its interpreter.
    pub interpreter: State,
}

/// What was asked for that architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// How much it is wanted.
    pub wanted: Wanted,
    /// `REPLACE`
    pub replace: bool,
    /// Execution mode: the interpreter need not be here.
    pub absent_fits: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing, and nothing to say.
    Skip,
    /// Register a new entry.
    Register,
    /// Put a new entry in the place of the one under our name.
    Replace,
    /// Nothing, and say why.
    Nothing(Say),
}

/// Decides on one architecture.
pub fn plan(request: Request, seen: &Seen) -> Action {
    let state = seen.interpreter;
    let wanted = match request.wanted {
        Wanted::No => false,
        Wanted::IfThere => state != State::Missing,
        Wanted::Anyway | Wanted::Named => true,
    };
    if !wanted {
        return Action::Skip;
    }
    let handled = seen.other || seen.stand_in;
    let action = match (seen.own, seen.native) {
        (_, Native::Host) => return Action::Nothing(Say::Native),
        (Own::Absent, _) if seen.other && !request.replace => return Action::Nothing(Say::KeptOther),
        (Own::Absent, Native::Yes) if !handled => return Action::Nothing(Say::Native),
        (Own::Absent, Native::Unknown(_)) if !handled => {
            let named = request.wanted == Wanted::Named;
            return Action::Nothing(if named { Say::CannotTell } else { Say::LeftAlone });
        }
        (Own::Absent, _) => Action::Register,
        _ if request.replace => Action::Replace,
        (Own::Handles, _) => return Action::Nothing(Say::Kept),
        (Own::Disabled, _) => return Action::Nothing(Say::KeptDisabled),
        (Own::Misfit, _) => return Action::Nothing(Say::NameTaken),
    };
    match state {
        State::Fit => action,
        State::Missing if request.absent_fits => action,
        _ => Action::Nothing(Say::Unfit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIT: State = State::Fit;
    const UNFIT: State = State::Dynamic;
    const ABSENT: State = State::Missing;
    const NOTHING: Seen =
        Seen { own: Own::Absent, other: false, stand_in: false, native: Native::No, interpreter: FIT };
    const BLANK: Request = Request { wanted: Wanted::IfThere, replace: false, absent_fits: false };
    const NAMED: Request = Request { wanted: Wanted::Named, ..BLANK };
    const REPLACE: Request = Request { replace: true, ..BLANK };
    const OTHERS: Seen = Seen { other: true, ..NOTHING };
    const OURS: Seen = Seen { own: Own::Handles, ..NOTHING };
    const DISABLED: Seen = Seen { own: Own::Disabled, ..NOTHING };
    const MISFIT: Seen = Seen { own: Own::Misfit, ..NOTHING };
    const HOST: Seen = Seen { native: Native::Host, ..NOTHING };
    const MISSING: Seen = Seen { interpreter: ABSENT, ..NOTHING };

    /// Every row of the decision table.
    #[test]
    fn decision_table() {
        let untold = Errno::NOSYS;
        let unwanted = Request { wanted: Wanted::No, ..BLANK };
        let elsewhere = Request { wanted: Wanted::Anyway, absent_fits: true, ..BLANK };
        let named_elsewhere = Request { absent_fits: true, ..NAMED };
        let unfit = Action::Nothing(Say::Unfit);
        let missing = unfit;
        let rows = [
            // not wanted
            (unwanted, NOTHING, Action::Skip),
            (unwanted, OURS, Action::Skip),
            (unwanted, Seen { stand_in: true, ..OURS }, Action::Skip),
            (unwanted, Seen { stand_in: true, ..NOTHING }, Action::Skip),
            (unwanted, Seen { stand_in: true, ..DISABLED }, Action::Skip),
            (BLANK, MISSING, Action::Skip),
            (REPLACE, Seen { interpreter: ABSENT, ..OURS }, Action::Skip),
            (Request { absent_fits: true, ..BLANK }, MISSING, Action::Skip),
            (unwanted, HOST, Action::Skip),
            // nobody handles it
            (BLANK, NOTHING, Action::Register),
            (NAMED, NOTHING, Action::Register),
            (REPLACE, NOTHING, Action::Register),
            (BLANK, Seen { interpreter: UNFIT, ..NOTHING }, unfit),
            (NAMED, MISSING, missing),
            (elsewhere, MISSING, Action::Register),
            (named_elsewhere, MISSING, Action::Register),
            (elsewhere, Seen { interpreter: UNFIT, ..NOTHING }, unfit),
            // the machine runs it
            (BLANK, HOST, Action::Nothing(Say::Native)),
            (REPLACE, Seen { own: Own::Handles, ..HOST }, Action::Nothing(Say::Native)),
            (NAMED, Seen { native: Native::Yes, ..NOTHING }, Action::Nothing(Say::Native)),
            (REPLACE, Seen { native: Native::Yes, ..NOTHING }, Action::Nothing(Say::Native)),
            (BLANK, Seen { native: Native::Unknown(untold), ..NOTHING }, Action::Nothing(Say::LeftAlone)),
            (NAMED, Seen { native: Native::Unknown(untold), ..NOTHING }, Action::Nothing(Say::CannotTell)),
            // our entry is there
            (BLANK, OURS, Action::Nothing(Say::Kept)),
            (BLANK, Seen { interpreter: UNFIT, ..OURS }, Action::Nothing(Say::Kept)),
            (NAMED, Seen { interpreter: ABSENT, ..OURS }, Action::Nothing(Say::Kept)),
            (REPLACE, OURS, Action::Replace),
            (REPLACE, Seen { interpreter: UNFIT, ..OURS }, unfit),
            (Request { replace: true, ..NAMED }, Seen { interpreter: ABSENT, ..OURS }, missing),
            (BLANK, DISABLED, Action::Nothing(Say::KeptDisabled)),
            (REPLACE, DISABLED, Action::Replace),
            (BLANK, MISFIT, Action::Nothing(Say::NameTaken)),
            (REPLACE, MISFIT, Action::Replace),
            (BLANK, Seen { other: true, ..OURS }, Action::Nothing(Say::Kept)),
            // somebody else's is
            (BLANK, OTHERS, Action::Nothing(Say::KeptOther)),
            (NAMED, OTHERS, Action::Nothing(Say::KeptOther)),
            (NAMED, Seen { interpreter: ABSENT, ..OTHERS }, Action::Nothing(Say::KeptOther)),
            (REPLACE, OTHERS, Action::Register),
            (REPLACE, Seen { interpreter: UNFIT, ..OTHERS }, unfit),
            // a replacement was cut short after it had removed the old entry
            (BLANK, Seen { stand_in: true, ..NOTHING }, Action::Register),
            (REPLACE, Seen { stand_in: true, ..OURS }, Action::Replace),
            (BLANK, Seen { stand_in: true, ..OURS }, Action::Nothing(Say::Kept)),
        ];
        for (row, (request, seen, action)) in rows.into_iter().enumerate() {
            assert_eq!(plan(request, &seen), action, "row {row}: {request:?} {seen:?}");
        }
    }
}

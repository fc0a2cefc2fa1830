//! From what was observed to one action per architecture: a pure function, no system call in it.

use crate::message::{Reason, Say};

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

/// All that was observed of one architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The entry under our name.
    pub own: Own,
    /// An entry under another name handles it.
    pub other: bool,
    /// The stand-in of a replacement that was cut short handles it.
    pub stand_in: bool,
    /// It is this binary's own.
    pub host: bool,
    /// Why this machine does not run it without a handler: [`Reason::ENOEXEC`], or why nobody can tell.
    pub native: Reason,
    /// Why its interpreter cannot serve.
    pub interpreter: Reason,
}

impl Seen {
    /// Nothing at all.
    pub const NOTHING: Self = Self {
        own: Own::Absent,
        other: false,
        stand_in: false,
        host: false,
        native: Reason::ENOEXEC,
        interpreter: Reason::MISSING,
    };
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

/// Decides on one architecture: what is to be said of it when that is done.
///
/// [`Say::Registered`] and [`Say::RegisteredBefore`] mean to register a new entry, [`Say::Replaced`] to put a new one
/// in the place of the one under our name, and all others to do nothing.
pub fn plan(request: Request, seen: &Seen) -> Say {
    if !is_wanted(request, seen) {
        return Say::Nothing;
    }
    let handled = seen.other || seen.stand_in;
    let line = match seen.own {
        _ if seen.host => return Say::Native,
        Own::Absent if seen.other && !request.replace => return Say::KeptOther,
        Own::Absent if !handled && seen.native == Reason::NONE => return Say::Native,
        Own::Absent if !handled && seen.native != Reason::ENOEXEC => {
            return if request.wanted == Wanted::Named { Say::CannotTell } else { Say::LeftAlone };
        }
        Own::Absent if seen.other => Say::RegisteredBefore,
        Own::Absent => Say::Registered,
        _ if request.replace => Say::Replaced,
        Own::Handles => return Say::Kept,
        Own::Disabled => return Say::KeptDisabled,
        Own::Misfit => return Say::NameTaken,
    };
    match seen.interpreter {
        Reason::NONE => line,
        Reason::MISSING if request.absent_fits => line,
        _ => Say::Unfit,
    }
}

/// Whether anything is to be done or said at all.
pub fn is_wanted(request: Request, seen: &Seen) -> bool {
    match request.wanted {
        Wanted::No => false,
        Wanted::IfThere => seen.interpreter != Reason::MISSING,
        Wanted::Anyway | Wanted::Named => true,
    }
}

/// Whether a line says that there is a new entry.
pub fn makes_entry(line: Say) -> bool {
    matches!(line, Say::Registered | Say::RegisteredBefore | Say::Replaced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errno::Errno;

    const FIT: Reason = Reason::NONE;
    const UNFIT: Reason = Reason::DYNAMIC;
    const ABSENT: Reason = Reason::MISSING;
    const NOTHING: Seen = Seen { interpreter: FIT, ..Seen::NOTHING };
    const BLANK: Request = Request { wanted: Wanted::IfThere, replace: false, absent_fits: false };
    const NAMED: Request = Request { wanted: Wanted::Named, ..BLANK };
    const REPLACE: Request = Request { replace: true, ..BLANK };
    const OTHERS: Seen = Seen { other: true, ..NOTHING };
    const OURS: Seen = Seen { own: Own::Handles, ..NOTHING };
    const DISABLED: Seen = Seen { own: Own::Disabled, ..NOTHING };
    const MISFIT: Seen = Seen { own: Own::Misfit, ..NOTHING };
    const HOST: Seen = Seen { host: true, ..NOTHING };
    const MISSING: Seen = Seen { interpreter: ABSENT, ..NOTHING };

    /// Every row of the decision table.
    #[test]
    fn decision_table() {
        let untold = Errno::NOSYS.into();
        let unwanted = Request { wanted: Wanted::No, ..BLANK };
        let elsewhere = Request { wanted: Wanted::Anyway, absent_fits: true, ..BLANK };
        let named_elsewhere = Request { absent_fits: true, ..NAMED };
        let unfit = Say::Unfit;
        let missing = unfit;
        let rows = [
            // not wanted
            (unwanted, NOTHING, Say::Nothing),
            (unwanted, OURS, Say::Nothing),
            (unwanted, Seen { stand_in: true, ..OURS }, Say::Nothing),
            (unwanted, Seen { stand_in: true, ..NOTHING }, Say::Nothing),
            (unwanted, Seen { stand_in: true, ..DISABLED }, Say::Nothing),
            (BLANK, MISSING, Say::Nothing),
            (REPLACE, Seen { interpreter: ABSENT, ..OURS }, Say::Nothing),
            (Request { absent_fits: true, ..BLANK }, MISSING, Say::Nothing),
            (unwanted, HOST, Say::Nothing),
            // nobody handles it
            (BLANK, NOTHING, Say::Registered),
            (NAMED, NOTHING, Say::Registered),
            (REPLACE, NOTHING, Say::Registered),
            (BLANK, Seen { interpreter: UNFIT, ..NOTHING }, unfit),
            (NAMED, MISSING, missing),
            (elsewhere, MISSING, Say::Registered),
            (named_elsewhere, MISSING, Say::Registered),
            (elsewhere, Seen { interpreter: UNFIT, ..NOTHING }, unfit),
            // the machine runs it
            (BLANK, HOST, Say::Native),
            (REPLACE, Seen { own: Own::Handles, ..HOST }, Say::Native),
            (NAMED, Seen { native: Reason::NONE, ..NOTHING }, Say::Native),
            (REPLACE, Seen { native: Reason::NONE, ..NOTHING }, Say::Native),
            (BLANK, Seen { native: untold, ..NOTHING }, Say::LeftAlone),
            (NAMED, Seen { native: untold, ..NOTHING }, Say::CannotTell),
            // our entry is there
            (BLANK, OURS, Say::Kept),
            (BLANK, Seen { interpreter: UNFIT, ..OURS }, Say::Kept),
            (NAMED, Seen { interpreter: ABSENT, ..OURS }, Say::Kept),
            (REPLACE, OURS, Say::Replaced),
            (REPLACE, Seen { interpreter: UNFIT, ..OURS }, unfit),
            (Request { replace: true, ..NAMED }, Seen { interpreter: ABSENT, ..OURS }, missing),
            (BLANK, DISABLED, Say::KeptDisabled),
            (REPLACE, DISABLED, Say::Replaced),
            (BLANK, MISFIT, Say::NameTaken),
            (REPLACE, MISFIT, Say::Replaced),
            (BLANK, Seen { other: true, ..OURS }, Say::Kept),
            // somebody else's is
            (BLANK, OTHERS, Say::KeptOther),
            (NAMED, OTHERS, Say::KeptOther),
            (NAMED, Seen { interpreter: ABSENT, ..OTHERS }, Say::KeptOther),
            (REPLACE, OTHERS, Say::RegisteredBefore),
            (REPLACE, Seen { interpreter: UNFIT, ..OTHERS }, unfit),
            // a replacement was cut short after it had removed the old entry
            (BLANK, Seen { stand_in: true, ..NOTHING }, Say::Registered),
            (REPLACE, Seen { stand_in: true, ..OURS }, Say::Replaced),
            (BLANK, Seen { stand_in: true, ..OURS }, Say::Kept),
        ];
        for (row, (request, seen, action)) in rows.into_iter().enumerate() {
            assert_eq!(plan(request, &seen), action, "row {row}: {request:?} {seen:?}");
        }
    }
}

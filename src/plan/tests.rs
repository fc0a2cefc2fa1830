//! What is planned for what is there.

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
    by_rule: false,
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
        ((Wanted::IfAvailable, ELSEWHERE.1), Observed { interpreter: Err(Unfit::Missing), ..NOTHING }, Plan::Nothing),
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

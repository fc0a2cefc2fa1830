//! Carries out what was planned, so that at every moment, and whatever fails, the architecture has the handler it had.

use crate::binfmt_misc::BinfmtMisc;
use crate::errno::{Errno, Result};
use crate::message::{Reason, Say};
use crate::observe::{NAME, STAND_IN};
use crate::output::{Output, Values};
use crate::plan::{Own, Seen};
use crate::probe;
use crate::rule;
use crate::target::Target;
use crate::text::Text;

/// What to say, and the reason that goes with it.
pub type Outcome = (Say, Reason);

/// An entry to make.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// For this target.
    pub target: &'a Target,
    /// What a line about it says: its name, its interpreter, its flags.
    pub values: &'a Values<'a>,
    /// `VERIFY`
    pub verify: bool,
}

/// Carries out the plan to say `line`; what there is to say.
pub fn carry_out(fs: &BinfmtMisc, line: Say, entry: &Entry, seen: &Seen) -> Outcome {
    // A stand-in beside a working entry was left by a run that was killed; otherwise it may be all that works.
    let left = seen.stand_in && seen.own != Own::Handles;
    if seen.stand_in && !left {
        clean_up(fs, entry);
    }
    let failure = match line {
        Say::Registered | Say::RegisteredBefore => write(fs, entry, NAME, entry.verify),
        Say::Replaced => replace(fs, entry, left),
        _ => return (line, reason(line, seen)),
    };
    if failure.0 != Say::Nothing {
        return failure;
    }
    if left {
        clean_up(fs, entry);
    }
    (line, Reason::NONE)
}

/// The reason that goes with doing nothing.
pub fn reason(line: Say, seen: &Seen) -> Reason {
    if line == Say::Unfit { seen.interpreter } else { seen.native }
}

/// Nothing has failed.
pub const WELL: Outcome = (Say::Nothing, Reason::NONE);

/// Puts a new entry in the place of the one under our name.
///
/// The kernel matches the newest entry first. So a stand-in is registered before the old entry goes, and goes when the
/// new one is there. A run that is killed in between leaves the old entry, the stand-in (`left`), or both.
fn replace(fs: &BinfmtMisc, entry: &Entry, left: bool) -> Outcome {
    if !left {
        let failure = write(fs, entry, STAND_IN, entry.verify);
        if failure != WELL {
            return failure;
        }
    }
    if let Err(error) = remove(fs, entry, NAME) {
        clean_up(fs, entry);
        return (Say::Stuck, error.into());
    }
    let failure = write(fs, entry, NAME, entry.verify && left);
    if failure == WELL {
        clean_up(fs, entry);
    }
    failure
}

/// Removes the stand-in. If that fails, the next run tries again.
fn clean_up(fs: &BinfmtMisc, entry: &Entry) {
    _ = remove(fs, entry, STAND_IN);
}

#[inline(never)]
fn remove(fs: &BinfmtMisc, entry: &Entry, name: Text) -> Result<i32> {
    let mut buffer = Output::text_only();
    buffer.fill(name, entry.values);
    fs.remove(buffer.text())
}

fn write(fs: &BinfmtMisc, entry: &Entry, name: Text, verify: bool) -> Outcome {
    let mut line = Output::text_only();
    if !rule::write(&mut line, name, entry.target, entry.values, false) {
        return (Say::TooLong, Reason::NONE);
    }
    match fs.register(line.bytes()) {
        Ok(_) if !verify => return WELL,
        Ok(_) => {}
        Err(Errno::ACCESS) => return (Say::NotExecutable, Errno::ACCESS.into()),
        Err(error) => return (Say::Refused, error.into()),
    }
    let why = probe::run(entry.target);
    if why == Reason::NONE {
        return WELL;
    }
    _ = remove(fs, entry, name);
    (Say::Unproven, why)
}

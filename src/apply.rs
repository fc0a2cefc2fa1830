//! Carries out an action, so that at every moment, and whatever fails, the architecture has the handler it had.

use crate::binfmt_misc::BinfmtMisc;
use crate::observe::{STAND_IN, entry_name};
use crate::plan::{Action, Native, Own, Seen};
use crate::probe::{self, Verdict};
use crate::report::Say;
use crate::rule;
use crate::target::Target;
use crate::text::{c_str, errno, until_nul};
use rustix::io::Errno;

/// What to say, and the reason that goes with it.
pub type Failure = (Say, &'static [u8]);

/// An entry to make.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// For this target.
    pub target: &'a Target,
    /// With this interpreter.
    pub interpreter: &'a [u8],
    /// With these flags.
    pub flags: &'a [u8],
    /// `VERIFY`
    pub verify: bool,
}

impl Entry<'_> {
    /// Writes its rule into `line`, under its name and `suffix`; `false` if it is longer than the kernel takes.
    pub fn rule(&self, suffix: &[u8], line: &mut rule::Line) -> bool {
        let name = entry_name(self.target, suffix);
        rule::write(line, until_nul(&name), self.target, self.interpreter, self.flags)
    }
}

/// Carries `action` out; what there is to say of it.
pub fn carry_out(fs: &BinfmtMisc, action: Action, entry: Entry, seen: &Seen) -> Option<Failure> {
    // A stand-in beside a working entry was left by a run that was killed; otherwise it may be all that works.
    let left = seen.stand_in && seen.own != Own::Handles;
    if seen.stand_in && !left {
        clean_up(fs, entry.target);
    }
    let done = match action {
        Action::Skip => return None,
        Action::Nothing(line) => return Some((line, reason(seen))),
        Action::Register => write(fs, entry, b"", entry.verify),
        Action::Replace => replace(fs, entry, left),
    };
    if left && done.is_ok() {
        clean_up(fs, entry.target);
    }
    let line = match action {
        Action::Replace => Say::Replaced,
        _ if seen.other => Say::RegisteredBefore,
        _ => Say::Registered,
    };
    Some(done.err().unwrap_or((line, b"")))
}

/// The reason that goes with doing nothing.
pub fn reason(seen: &Seen) -> &'static [u8] {
    match seen.native {
        Native::Unknown(error) => errno(error),
        _ => seen.interpreter.why(),
    }
}

/// Puts a new entry in the place of the one under our name.
///
/// The kernel matches the newest entry first. So a stand-in is registered before the old entry goes, and goes when the
/// new one is there. A run that is killed in between leaves the old entry, the stand-in (`left`), or both.
#[inline(never)]
fn replace(fs: &BinfmtMisc, entry: Entry, left: bool) -> Result<(), Failure> {
    if !left {
        write(fs, entry, STAND_IN, entry.verify)?;
    }
    if let Err(error) = remove(fs, entry.target, b"") {
        clean_up(fs, entry.target);
        return Err((Say::Stuck, errno(error)));
    }
    write(fs, entry, b"", entry.verify && left)?;
    clean_up(fs, entry.target);
    Ok(())
}

/// Removes the stand-in for `target`. If that fails, the next run tries again.
fn clean_up(fs: &BinfmtMisc, target: &Target) {
    _ = remove(fs, target, STAND_IN);
}

fn remove(fs: &BinfmtMisc, target: &Target, suffix: &[u8]) -> Result<(), Errno> {
    fs.remove(c_str(&entry_name(target, suffix)).unwrap_or_default())
}

#[inline(never)]
fn write(fs: &BinfmtMisc, entry: Entry, suffix: &[u8], verify: bool) -> Result<(), Failure> {
    let mut line = rule::Line::new();
    if !entry.rule(suffix, &mut line) {
        return Err((Say::TooLong, b""));
    }
    match fs.register(&line) {
        Ok(()) if !verify => return Ok(()),
        Ok(()) => {}
        Err(Errno::ACCESS) => return Err((Say::NotExecutable, errno(Errno::ACCESS))),
        Err(error) => return Err((Say::Refused, errno(error))),
    }
    let why = match probe::run(entry.target) {
        Verdict::Runs => return Ok(()),
        Verdict::Died => b"it was started, and failed",
        Verdict::Refused(error) => errno(error),
    };
    _ = remove(fs, entry.target, suffix);
    Err((Say::Unproven, why))
}

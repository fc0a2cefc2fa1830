//! Carries out a plan, so that an architecture that has a handler has one at every moment, whatever call fails.

use crate::binfmt::{Flags, Locked, OwnName, Rule, RuleBuffer, RuleTooLong, name_of};
use crate::machine::{Interpreter, PathBuffer, ProbeError, register_for_all, run_probe};
use crate::plan::{Observed, Plan, Reason, StandIn};
use crate::report::{Failure, Outcome};
use rustix::io::{self, Errno};

/// An entry to be made.
#[derive(Debug)]
pub struct NewEntry<'a> {
    /// Where.
    pub binfmt_misc: &'a Locked<'a>,
    /// For this interpreter, and so for its architecture.
    pub interpreter: &'a Interpreter,
    /// With these flags.
    pub flags: Flags,
    /// Whether a program is executed to prove that the architecture is handled.
    pub verify: bool,
    /// Whether other containers are to execute the interpreter, whatever its label.
    pub for_all: bool,
    /// Whether SELinux denies it to them all the same.
    pub denied: bool,
    /// Whether a stand-in was removed; if there was none, it was.
    pub stand_in_removed: io::Result<()>,
}

/// Why an entry was not made.
enum NotMade {
    Failed(Failure),
    TakenBack(ProbeError),
}

/// The rule of an entry for this interpreter, in the buffer.
///
/// # Errors
/// It would be too long.
pub fn rule<'a>(
    interpreter: &Interpreter,
    own: OwnName,
    flags: Flags,
    buffer: &'a mut RuleBuffer,
) -> Result<Rule<'a>, Failure> {
    let mut name = PathBuffer::new();
    let name = name_of(interpreter.architecture, own, &mut name);
    Rule::new(name, interpreter.architecture, &interpreter.path(), flags, buffer)
        .map_err(|RuleTooLong| Failure::TooLong)
}

impl NewEntry<'_> {
    /// Carries out the plan. `None` if there is nothing to say.
    pub fn carry_out<'a>(&mut self, plan: Plan<'a>, observed: &Observed) -> Option<Outcome<'a>> {
        // Beside an entry that works, a stand-in was left by a run that was killed. Otherwise it may be all that works.
        let stand_in_serves = observed.stand_in == StandIn::Handles && observed.handler.is_none();
        if observed.stand_in != StandIn::Absent && !stand_in_serves {
            self.remove_stand_in();
        }
        let (made, outcome, failed): (_, _, fn(Failure) -> Outcome<'a>) = match plan {
            Plan::Nothing => return None,
            Plan::Leave(reason) => return Some(self.leave(reason)),
            Plan::Refuse(refusal) => return Some(Outcome::Refused(refusal)),
            Plan::Register { other } => {
                (self.make(OwnName::Entry, self.verify), Outcome::Registered { other }, Outcome::NotRegistered)
            }
            Plan::Replace => (self.replace(stand_in_serves), Outcome::Replaced, Outcome::NotReplaced),
        };
        match made {
            Ok(()) => {
                if stand_in_serves {
                    self.remove_stand_in();
                }
                Some(outcome)
            }
            Err(NotMade::Failed(failure)) => Some(failed(failure)),
            Err(NotMade::TakenBack(error)) => Some(Outcome::TakenBack(error)),
        }
    }

    /// Leaves an architecture as it is.
    fn leave<'a>(&self, reason: Reason<'a>) -> Outcome<'a> {
        match reason {
            Reason::HandledBy(handler) if self.verify => match run_probe(self.interpreter.architecture) {
                Ok(()) => Outcome::Left(reason),
                Err(error) => Outcome::NotRunning(handler, error),
            },
            _ => Outcome::Left(reason),
        }
    }

    /// Puts a new entry in the place of the one that has this tool's name.
    ///
    /// The kernel matches the newest entry first. So a stand-in is registered before the old entry is removed, and
    /// removed when the new one is there. A run that is killed meanwhile leaves the old entry, the stand-in, or both.
    fn replace(&mut self, stand_in_serves: bool) -> Result<(), NotMade> {
        if !stand_in_serves {
            self.make(OwnName::StandIn, self.verify)?;
        }
        if let Err(errno) = self.remove(OwnName::Entry) {
            self.remove_stand_in();
            return Err(NotMade::Failed(Failure::NotRemoved(errno)));
        }
        self.make(OwnName::Entry, self.verify && stand_in_serves)?;
        self.remove_stand_in();
        Ok(())
    }

    fn make(&mut self, own: OwnName, verify: bool) -> Result<(), NotMade> {
        let mut buffer = RuleBuffer::new();
        let rule = rule(self.interpreter, own, self.flags, &mut buffer).map_err(NotMade::Failed)?;
        let mut register = || self.binfmt_misc.register(rule);
        let registered = match self.for_all {
            true => register_for_all(self.interpreter, &mut register).map(|is_for_all| self.denied |= !is_for_all),
            false => register(),
        };
        registered.map_err(|errno| {
            NotMade::Failed(match errno {
                Errno::ACCESS => Failure::NotExecutable(errno),
                errno => Failure::Refused(errno),
            })
        })?;
        if !verify {
            return Ok(());
        }
        run_probe(self.interpreter.architecture).map_err(|error| {
            match self.remove(own) {
                Err(errno) if own == OwnName::Entry => return NotMade::Failed(Failure::NotRemoved(errno)),
                Err(errno) => self.stand_in_removed = Err(errno),
                Ok(()) => {}
            }
            NotMade::TakenBack(error)
        })
    }

    fn remove_stand_in(&mut self) {
        self.stand_in_removed = self.remove(OwnName::StandIn);
    }

    fn remove(&self, own: OwnName) -> io::Result<()> {
        self.binfmt_misc.remove(name_of(self.interpreter.architecture, own, &mut PathBuffer::new()))
    }
}

//! Carries out a plan, so that an architecture that has a handler has one at every moment, whatever call fails.

use crate::binfmt::{Flags, Locked, OwnName, RuleBuffer, RuleTooLong, Target};
use crate::machine::{PathBuffer, ProbeError, join, register_for_all, run_probe};
use crate::plan::{Observed, Plan, Reason, StandIn};
use crate::report::{Failure, Outcome};
use rustix::io::{self, Errno};

/// An entry to be made.
#[derive(Debug)]
pub struct NewEntry<'a> {
    /// Where.
    pub binfmt_misc: &'a Locked<'a>,
    /// For what.
    pub target: Target<'a>,
    /// Whether a program is executed to prove that the architecture, if there is one, is handled.
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

impl<'t> NewEntry<'t> {
    /// One that is still to be made. `for_all` counts only where the interpreter is opened now.
    pub fn new(binfmt_misc: &'t Locked, target: Target<'t>, verify: bool, for_all: bool) -> Self {
        let for_all = for_all && target.flags().contains(Flags::FIX_BINARY);
        Self { binfmt_misc, target, verify, for_all, denied: false, stand_in_removed: Ok(()) }
    }

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
            Reason::HandledBy(handler) if self.verify => match self.probe() {
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
        let rule = self.target.rule(own, &mut buffer).map_err(|RuleTooLong| NotMade::Failed(Failure::TooLong))?;
        let mut register = || self.binfmt_misc.register(rule);
        let registered = match self.for_all {
            true => self.register_for_all(&mut register).map(|is_for_all| self.denied |= !is_for_all),
            false => register(),
        };
        registered.map_err(|errno| {
            NotMade::Failed(match errno {
                Errno::ACCESS => Failure::NotExecutable(errno),
                // All else that the kernel could mean was checked.
                Errno::INVAL if self.target.has_later_flags() => Failure::NoSuchFlag,
                errno => Failure::Refused(errno),
            })
        })?;
        if !verify {
            return Ok(());
        }
        self.probe().map_err(|error| {
            match self.remove(own) {
                Err(errno) if own == OwnName::Entry => return NotMade::Failed(Failure::NotRemoved(errno)),
                Err(errno) => self.stand_in_removed = Err(errno),
                Ok(()) => {}
            }
            NotMade::TakenBack(error)
        })
    }

    fn register_for_all(&self, register: &mut dyn FnMut() -> io::Result<()>) -> io::Result<bool> {
        let (mut path, mut directory) = (PathBuffer::new(), PathBuffer::new());
        register_for_all(join(&mut path, &self.target.path())?, self.target.directory(&mut directory)?, register)
    }

    /// Executes a program of the architecture, if there is one.
    fn probe(&self) -> Result<(), ProbeError> {
        self.target.architecture().map_or(Ok(()), |architecture| run_probe(None, architecture))
    }

    fn remove_stand_in(&mut self) {
        self.stand_in_removed = self.remove(OwnName::StandIn);
    }

    fn remove(&self, own: OwnName) -> io::Result<()> {
        self.binfmt_misc.remove(self.target.entry_name(own, &mut PathBuffer::new()))
    }
}

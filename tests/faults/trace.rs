//! Runs a command under ptrace, numbers the system calls of all its processes, and lets one of them fail, or kills the
//! process that makes it.
//!
//! A process that has made another one stands still until that one has ended. So the calls come in the same order each
//! time. Those of a program that is executed in place of the tool are not numbered.

use nix::errno::Errno;
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, alarm};
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// What a run may take, in seconds, before it counts as hung.
const SECONDS: u32 = 15;

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is not made, and returns this error.
    Fails(Errno),
    /// The process is killed instead of making it.
    KilledBefore,
    /// The process is killed when it has made it.
    KilledAfter,
}

/// Something that happens at the call of this number.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub call: usize,
    pub what: What,
}

/// A call that was made.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// By which process, in the order of their beginning.
    pub process: usize,
    pub number: i64,
    pub first_argument: u64,
    /// Whether it came back to the tool.
    pub returned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Exit(i32),
    Signal(Signal),
    Hung,
}

/// What became of a run.
#[derive(Debug)]
pub struct Run {
    /// How its first process ended; or that any of them did not.
    pub ending: Ending,
    pub out: String,
    pub err: String,
    pub calls: Vec<Call>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has not stopped for the first time.
    New,
    /// It waits for its parent to stand still.
    Ready,
    Running,
    /// It waits for its child.
    Held,
    Gone,
}

struct Process {
    pid: Pid,
    stage: Stage,
    parent: Option<usize>,
    child: Option<usize>,
    /// Whether it is the tool, and not a program executed in its place.
    ours: bool,
    /// The call it is in.
    call: Option<usize>,
}

/// How a run is followed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Way {
    /// Whether the calls are numbered. It takes most of the time.
    pub numbered: bool,
    pub fault: Option<Fault>,
    /// Whether SIGTERM is sent when the tool waits for an event. Only a call that is numbered tells.
    pub terminate: bool,
}

struct Tracer {
    processes: Vec<Process>,
    calls: Vec<Call>,
    way: Way,
    /// Whether the fault has happened. No call after it need be numbered, but where calls have to be known.
    struck: bool,
    /// Whether SIGTERM was sent.
    terminated: bool,
    ending: Option<Ending>,
}

/// Runs a command.
pub fn run(command: &mut Command, way: Way) -> Run {
    let file = || File::from(memfd_create(c"said", MFdFlags::MFD_CLOEXEC).unwrap());
    let (mut out, mut err) = (file(), file());
    command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
    // SAFETY: the child makes one system call.
    unsafe { command.pre_exec(|| ptrace::traceme().map_err(Into::into)) };
    let child = Pid::from_raw(command.spawn().unwrap().id() as i32);
    let mut tracer = Tracer::new(child, way);
    tracer.follow();
    let text = |file: &mut File| {
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Run { ending: tracer.ending.unwrap(), out: text(&mut out), err: text(&mut err), calls: tracer.calls }
}

/// Whether this call only takes time. It is left out, and succeeds.
fn sleeps(number: i64) -> bool {
    matches!(number, libc::SYS_nanosleep | libc::SYS_clock_nanosleep)
}

extern "C" fn interrupt(_: i32) {}

impl Tracer {
    /// Of a child that stops because it has executed the tool.
    fn new(child: Pid, way: Way) -> Self {
        let action = SigAction::new(SigHandler::Handler(interrupt), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler does nothing. It is there so that the signal interrupts `waitpid`.
        unsafe { sigaction(Signal::SIGALRM, &action) }.unwrap();
        alarm::set(SECONDS);
        assert_eq!(waitpid(child, Some(WaitPidFlag::__WALL)), Ok(WaitStatus::Stopped(child, Signal::SIGTRAP)));
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(child, options).unwrap();
        let mut tracer =
            Self { processes: Vec::new(), calls: Vec::new(), way, struck: false, terminated: false, ending: None };
        let first = tracer.process(child);
        tracer.processes[first].stage = Stage::Running;
        tracer.resume(first, None);
        tracer
    }

    /// Follows all processes to their ends.
    fn follow(&mut self) {
        loop {
            match waitpid(None, Some(WaitPidFlag::__WALL)) {
                Ok(status) => self.note(status),
                Err(Errno::EINTR) => {
                    self.ending = Some(Ending::Hung);
                    for process in self.processes.iter().filter(|process| process.stage != Stage::Gone) {
                        let _ = kill(process.pid, Signal::SIGKILL);
                    }
                }
                Err(Errno::ECHILD) => break,
                Err(error) => panic!("waitpid: {error}"),
            }
            self.settle();
        }
        alarm::cancel();
    }

    fn note(&mut self, status: WaitStatus) {
        let process = self.process(status.pid().unwrap());
        match status {
            WaitStatus::Exited(_, code) => self.ended(process, Ending::Exit(code)),
            WaitStatus::Signaled(_, signal, _) => self.ended(process, Ending::Signal(signal)),
            WaitStatus::PtraceSyscall(_) => match self.processes[process].call.take() {
                None => self.enters(process),
                Some(call) => self.returns(process, call),
            },
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC) => {
                self.processes[process].ours = false;
                self.resume(process, None);
            }
            WaitStatus::PtraceEvent(pid, ..) => {
                if let Ok(child) = ptrace::getevent(pid) {
                    let child = self.process(Pid::from_raw(child as i32));
                    self.processes[child].parent = Some(process);
                    self.processes[child].ours = self.processes[process].ours;
                    self.processes[process].child = Some(child);
                }
                self.resume(process, None);
            }
            WaitStatus::Stopped(..) if self.processes[process].stage == Stage::New => {
                self.processes[process].stage = Stage::Ready;
            }
            WaitStatus::Stopped(_, signal) => self.resume(process, Some(signal)),
            other => panic!("{other:?}"),
        }
    }

    /// Lets those go on that need not wait any longer.
    fn settle(&mut self) {
        for index in 0..self.processes.len() {
            let Process { stage, parent, child, ours, .. } = self.processes[index];
            let stage_of = |other: Option<usize>| other.map(|other| self.processes[other].stage);
            let goes_on = match stage {
                Stage::Ready => stage_of(parent)
                    .is_some_and(|stage| !ours || !self.numbers() || matches!(stage, Stage::Held | Stage::Gone)),
                Stage::Held => !self.numbers() || stage_of(child).is_none_or(|stage| stage == Stage::Gone),
                _ => false,
            };
            if goes_on {
                self.processes[index].stage = Stage::Running;
                self.resume(index, None);
            }
        }
    }

    fn enters(&mut self, process: usize) {
        let pid = self.processes[process].pid;
        let Ok(mut registers) = ptrace::getregs(pid) else { return };
        let (call, number) = (self.calls.len(), registers.orig_rax as i64);
        self.calls.push(Call { process, number, first_argument: registers.rdi, returned: false });
        self.processes[process].call = Some(call);
        // For a child it waits with one descriptor, for an event with two.
        let waits = matches!(number, libc::SYS_poll | libc::SYS_ppoll) && registers.rsi > 1;
        if self.way.terminate && !self.terminated && process == 0 && waits {
            self.terminated = true;
            let _ = kill(pid, Signal::SIGTERM);
        }
        match self.at(call) {
            Some(What::KilledBefore) => {
                self.struck = true;
                let _ = kill(pid, Signal::SIGKILL);
                return;
            }
            None | Some(What::KilledAfter) if !sleeps(number) => {}
            _ => {
                registers.orig_rax = u64::MAX; // there is no such call
                let _ = ptrace::setregs(pid, registers);
            }
        }
        self.resume(process, None);
    }

    fn returns(&mut self, process: usize, call: usize) {
        let pid = self.processes[process].pid;
        self.calls[call].returned = true;
        self.struck |= self.at(call).is_some();
        match self.at(call) {
            Some(What::KilledAfter) => {
                let _ = kill(pid, Signal::SIGKILL);
                return;
            }
            None if !sleeps(self.calls[call].number) => {}
            what => {
                let Ok(mut registers) = ptrace::getregs(pid) else { return };
                let errno = if let Some(What::Fails(errno)) = what { errno as i64 } else { 0 };
                registers.rax = -errno as u64;
                let _ = ptrace::setregs(pid, registers);
            }
        }
        let child = self.processes[process].child;
        if child.is_some_and(|child| self.processes[child].ours && self.processes[child].stage != Stage::Gone) {
            self.processes[process].stage = Stage::Held;
        } else {
            self.resume(process, None);
        }
    }

    /// Whether calls are numbered now.
    fn numbers(&self) -> bool {
        self.way.numbered && (!self.struck || self.way.terminate)
    }

    fn at(&self, call: usize) -> Option<What> {
        self.way.fault.filter(|fault| fault.call == call).map(|fault| fault.what)
    }

    fn ended(&mut self, process: usize, ending: Ending) {
        self.processes[process].stage = Stage::Gone;
        if process == 0 {
            self.ending.get_or_insert(ending);
        }
    }

    /// The process of this number; a new one, if it is not known.
    fn process(&mut self, pid: Pid) -> usize {
        let known = self.processes.iter().position(|process| process.pid == pid && process.stage != Stage::Gone);
        known.unwrap_or_else(|| {
            let stage = Stage::New;
            self.processes.push(Process { pid, stage, parent: None, child: None, ours: true, call: None });
            self.processes.len() - 1
        })
    }

    /// It may have been killed meanwhile: its end is told by `waitpid`.
    fn resume(&self, process: usize, signal: Option<Signal>) {
        let Process { pid, ours, .. } = self.processes[process];
        let _ = if ours && self.numbers() { ptrace::syscall(pid, signal) } else { ptrace::cont(pid, signal) };
    }
}

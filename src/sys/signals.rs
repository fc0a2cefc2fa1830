//! Signals: how they are handled here, and how they are waited for.

use super::host::syscall;
use super::process::check;
use core::mem::MaybeUninit;
use linux_raw_sys::general::{self as sys, kernel_sigaction};
use linux_raw_sys::signal_macros::{SIG_DFL, sig_ign};
use rustix::fd::{FromRawFd, OwnedFd};
use rustix::io;

/// A set of signals as the kernel has it: a bit for each of 64. It is an array of `unsigned long`, so that on a 32-bit
/// big-endian host the halves would be in another order. No host is one.
type SignalSet = u64;

/// A signal that can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Signal {
    /// A request to end.
    Terminate = sys::SIGTERM,
    /// A request to end, from a terminal.
    Interrupt = sys::SIGINT,
    /// A child process has ended.
    Child = sys::SIGCHLD,
}

/// Blocks `signals`, and opens a descriptor to read them from (`signalfd(2)`). It does not block. What is read are
/// structures of 128 bytes; the first four are the number of the signal, in the byte order of the host.
///
/// # Errors
/// Those of `rt_sigprocmask(2)` and `signalfd4(2)`.
pub fn signal_descriptor(signals: &[Signal]) -> io::Result<OwnedFd> {
    let set: SignalSet = signals.iter().fold(0, |set, signal| set | 1 << (*signal as u32 - 1));
    let (pointer, size) = (&raw const set as usize, size_of_val(&set));
    // SAFETY: the kernel reads the set and writes nothing through the null pointer. The descriptor is new.
    unsafe {
        check(syscall(sys::__NR_rt_sigprocmask, [sys::SIG_BLOCK as usize, pointer, 0, size, 0]))?;
        let flags = (sys::O_CLOEXEC | sys::O_NONBLOCK) as usize; // SFD_CLOEXEC and SFD_NONBLOCK are the same bits
        check(syscall(sys::__NR_signalfd4, [usize::MAX, pointer, size, flags, 0])).map(|fd| OwnedFd::from_raw_fd(fd))
    }
}

/// The signals whose handling is changed.
const CHANGED: [u32; 3] = [sys::SIGCHLD, sys::SIGPIPE, sys::SIGXFSZ];

/// How this process was to handle these signals when it was started.
#[derive(Debug)]
pub struct InheritedSignals([Action; CHANGED.len()]);

/// The handling of one signal.
type Action = MaybeUninit<kernel_sigaction>;

impl InheritedSignals {
    /// Makes this process independent of how whoever started it handled signals.
    ///
    /// A child process that ends must stay until its status was read, and not be reaped at once, as it is where SIGCHLD
    /// is ignored. A write to a closed pipe, or beyond the limit of a file's size, must be an error and not the end of
    /// this process half-way.
    pub fn replace() -> Self {
        Self(CHANGED.map(|signal| {
            let mut action = Action::zeroed();
            // SAFETY: zeros are a valid structure, without flags and with an empty mask.
            unsafe { action.assume_init_mut() }.sa_handler_kernel =
                if signal == sys::SIGCHLD { SIG_DFL } else { sig_ign() };
            change_action(signal, &action)
        }))
    }

    /// Restores it, for a program that takes the place of this one.
    pub fn restore(&self) {
        for (signal, action) in CHANGED.iter().zip(&self.0) {
            change_action(*signal, action);
        }
    }
}

/// Changes the handling of a signal. Returns the one before: zeros, the default one, if the kernel refuses.
fn change_action(signal: u32, action: &Action) -> Action {
    let mut before = Action::zeroed();
    let arguments =
        [signal as usize, action.as_ptr() as usize, before.as_mut_ptr() as usize, size_of::<SignalSet>(), 0];
    // SAFETY: the kernel reads one structure and fills in the other one. No handler is a function of this program.
    unsafe { syscall(sys::__NR_rt_sigaction, arguments) };
    before
}

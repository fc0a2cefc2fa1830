//! What is said of a run as a whole.

use super::errors::ErrnoName;
use super::template::fill;
use super::{Message, Severity, Text};
use crate::binfmt::{OpenError, OpenErrorKind, PIN, Target};
use crate::machine::{Directory, ProbeError, SecurityModule};
use core::ffi::CStr;
use core::fmt::{Display, Formatter, Result};
use rustix::io::Errno;

/// What is said of a run as a whole.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// Registration mode was asked for, and a kernel of this release does not have it.
    NoRegistrationMode(&'a [u8]),
    /// There is no interpreter.
    NoInterpreter(Directory),
    /// No architecture has this name.
    UnknownArchitecture(&'a [u8]),
    /// binfmt_misc cannot be opened.
    NotOpened {
        /// Why not.
        error: OpenError,
        /// Where it is looked for.
        mount_point: &'a CStr,
        /// That of the kernel.
        release: &'a [u8],
    },
    /// This user namespace has none of its own; one that is mounted would end with this container, and go on to hide the
    /// parent's entries.
    WouldHide,
    /// binfmt_misc, mounted here, cannot be read.
    NotRead(&'a CStr, Errno),
    /// An entry cannot be read.
    EntryNotRead(&'a [u8], Errno),
    /// It could not be tried whether this machine runs programs of the architecture.
    NotProbed(&'a [u8], ProbeError),
    /// binfmt_misc, mounted here, is disabled as a whole.
    Disabled(&'a CStr),
    /// These entries of the parent user namespace are out of force in this one.
    Hidden(&'a [u8]),
    /// The registrations are for this user namespace, by the mount at this place.
    ForUserNamespace(&'a CStr),
    /// There is no pin for this reason; the registrations last as long as binfmt_misc is mounted at this place.
    LastWhileMounted(&'a CStr, Errno),
    /// There is no pin for this reason, and no mount at this place: the registrations end with this process.
    DoNotLast(&'a CStr, Errno),
    /// The same, because this module of the kernel denies the pin.
    PinDenied(SecurityModule, Errno),
    /// It could not be found out which user namespace this is, and so no pin is set.
    UnknownUserNamespace(Errno),
    /// Others than root can replace this interpreter, and perhaps more, which is registered with the flag `C`.
    Replaceable(Target<'a>),
    /// SELinux denies this interpreter, and perhaps more, to other containers.
    Denied(Target<'a>),
    /// What is registered is held.
    Holding,
    /// It was registered again, because it was no longer there.
    RegisteredAgain,
    /// The process that registers was killed.
    ChildKilled,
    /// Signals cannot be waited for, or no child process can be made.
    CannotHold(Errno),
    /// Standard output cannot be written.
    NoOutput,
    /// There is no init to execute.
    NoInit,
}

/// What became of entries that were to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal<'a> {
    /// The entry was removed.
    Removed(&'a [u8]),
    /// The entry was not removed.
    Failed(&'a [u8], Errno),
    /// The entry has a name of this tool's, but is somebody else's.
    NotOurs(&'a [u8]),
    /// There is no entry for this architecture or pattern.
    NothingRegistered(&'a [u8]),
    /// This is neither an entry nor an architecture.
    Unknown(&'a [u8]),
    /// The pin stays, because entries of others may need it.
    PinKept,
}

/// A program that was to take the place of this one, and why it was not executed.
#[derive(Clone, Copy, Debug)]
pub struct NotExecuted<'a>(pub &'a CStr, pub Errno);

impl Message for Notice<'_> {
    fn severity(&self) -> Severity {
        match self {
            Self::ForUserNamespace(_)
            | Self::LastWhileMounted(..)
            | Self::Hidden(_)
            | Self::UnknownUserNamespace(_)
            | Self::Holding => Severity::Unchanged,
            Self::Replaceable(_) | Self::RegisteredAgain => Severity::Notable,
            Self::NoRegistrationMode(_)
            | Self::NoInterpreter(_)
            | Self::UnknownArchitecture(_)
            | Self::NotOpened { .. }
            | Self::WouldHide
            | Self::NotRead(..)
            | Self::EntryNotRead(..)
            | Self::NotProbed(..)
            | Self::Disabled(_)
            | Self::DoNotLast(..)
            | Self::PinDenied(..)
            | Self::Denied(_)
            | Self::ChildKilled
            | Self::CannotHold(_)
            | Self::NoOutput
            | Self::NoInit => Severity::Failure,
        }
    }
}

impl Message for Removal<'_> {
    fn severity(&self) -> Severity {
        match self {
            Self::NotOurs(_) | Self::NothingRegistered(_) | Self::PinKept => Severity::Unchanged,
            Self::Removed(_) => Severity::Notable,
            Self::Failed(..) | Self::Unknown(_) => Severity::Failure,
        }
    }
}

impl Message for NotExecuted<'_> {
    fn severity(&self) -> Severity {
        Severity::Failure
    }
}

impl Notice<'_> {
    /// The words. `{what}` stands for what it is about, `{error}` for the error.
    fn template(&self) -> &'static str {
        match self {
            Self::NoRegistrationMode(_) => {
                "MODE=registration: needs Linux 4.8 or later, this is '{what}'; use MODE=execution, or leave MODE blank"
            }
            Self::NoInterpreter(_) => {
                "no interpreter {what}qemu-ARCH-static, nor one without -static; QEMU_BINARY_PATH is the directory"
            }
            Self::UnknownArchitecture(_) => "{what}: unknown architecture; --help lists them",
            Self::NotOpened { error, .. } => match error.kind {
                OpenErrorKind::NoneInUserNamespaces => {
                    "binfmt_misc: {error}: a user namespace has its own from Linux 6.7 on, this is {what}; run on the host"
                }
                OpenErrorKind::NotPermittedInUserNamespace => {
                    "binfmt_misc: {error}: needs CAP_SYS_ADMIN in a mount namespace of this user namespace (unshare -Urm); \
                     or run as root (sudo podman run)"
                }
                OpenErrorKind::NotPermitted => {
                    "binfmt_misc: {error}: run as root with CAP_SYS_ADMIN (docker run --privileged or --cap-add SYS_ADMIN)"
                }
                OpenErrorKind::DeniedBy(_) => "binfmt_misc: {error}: {what}",
                OpenErrorKind::NotInKernel => {
                    "binfmt_misc: {error}: this kernel has none; run 'modprobe binfmt_misc' on the host"
                }
                OpenErrorKind::NoMountPoint => {
                    "binfmt_misc: {error}: cannot mount it at {what}; name another directory with --mount"
                }
                OpenErrorKind::Other => "binfmt_misc: {error}: cannot open or mount it at {what}",
            },
            Self::WouldHide => {
                "binfmt_misc: this container's own would end with it, yet hide the host's from then on; run as root \
                 (sudo podman run), or with --hold or COMMAND"
            }
            Self::NotRead(..) => "binfmt_misc: {error}: cannot read {what}",
            Self::EntryNotRead(..) => "binfmt_misc: {error}: cannot read entry {what}",
            Self::NotProbed(..) => "{what}: cannot tell whether this machine runs it: {error}",
            Self::Disabled(_) => "binfmt_misc: disabled as a whole, nothing is executed: write 1 to {what}/status",
            Self::Hidden(_) => "in this user namespace its parent's entries are out of force: {what}",
            Self::ForUserNamespace(_) => "registered for this user namespace, by the mount at {what}",
            Self::LastWhileMounted(..) => "registered as long as binfmt_misc is mounted at {what}, no pin ({error})",
            Self::DoNotLast(..) => {
                "gone with this process: no pin ({error}), no mount at {what}; stay with --hold, mount binfmt_misc on the \
                 host, run with --privileged, or in a user namespace with a mount namespace"
            }
            Self::PinDenied(..) => "gone with this process: no pin ({error}), {what}",
            Self::UnknownUserNamespace(_) => {
                "no pin: cannot tell which user namespace this is, without /proc ({error})"
            }
            Self::Replaceable(_) => {
                "{what}: others than root can replace it or those beside it, and by flag C become root at the next run"
            }
            Self::Denied(_) => {
                "{what}: SELinux denies it to other containers, by its label; run with \
                 --security-opt label=type:spc_t --security-opt label=level:s0"
            }
            Self::Holding => "--hold: stays; what others remove is registered again; SIGTERM ends it",
            Self::RegisteredAgain => "--hold: registered again, because it had been removed",
            Self::ChildKilled => "--hold: the process that registers was killed",
            Self::CannotHold(_) => "--hold: cannot wait for signals or make a process: {error}",
            Self::NoOutput => "standard output: cannot be written",
            Self::NoInit => "no init found, the machine is halted; name one: INIT=/path",
        }
    }

    /// What it is about.
    fn subject(&self) -> &[u8] {
        match *self {
            Self::NotOpened { error: OpenError { kind: OpenErrorKind::NoneInUserNamespaces, .. }, release, .. } => {
                release
            }
            Self::NotOpened { error: OpenError { kind: OpenErrorKind::DeniedBy(module), .. }, .. }
            | Self::PinDenied(module, _) => module.denial().as_bytes(),
            Self::NoRegistrationMode(text)
            | Self::UnknownArchitecture(text)
            | Self::EntryNotRead(text, _)
            | Self::NotProbed(text, _)
            | Self::Hidden(text) => text,
            Self::NotOpened { mount_point, .. }
            | Self::NotRead(mount_point, _)
            | Self::Disabled(mount_point)
            | Self::ForUserNamespace(mount_point)
            | Self::LastWhileMounted(mount_point, _)
            | Self::DoNotLast(mount_point, _) => mount_point.to_bytes(),
            _ => b"",
        }
    }

    /// The error.
    fn error(&self) -> Option<Errno> {
        match *self {
            Self::NotOpened { error: OpenError { errno, .. }, .. }
            | Self::NotRead(_, errno)
            | Self::EntryNotRead(_, errno)
            | Self::LastWhileMounted(_, errno)
            | Self::DoNotLast(_, errno)
            | Self::PinDenied(_, errno)
            | Self::UnknownUserNamespace(errno)
            | Self::CannotHold(errno) => Some(errno),
            _ => None,
        }
    }
}

impl SecurityModule {
    /// That it denies what was tried, and what frees a container of it, as podman and Docker have it.
    fn denial(self) -> &'static str {
        match self {
            Self::AppArmor => {
                "AppArmor denies it; run with --privileged, or --cap-add SYS_ADMIN --security-opt apparmor=unconfined"
            }
            Self::SeLinux => {
                "SELinux denies it; run with --privileged, or --cap-add SYS_ADMIN --security-opt label=type:spc_t \
                 --security-opt label=level:s0"
            }
        }
    }
}

impl Display for Notice<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        fill(f, self.template(), &|name, f| match self {
            Self::NotProbed(_, error) if name == b"error" => error.fmt(f),
            _ if name == b"error" => self.error().map_or(Ok(()), |errno| ErrnoName(errno).fmt(f)),
            Self::NoInterpreter(directory) => directory.fmt(f),
            Self::Replaceable(target) | Self::Denied(target) => target.fmt(f),
            _ => Text(self.subject()).fmt(f),
        })
    }
}

impl Display for Removal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let (template, name) = match *self {
            Self::Removed(name) => ("{name}: removed", name),
            Self::Failed(name, _) => ("{name}: not removed: {error}", name),
            Self::NotOurs(name) => {
                ("{name}: left, another tool has registered it; --uninstall {name} removes it", name)
            }
            Self::NothingRegistered(name) => ("{name}: nothing registered", name),
            Self::Unknown(name) => ("{name}: neither an entry nor an architecture", name),
            Self::PinKept => ("{name}: kept, entries of others may need it", PIN.to_bytes()),
        };
        fill(f, template, &|value, f| match *self {
            Self::Failed(_, errno) if value == b"error" => ErrnoName(errno).fmt(f),
            _ => Text(name).fmt(f),
        })
    }
}

impl Display for NotExecuted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}: not executed: {}", Text(self.0.to_bytes()), ErrnoName(self.1))
    }
}

#[cfg(test)]
mod tests;

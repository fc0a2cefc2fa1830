//! What is said of a run as a whole.

use super::errors::ErrnoName;
use super::{Message, Severity, Text};
use crate::binfmt::{OpenError, OpenErrorKind, PIN};
use crate::machine::Directory;
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
    /// binfmt_misc, mounted here, cannot be read.
    NotRead(&'a CStr, Errno),
    /// An entry cannot be read.
    EntryNotRead(&'a [u8], Errno),
    /// It could not be tried whether this machine runs programs of the architecture.
    NotProbed(&'a str, Errno),
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
            Self::ForUserNamespace(_) | Self::LastWhileMounted(..) => Severity::Unchanged,
            Self::Hidden(_) => Severity::Notable,
            Self::NoRegistrationMode(_)
            | Self::NoInterpreter(_)
            | Self::UnknownArchitecture(_)
            | Self::NotOpened { .. }
            | Self::NotRead(..)
            | Self::EntryNotRead(..)
            | Self::NotProbed(..)
            | Self::Disabled(_)
            | Self::DoNotLast(..)
            | Self::CannotHold(_)
            | Self::NoOutput
            | Self::NoInit => Severity::Failure,
        }
    }
}

impl Message for Removal<'_> {
    fn severity(&self) -> Severity {
        match self {
            Self::Removed(_) | Self::NothingRegistered(_) | Self::PinKept => Severity::Notable,
            Self::Failed(..) | Self::Unknown(_) => Severity::Failure,
        }
    }
}

impl Message for NotExecuted<'_> {
    fn severity(&self) -> Severity {
        Severity::Failure
    }
}

impl Display for Notice<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match *self {
            Self::NoRegistrationMode(release) => write!(
                f,
                "MODE=registration: needs Linux 4.8 or later, this is '{}'; use MODE=execution, or leave MODE blank",
                Text(release)
            ),
            Self::NoInterpreter(Directory { path, prefix }) => {
                let (path, prefix) = (Text(path.to_bytes()), Text(prefix.to_bytes()));
                write!(
                    f,
                    "no interpreter {path}/{prefix}qemu-ARCH-static or {path}/{prefix}qemu-ARCH; QEMU_BINARY_PATH is \
                     the directory"
                )
            }
            Self::UnknownArchitecture(name) => {
                write!(f, "{}: unknown architecture; --help lists them", Text(name))
            }
            Self::NotOpened { error: OpenError { kind, errno }, mount_point, release } => {
                write!(f, "binfmt_misc: {}: ", ErrnoName(errno))?;
                let mount_point = Text(mount_point.to_bytes());
                match kind {
                    OpenErrorKind::NoneInUserNamespaces => write!(
                        f,
                        "a user namespace has its own from Linux 6.7 on, this is {}; run on the host",
                        Text(release)
                    ),
                    OpenErrorKind::NotPermittedInUserNamespace => {
                        f.write_str(
                            "needs CAP_SYS_ADMIN in a mount namespace of this user namespace (unshare -Urm); or run as root \
                             (sudo podman run)",
                        )
                    }
                    OpenErrorKind::NoneOfItsOwn => f.write_str(
                        "this container's own would end with it, yet hide the host's from then on; run as root (sudo \
                         podman run), or with --hold or COMMAND",
                    ),
                    OpenErrorKind::NotPermitted => {
                        f.write_str("run as root with CAP_SYS_ADMIN (docker run --privileged or --cap-add SYS_ADMIN)")
                    }
                    OpenErrorKind::NotInKernel => {
                        f.write_str("this kernel has none; run 'modprobe binfmt_misc' on the host")
                    }
                    OpenErrorKind::NoMountPoint => {
                        write!(f, "cannot mount it at {mount_point}; name another directory with --mount")
                    }
                    OpenErrorKind::Other => write!(f, "cannot open or mount it at {mount_point}"),
                }
            }
            Self::NotRead(mount_point, errno) => {
                let mount_point = Text(mount_point.to_bytes());
                write!(f, "binfmt_misc: {}: cannot read {mount_point}", ErrnoName(errno))
            }
            Self::EntryNotRead(name, errno) => {
                write!(f, "binfmt_misc: {}: cannot read entry {}", ErrnoName(errno), Text(name))
            }
            Self::NotProbed(architecture, errno) => {
                let architecture = Text(architecture.as_bytes());
                write!(f, "{architecture}: cannot tell whether this machine runs it: {}", ErrnoName(errno))
            }
            Self::Disabled(mount_point) => write!(
                f,
                "binfmt_misc: disabled as a whole, nothing is executed: write 1 to {}/status",
                Text(mount_point.to_bytes())
            ),
            Self::Hidden(names) => {
                write!(f, "in this user namespace its parent's entries are out of force: {}", Text(names))
            }
            Self::ForUserNamespace(mount_point) => {
                write!(f, "registered for this user namespace, by the mount at {}", Text(mount_point.to_bytes()))
            }
            Self::LastWhileMounted(mount_point, errno) => write!(
                f,
                "registered as long as binfmt_misc is mounted at {}, no pin ({})",
                Text(mount_point.to_bytes()),
                ErrnoName(errno)
            ),
            Self::DoNotLast(mount_point, errno) => write!(
                f,
                "gone with this process: no pin ({}), no mount at {}; mount binfmt_misc on the host or run with \
                 --privileged, or in a user namespace with a mount namespace",
                ErrnoName(errno),
                Text(mount_point.to_bytes())
            ),
            Self::CannotHold(errno) => {
                write!(f, "--hold: cannot wait for signals or make a process: {}", ErrnoName(errno))
            }
            Self::NoOutput => f.write_str("standard output: cannot be written"),
            Self::NoInit => f.write_str("no init found, the machine is halted; name one: INIT=/path"),
        }
    }
}

impl Display for Removal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match *self {
            Self::Removed(name) => write!(f, "{}: removed", Text(name)),
            Self::Failed(name, errno) => write!(f, "{}: not removed: {}", Text(name), ErrnoName(errno)),
            Self::NothingRegistered(item) => write!(f, "{}: nothing registered", Text(item)),
            Self::Unknown(item) => write!(f, "{}: neither an entry nor an architecture", Text(item)),
            Self::PinKept => write!(f, "{}: kept, entries of others may need it", Text(PIN.to_bytes())),
        }
    }
}

impl Display for NotExecuted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}: not executed: {}", Text(self.0.to_bytes()), ErrnoName(self.1))
    }
}

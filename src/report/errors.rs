//! The words of errors.

use super::{Message, Severity, Text};
use crate::cli::Misuse;
use crate::config::InvalidValue;
use crate::machine::{Defect, ProbeError, Unfit};
use core::fmt::{Display, Formatter, Result};
use rustix::io::Errno;

/// An error of the kernel by its symbolic name, as in `errno(3)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ErrnoName(pub Errno);

impl Display for ErrnoName {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self.0 {
            Errno::PERM => "EPERM",
            Errno::NOENT => "ENOENT",
            Errno::INTR => "EINTR",
            Errno::IO => "EIO",
            Errno::NXIO => "ENXIO",
            Errno::TOOBIG => "E2BIG",
            Errno::NOEXEC => "ENOEXEC",
            Errno::BADF => "EBADF",
            Errno::CHILD => "ECHILD",
            Errno::AGAIN => "EAGAIN",
            Errno::NOMEM => "ENOMEM",
            Errno::ACCESS => "EACCES",
            Errno::FAULT => "EFAULT",
            Errno::BUSY => "EBUSY",
            Errno::EXIST => "EEXIST",
            Errno::XDEV => "EXDEV",
            Errno::NODEV => "ENODEV",
            Errno::NOTDIR => "ENOTDIR",
            Errno::ISDIR => "EISDIR",
            Errno::INVAL => "EINVAL",
            Errno::NFILE => "ENFILE",
            Errno::MFILE => "EMFILE",
            Errno::TXTBSY => "ETXTBSY",
            Errno::FBIG => "EFBIG",
            Errno::NOSPC => "ENOSPC",
            Errno::SPIPE => "ESPIPE",
            Errno::ROFS => "EROFS",
            Errno::PIPE => "EPIPE",
            Errno::NAMETOOLONG => "ENAMETOOLONG",
            Errno::NOSYS => "ENOSYS",
            Errno::LOOP => "ELOOP",
            Errno::OPNOTSUPP => "EOPNOTSUPP",
            Errno::STALE => "ESTALE",
            Errno::USERS => "EUSERS",
            _ => "an unusual error",
        })
    }
}

impl Display for Unfit {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Missing => "no such file (nor one without -static); QEMU_BINARY_PATH is the directory",
            Self::Defective(Defect::NotElf) => "not an ELF program",
            Self::Defective(Defect::Truncated) => "truncated; copy it again",
            Self::Defective(Defect::OtherMachine) => "a program of another machine than this one",
            Self::Defective(Defect::DynamicallyLinked) => {
                "dynamically linked; registration mode needs a static one (Debian: qemu-user-static)"
            }
            Self::Unreadable(errno) => return ErrnoName(*errno).fmt(f),
        })
    }
}

impl Display for ProbeError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::NotTried(errno) | Self::NotStarted(errno) => ErrnoName(*errno).fmt(f),
            Self::Failed => f.write_str("it was started, and failed"),
        }
    }
}

impl Display for InvalidValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let (variable, allowed) = (Text(self.variable.as_bytes()), Text(self.allowed.as_bytes()));
        write!(f, "{variable}: '{}' is none of these: {allowed}", Text(self.value))
    }
}

impl Message for InvalidValue {
    fn severity(&self) -> Severity {
        Severity::Failure
    }
}

impl Display for Misuse {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::UnknownOption(argument) => write!(f, "{}: unknown option; see --help", Text(argument.to_bytes())),
            Self::NoValue(argument) => write!(f, "{}: needs a value; see --help", Text(argument.to_bytes())),
        }
    }
}

impl Message for Misuse {
    fn severity(&self) -> Severity {
        Severity::Failure
    }
}

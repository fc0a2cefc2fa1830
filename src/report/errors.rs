//! The words of errors.

use super::{Message, Severity, Text};
use crate::architecture::Architecture;
use crate::cli::Misuse;
use crate::config::InvalidValue;
use crate::machine::{Defect, ProbeError, Unfit};
use core::fmt::{Display, Formatter, Result};
use rustix::io::Errno;

/// The names of errors in the order of their numbers, from 1 on (`errno(3)`). Up to here these are the same on all hosts
/// (`include/uapi/asm-generic/errno-base.h` and `errno.h`).
static ERRNO_NAMES: &[u8] = b"\
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD \
    EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR \
    EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS \
    EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP";

/// An error of the kernel by its symbolic name.
#[derive(Clone, Copy, Debug)]
pub(super) struct ErrnoName(pub Errno);

impl Display for ErrnoName {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let number = usize::try_from(self.0.raw_os_error()).unwrap_or(0);
        let mut names = ERRNO_NAMES.split(|&byte| byte == b' ');
        Text(names.nth(number.wrapping_sub(1)).unwrap_or(b"an unusual error")).fmt(f)
    }
}

impl Display for Unfit {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Missing => "no such file (nor one without -static); QEMU_BINARY_PATH is the directory",
            Self::Defective(Defect::NotElf) => "not an ELF program",
            Self::Defective(Defect::Truncated) => "truncated; copy it again",
            Self::Defective(Defect::OtherMachine) => "a program of another machine than this one",
            Self::Defective(Defect::Malformed) => "an ELF program that the kernel does not take; copy it again",
            Self::Defective(Defect::DynamicallyLinked) => {
                "dynamically linked; registration mode needs a static one (Debian: qemu-user-static)"
            }
            Self::ForItself => "it is among the programs that the rule gives to it, so none would run",
            Self::Unreadable(errno) => return ErrnoName(*errno).fmt(f),
        })
    }
}

impl Display for ProbeError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::NotTried(errno) | Self::NotStarted(errno) => ErrnoName(*errno).fmt(f),
            Self::Failed => f.write_str("it was started, and failed"),
            Self::Killed => f.write_str("it was started, and did not end in time, or was killed"),
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
            Self::UnknownOption(argument) => {
                let argument = Text(argument.to_bytes());
                match Architecture::find(argument.0) {
                    Some(_) => {
                        write!(f, "{argument}: no option; an architecture is registered by --install {argument}")
                    }
                    None => write!(f, "{argument}: unknown option; see --help"),
                }
            }
            Self::AfterFile(argument) => {
                let argument = Text(argument.to_bytes());
                write!(f, "{argument}: options come before FILE; a file of that name is ./{argument}")
            }
            Self::NoValue(argument) => write!(f, "{}: needs a value; see --help", Text(argument.to_bytes())),
        }
    }
}

impl Message for Misuse {
    fn severity(&self) -> Severity {
        Severity::Failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn errors_have_their_names() {
        for (errno, name) in [
            (Errno::PERM, "EPERM"),
            (Errno::AGAIN, "EAGAIN"),
            (Errno::ACCESS, "EACCES"),
            (Errno::ISDIR, "EISDIR"),
            (Errno::MFILE, "EMFILE"),
            (Errno::MLINK, "EMLINK"),
            (Errno::ROFS, "EROFS"),
            (Errno::NAMETOOLONG, "ENAMETOOLONG"),
            (Errno::NOSYS, "ENOSYS"),
            (Errno::LOOP, "ELOOP"),
            (Errno::STALE, "an unusual error"),
        ] {
            assert_eq!(ErrnoName(errno).to_string(), name);
        }
    }

    #[test]
    fn what_is_wrong_with_the_usage() {
        for (misuse, text) in [
            (Misuse::UnknownOption(c"--frob\n"), "--frob\\x0a: unknown option; see --help"),
            (Misuse::UnknownOption(c"arm64"), "arm64: no option; an architecture is registered by --install arm64"),
            (Misuse::NoValue(c"--mount"), "--mount: needs a value; see --help"),
        ] {
            assert_eq!((misuse.to_string().as_str(), misuse.severity()), (text, Severity::Failure));
        }
        let invalid = InvalidValue { variable: "MODE", value: b"both", allowed: "registration execution" };
        let text = "MODE: 'both' is none of these: registration execution";
        assert_eq!((invalid.to_string().as_str(), invalid.severity()), (text, Severity::Failure));
    }

    #[test]
    fn why_an_interpreter_is_unfit_or_a_probe_failed() {
        for (unfit, part) in [
            (Unfit::Missing, "no such file"),
            (Unfit::Defective(Defect::NotElf), "not an ELF program"),
            (Unfit::Defective(Defect::Truncated), "truncated"),
            (Unfit::Defective(Defect::OtherMachine), "another machine"),
            (Unfit::Defective(Defect::Malformed), "the kernel does not take"),
            (Unfit::Defective(Defect::DynamicallyLinked), "qemu-user-static"),
            (Unfit::Unreadable(Errno::IO), "EIO"),
        ] {
            assert!(unfit.to_string().contains(part), "{unfit}");
        }
        for (error, part) in [
            (ProbeError::NotTried(Errno::MFILE), "EMFILE"),
            (ProbeError::NotStarted(Errno::NOEXEC), "ENOEXEC"),
            (ProbeError::Failed, "failed"),
            (ProbeError::Killed, "did not end in time"),
        ] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}

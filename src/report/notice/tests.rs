//! The lines about a run as a whole, about removals, and about a program that is not executed.

use super::*;
use crate::architecture::Architecture;
use crate::binfmt::Flags;
use crate::machine::{Interpreter, InterpreterFile};
use std::string::ToString;

/// Checks the severity of a message, and that its words begin with the one text and have the other in them.
#[track_caller]
fn says(message: &dyn Message, severity: Severity, begin: &str, part: &str) {
    let text = message.to_string();
    assert_eq!(message.severity(), severity, "{text}");
    assert!(text.starts_with(begin) && text.contains(part), "{text:?} is not {begin:?} with {part:?}");
    assert!(!text.contains(['{', '}', '\n']) && !text.contains("  "), "{text:?}");
}

#[test]
fn every_notice() {
    use Severity::{Failure, Notable, Unchanged};
    let directory = Directory { path: c"/opt", prefix: c"my-", separator: b"/" };
    let architecture = Architecture::find(b"arm64").unwrap();
    let interpreter = Interpreter { architecture, directory, file: InterpreterFile::Plain, is_roots: false };
    let target = Target::Architecture(&interpreter, Flags::empty());
    let (place, errno) = (c"/mnt", Errno::IO);
    for (notice, severity, begin, part) in [
        (Notice::NoRegistrationMode(b"4.7"), Failure, "MODE=registration: ", "this is '4.7'"),
        (Notice::NoInterpreter(directory), Failure, "no interpreter /opt/my-qemu-ARCH-static", "QEMU_BINARY_PATH"),
        (Notice::UnknownArchitecture(b"ppc6"), Failure, "ppc6: unknown architecture", "--help"),
        (Notice::WouldHide, Failure, "binfmt_misc: ", "sudo podman run"),
        (Notice::NotRead(place, errno), Failure, "binfmt_misc: EIO: ", "/mnt"),
        (Notice::EntryNotRead(b"qemu\n", errno), Failure, "binfmt_misc: EIO: ", "qemu\\x0a"),
        (Notice::NotProbed(b"arm", ProbeError::NotTried(errno)), Failure, "arm: cannot tell", "EIO"),
        (Notice::NotProbed(b"arm", ProbeError::Killed), Failure, "arm: cannot tell", "did not end in time"),
        (Notice::Disabled(place), Failure, "binfmt_misc: disabled", "/mnt/status"),
        (Notice::Hidden(b"wine java"), Unchanged, "in this user namespace", "wine java"),
        (Notice::ForUserNamespace(place), Unchanged, "registered for this user namespace", "/mnt"),
        (Notice::LastWhileMounted(place, errno), Unchanged, "registered as long as", "no pin (EIO)"),
        (Notice::DoNotLast(place, errno), Failure, "gone with this process", "--hold"),
        (
            Notice::PinDenied(SecurityModule::AppArmor, errno),
            Failure,
            "gone with this process: no pin (EIO), AppArmor denies it",
            "--cap-add SYS_ADMIN --security-opt apparmor=unconfined",
        ),
        (Notice::UnknownUserNamespace(errno), Unchanged, "no pin: ", "(EIO)"),
        (Notice::Replaceable(target), Notable, "/opt/my-qemu-aarch64: ", "others than root"),
        (Notice::Denied(target), Failure, "/opt/my-qemu-aarch64: SELinux", "label=level:s0"),
        (Notice::Holding, Unchanged, "--hold: ", "SIGTERM"),
        (Notice::RegisteredAgain, Notable, "--hold: registered again", "removed"),
        (Notice::ChildKilled, Failure, "--hold: ", "was killed"),
        (Notice::CannotHold(errno), Failure, "--hold: ", "EIO"),
        (Notice::NoOutput, Failure, "standard output: ", "cannot be written"),
        (Notice::NoInit, Failure, "no init found", "INIT=/path"),
    ] {
        says(&notice, severity, begin, part);
    }
}

#[test]
fn why_binfmt_misc_is_not_opened() {
    for (kind, part) in [
        (OpenErrorKind::NoneInUserNamespaces, "from Linux 6.7 on, this is 6.1"),
        (OpenErrorKind::NotPermittedInUserNamespace, "unshare -Urm"),
        (OpenErrorKind::NotPermitted, "--cap-add SYS_ADMIN"),
        (
            OpenErrorKind::DeniedBy(SecurityModule::SeLinux),
            "SELinux denies it; run with --privileged, or --cap-add SYS_ADMIN",
        ),
        (OpenErrorKind::DeniedBy(SecurityModule::AppArmor), "--security-opt apparmor=unconfined"),
        (OpenErrorKind::NotInKernel, "modprobe binfmt_misc"),
        (OpenErrorKind::NoMountPoint, "at /mnt; name another directory with --mount"),
        (OpenErrorKind::Other, "cannot open or mount it at /mnt"),
    ] {
        let error = OpenError { kind, errno: Errno::PERM };
        let notice = Notice::NotOpened { error, mount_point: c"/mnt", release: b"6.1" };
        says(&notice, Severity::Failure, "binfmt_misc: EPERM: ", part);
    }
}

#[test]
fn every_removal() {
    use Severity::{Failure, Notable, Unchanged};
    for (removal, severity, begin, part) in [
        (Removal::Removed(b"qemu-arm"), Notable, "qemu-arm: removed", ""),
        (Removal::Failed(b"qemu-arm", Errno::PERM), Failure, "qemu-arm: not removed: EPERM", ""),
        (Removal::NotOurs(b"qemu-arm"), Unchanged, "qemu-arm: left", "--uninstall qemu-arm removes it"),
        (Removal::NothingRegistered(b"qemu-*"), Unchanged, "qemu-*: nothing registered", ""),
        (Removal::Unknown(b"ppc6"), Failure, "ppc6: neither an entry nor an architecture", ""),
        (Removal::PinKept, Unchanged, "binfmt_register: kept", "entries of others"),
    ] {
        says(&removal, severity, begin, part);
    }
}

#[test]
fn what_is_not_executed() {
    says(&NotExecuted(c"/none", Errno::NOENT), Severity::Failure, "/none: not executed: ENOENT", "");
}

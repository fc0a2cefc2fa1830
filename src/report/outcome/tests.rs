//! The lines about architectures.

use super::*;
use crate::architecture::Architecture;
use crate::binfmt::Entry;
use crate::machine::{Defect, Interpreter, InterpreterFile, Unfit};
use std::string::ToString;

#[test]
fn every_line() {
    let interpreter = Interpreter {
        architecture: Architecture::find(b"arm64").unwrap(),
        directory: Directory { path: c"/opt", prefix: c"my-", separator: b"/" },
        file: InterpreterFile::Static,
        is_roots: true,
    };
    let handler = |name: &[u8], text: &[u8]| Handler::new(name, &Entry::parse(text));
    let rosetta = handler(b"rosetta\xff", b"enabled\ninterpreter /r\nflags: OCF\n");
    let plain = handler(b"qemu-aarch64", b"enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: \n");
    for (outcome, severity, text) in [
        (Outcome::Registered { other: None }, Severity::Notable, "registered /opt/my-qemu-aarch64-static (POCF)"),
        (
            Outcome::Registered { other: Some(&rosetta) },
            Severity::Notable,
            "registered /opt/my-qemu-aarch64-static (POCF), before entry rosetta\\xff",
        ),
        (Outcome::Replaced, Severity::Notable, "replaced by /opt/my-qemu-aarch64-static (POCF)"),
        (
            Outcome::Left(Reason::HandledBy(&plain)),
            Severity::Unchanged,
            "kept, entry qemu-aarch64 handles it where /usr/bin/qemu-aarch64 exists (no flag F); REPLACE=true registers \
             it everywhere",
        ),
        (
            Outcome::NotRunning(&plain, ProbeError::NotStarted(Errno::NOENT)),
            Severity::Failure,
            "kept, but no program runs through entry qemu-aarch64: ENOENT; REPLACE=true replaces it",
        ),
        (
            Outcome::NotRunning(&plain, ProbeError::NotTried(Errno::MFILE)),
            Severity::Failure,
            "kept, but entry qemu-aarch64 cannot be verified: EMFILE",
        ),
        (
            Outcome::StandInStays(Errno::PERM),
            Severity::Failure,
            "entry qemu-aarch64.new cannot be removed: EPERM; the next run tries again",
        ),
        (
            Outcome::Left(Reason::OtherFlags(&plain)),
            Severity::Failure,
            "kept, but entry qemu-aarch64 has flags (), not (POCF); REPLACE=true changes it",
        ),
        (
            Outcome::Left(Reason::Disabled { named: true }),
            Severity::Failure,
            "kept, entry qemu-aarch64 is disabled (REPLACE=true, or write 1 to it)",
        ),
        (
            Outcome::Refused(Refusal::Replaceable),
            Severity::Failure,
            "not registered: others than root can replace /opt/my-qemu-aarch64-static, and by flag C become \
             root; CREDENTIALS=false, or TRUST=true",
        ),
        (
            Outcome::NotRegistered(Failure::Refused(Errno::NOSPC)),
            Severity::Failure,
            "not registered: /opt/my-qemu-aarch64-static: ENOSPC: raise the limit user.max_binfmt_misc_interpreters \
             (sysctl)",
        ),
        (
            Outcome::TakenBack(ProbeError::NotTried(Errno::FBIG)),
            Severity::Failure,
            "taken back: /opt/my-qemu-aarch64-static cannot be verified: EFBIG",
        ),
        (
            Outcome::TakenBack(ProbeError::Killed),
            Severity::Failure,
            "taken back: no program runs through /opt/my-qemu-aarch64-static: it was started, and did not end in time, or was killed",
        ),
        (
            Outcome::Left(Reason::Disabled { named: false }),
            Severity::Unchanged,
            "kept, entry qemu-aarch64 is disabled (REPLACE=true, or write 1 to it)",
        ),
        (Outcome::Left(Reason::HandledBy(&rosetta)), Severity::Unchanged, "kept, entry rosetta\\xff handles it"),
        (Outcome::Left(Reason::Native), Severity::Unchanged, "native, this machine runs it"),
        (
            Outcome::Left(Reason::Unknown(ProbeError::NotTried(Errno::NOSYS))),
            Severity::Unchanged,
            "left alone, cannot tell whether this machine runs it: ENOSYS",
        ),
        (
            Outcome::Refused(Refusal::Unknown(ProbeError::NotTried(Errno::NOSYS))),
            Severity::Failure,
            "not registered: cannot tell whether this machine runs it: ENOSYS",
        ),
        (
            Outcome::Refused(Refusal::NameTaken),
            Severity::Failure,
            "not registered: entry qemu-aarch64 is for other programs (REPLACE=true replaces it)",
        ),
        (
            Outcome::Refused(Refusal::Unfit(Unfit::Defective(Defect::Truncated))),
            Severity::Failure,
            "not registered: /opt/my-qemu-aarch64-static: truncated; copy it again",
        ),
        (
            Outcome::Refused(Refusal::Unfit(Unfit::Unreadable(Errno::DQUOT))),
            Severity::Failure,
            "not registered: /opt/my-qemu-aarch64-static: an unusual error",
        ),
        (
            Outcome::NotRegistered(Failure::TooLong),
            Severity::Failure,
            "not registered: /opt/my-qemu-aarch64-static: too long for a rule",
        ),
        (
            Outcome::NotReplaced(Failure::NotExecutable(Errno::ACCESS)),
            Severity::Failure,
            "not replaced: /opt/my-qemu-aarch64-static: EACCES: make it executable, on a file system mounted \
             without noexec",
        ),
        (
            Outcome::NotReplaced(Failure::Refused(Errno::NOMEM)),
            Severity::Failure,
            "not replaced: /opt/my-qemu-aarch64-static: the kernel refuses it: ENOMEM",
        ),
        (
            Outcome::NotReplaced(Failure::NotRemoved(Errno::PERM)),
            Severity::Failure,
            "not replaced: entry qemu-aarch64 cannot be removed: EPERM",
        ),
        (
            Outcome::TakenBack(ProbeError::Failed),
            Severity::Failure,
            "taken back: no program runs through /opt/my-qemu-aarch64-static: it was started, and failed",
        ),
    ] {
        let flags = Flags::read(b"POCF");
        let line = Line { target: Target::Architecture(&interpreter, flags), outcome };
        assert_eq!(line.to_string(), std::format!("aarch64: {text}"));
        assert_eq!(line.severity(), severity, "{line}");
    }
}

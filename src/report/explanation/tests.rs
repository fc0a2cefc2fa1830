use super::values::VALUES;
use super::*;
use std::collections::BTreeSet;
use std::string::{String, ToString};
use std::vec::Vec;

const FINDINGS: [Finding; 17] = [
    Finding::Elf,
    Finding::Script,
    Finding::Empty,
    Finding::OtherFormat,
    Finding::Static,
    Finding::LinkerFound,
    Finding::LinkerMissing,
    Finding::NeedsLevel,
    Finding::Labelled,
    Finding::Mounted(true),
    Finding::Mounted(false),
    Finding::NotMounted,
    Finding::Taken,
    Finding::OpenedBefore,
    Finding::Native,
    Finding::Proven,
    Finding::Runs,
];

const REASONS: [Reason; 21] = [
    Reason::NoFile,
    Reason::NoScriptInterpreter,
    Reason::NoInterpreter,
    Reason::Directory,
    Reason::NotRegular,
    Reason::NotExecutable,
    Reason::NoExec,
    Reason::Defective(Defect::Truncated),
    Reason::Defective(Defect::Malformed),
    Reason::NoFormat,
    Reason::NoHandler,
    Reason::Disabled,
    Reason::AllDisabled,
    Reason::Hidden,
    Reason::NoLinker,
    Reason::LinkerNotExecutable,
    Reason::LinkerElsewhere,
    Reason::NoInterpretersLinker,
    Reason::Level,
    Reason::TooDeep,
    Reason::ProbeFailed,
];

fn names() -> Names<'static> {
    let arm64 = Architecture::find(b"arm64").unwrap();
    let buffer = |text: &[u8]| PathBuffer::from_slice(text).unwrap();
    Names {
        file: b"/r/file",
        root: b"",
        mount: [b"/m", b"/p"],
        owner: Owner::Machine,
        path: buffer(b"/path"),
        header: ElfHeader::parse(&Architecture::find(b"ppc").unwrap().probe()),
        other: buffer(b"/other"),
        elsewhere: b"/r",
        target: Some(arm64),
        entry: b"entry".as_slice().try_into().unwrap(),
        flags: Flags::OPEN_BINARY,
        level: 2,
        error: Some(ProbeError::Failed),
    }
}

fn line(finding: Finding, names: &Names) -> String {
    Explanation(finding, names).to_string()
}

/// Each name in a template has a value, and each value is in a template.
#[test]
fn every_name_has_a_value() {
    let owners = [Owner::Machine, Owner::ThisUserNamespace, Owner::Parent, Owner::Unknown];
    let findings = FINDINGS.iter().chain(&[Finding::RunsNot(Reason::NoFile), Finding::Unknown]);
    let templates = findings.map(|finding| finding.template());
    let templates = templates.chain(REASONS.map(Reason::template)).chain(owners.map(Owner::template));
    let used: BTreeSet<_> = templates
        .flat_map(|template| {
            template.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect::<Vec<_>>()
        })
        .collect();
    let known: BTreeSet<_> = VALUES.iter().map(|(name, _)| *name).collect();
    assert_eq!((used, known.len()), (known, VALUES.len()));
}

#[test]
fn lines() {
    let names = names();
    for (finding, text) in [
        (Finding::Elf, "/path: ELF, 32 bits, big-endian, machine 20, flags 0x0: ppc"),
        (Finding::Taken, "entry entry (O) takes it: /other"),
        (Finding::Mounted(true), "binfmt_misc: mounted at /m/p, enabled"),
        (Finding::NeedsLevel, "/path: needs x86-64-v2"),
        (Finding::Proven, "a program of aarch64 (linux/arm64) was executed, and runs"),
        (Finding::Unknown, "/r/file: cannot tell whether it runs here: /path: it was started, and failed"),
    ] {
        assert_eq!(line(finding, &names), text);
    }
    let names = Names { root: b"/r", owner: Owner::ThisUserNamespace, ..names };
    assert!(
        line(Finding::Mounted(false), &names)
            .ends_with("disabled as a whole, this user namespace's own: its parent's entries do not count")
    );
    let said = line(Finding::RunsNot(Reason::NoLinker), &names);
    assert!(said.starts_with("/r/file: does not run here: its dynamic linker is missing\n"), "{said}");
}

/// Each reason ends with what to type, in a line of its own.
#[test]
fn what_to_type() {
    for reason in REASONS {
        for target in [names().target, None] {
            let said = line(Finding::RunsNot(reason), &Names { target, ..names() });
            let (first, last) = said.split_once('\n').unwrap();
            assert!(first.starts_with("/r/file: does not run here: ") && last.starts_with("try"), "{said}");
            assert!(!last.contains('\n') && !said.contains(['{', '}']), "{said}");
        }
    }
    let names = names();
    for (reason, command) in [
        (Reason::NotExecutable, "try: chmod +x /path"),
        (Reason::Disabled, "try, as root: echo 1 >/m/p/entry"),
        (Reason::NoHandler, "try, as root: binfmt_register --install ppc"),
        (Reason::NoInterpreter, "try, as root: REPLACE=true binfmt_register --install aarch64"),
        (Reason::LinkerElsewhere, "try, as root: chroot /r /file"),
    ] {
        assert!(line(Finding::RunsNot(reason), &names).ends_with(command), "{reason:?}");
    }
    let relative = Names { root: b"/r", path: PathBuffer::from_slice(b"path").unwrap(), ..names };
    assert!(line(Finding::RunsNot(Reason::NotExecutable), &relative).ends_with("chmod +x /r/path"));
}

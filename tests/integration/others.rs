//! Entries that are there already, made by others or by an administrator: they count by what they match, and are left
//! as they are.

use crate::common::host;
use crate::common::namespace::{MOUNT, Namespace, Said, Scratch, interpreters, program};
use std::os::unix::fs::symlink;

/// The magic and mask that Apple's Rosetta is registered with: programs for arm64.
const ARM64: &str = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";

/// Somebody else's handler: an interpreter that prints what it is to execute.
struct Theirs(Scratch);

impl Theirs {
    fn new() -> Self {
        let scratch = Scratch::new();
        symlink(program("amd64"), scratch.0.join("echo")).unwrap(); // busybox goes by its name
        Self(scratch)
    }

    /// The line that registers it for arm64.
    fn line(&self, name: &str) -> String {
        format!(":{name}:M::{ARM64}:{}/echo:", self.0.path())
    }

    /// Whether it is the one that is given a program for arm64.
    fn handles(&self, namespace: &Namespace) -> bool {
        let said = Said::of(namespace.command(program("arm64")).args(["echo", "it runs"]));
        said.out.contains("busybox echo it runs")
    }
}

#[test]
fn an_architecture_that_is_handled_by_an_entry_of_any_name_is_kept() {
    let Some(namespace) = Namespace::new() else { return };
    let theirs = Theirs::new();
    namespace.register(&theirs.line("rosetta"));
    let before = namespace.state();
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0).says(&["aarch64: kept, entry rosetta handles it"]);
    namespace.tool(&[], &["--install", "aarch64"]).exits(0).says(&["aarch64: kept, entry rosetta handles it"]);
    assert_eq!(namespace.state(), before);
    assert!(theirs.handles(&namespace));
    // Others are registered beside it.
    namespace.tool(&[], &[]).exits(0).says(&["aarch64: kept, entry rosetta handles it"]);
    assert!(theirs.handles(&namespace));
    assert!(namespace.entry("qemu-aarch64").is_none());
    assert!(namespace.runs("riscv64"));
}

#[test]
fn with_replace_ours_goes_before_theirs_which_stays() {
    let Some(namespace) = Namespace::new() else { return };
    let theirs = Theirs::new();
    namespace.register(&theirs.line("rosetta"));
    let before = namespace.state();
    namespace.tool(&["ARCHES=arm64", "REPLACE=true"], &[]).exits(0).says(&["aarch64: registered ", "rosetta"]);
    assert_eq!(namespace.entries(), ["qemu-aarch64", "rosetta"]);
    assert_eq!(namespace.state()["rosetta"], before["rosetta"]);
    assert!(namespace.runs("arm64"));
    // A second time ours is the one replaced.
    namespace.tool(&["ARCHES=arm64", "REPLACE=true"], &[]).exits(0);
    assert!(namespace.runs("arm64"));
    namespace.tool(&[], &["--uninstall", "arm64"]).exits(0).says_only(&["qemu-aarch64: removed"]);
    assert_eq!(namespace.state(), before);
    assert!(theirs.handles(&namespace));
}

/// Ours is there, then somebody registers theirs before it: ours is not what handles the architecture.
#[test]
fn with_replace_ours_goes_before_theirs_though_it_is_there_already() {
    let Some(namespace) = Namespace::new() else { return };
    let theirs = Theirs::new();
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    namespace.register(&theirs.line("rosetta"));
    assert!(theirs.handles(&namespace));
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0).says(&["aarch64: kept"]);
    namespace.tool(&["ARCHES=arm64", "REPLACE=true"], &[]).exits(0);
    assert_eq!(namespace.entries(), ["qemu-aarch64", "rosetta"]);
    assert!(namespace.runs("arm64"));
}

#[test]
fn a_disabled_entry_of_theirs_handles_nothing() {
    let Some(namespace) = Namespace::new() else { return };
    let theirs = Theirs::new();
    namespace.register(&theirs.line("rosetta"));
    namespace.sh("echo 0 >/proc/sys/fs/binfmt_misc/rosetta").exits(0);
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0).says(&["aarch64: registered"]);
    assert!(namespace.runs("arm64"));
    assert!(!namespace.entry("rosetta").unwrap().enabled);
}

#[test]
fn an_entry_of_our_name_for_something_else_is_said_so() {
    let Some(namespace) = Namespace::new() else { return };
    let theirs = Theirs::new();
    namespace.register(&format!(":qemu-aarch64:E::windows::{}/echo:", theirs.0.path()));
    let before = namespace.state();
    let said = namespace.tool(&["ARCHES=arm64"], &[]).exits(1);
    said.says(&["aarch64: not registered", "qemu-aarch64", "other programs", "REPLACE=true"]);
    assert_eq!(namespace.state(), before);
    // The others are registered all the same.
    namespace.tool(&[], &[]).exits(1).says(&["riscv64: registered"]);
    assert_eq!(namespace.state()["qemu-aarch64"], before["qemu-aarch64"]);
    namespace.tool(&["ARCHES=arm64", "REPLACE=true"], &[]).exits(0).says(&["aarch64: replaced"]);
    assert!(namespace.runs("arm64"));
}

#[test]
fn our_disabled_entry_is_kept_and_said_so() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    namespace.sh("echo 0 >/proc/sys/fs/binfmt_misc/qemu-aarch64").exits(0);
    let before = namespace.state();
    let words = ["aarch64: kept", "qemu-aarch64", "disabled", "REPLACE=true"];
    let scratch = Scratch::new();
    scratch.copy(interpreters().join("qemu-aarch64"), "qemu-aarch64");
    namespace.tool(&[&scratch.variable()], &[]).exits(0).says_only(&words);
    // It was asked for by name, and does not run.
    namespace.tool(&["ARCHES=arm64"], &[]).exits(1).says_only(&words);
    assert_eq!(namespace.state(), before);
    assert!(!namespace.runs("arm64"));
    namespace.tool(&["ARCHES=arm64", "REPLACE=true"], &[]).exits(0);
    assert!(namespace.entry("qemu-aarch64").unwrap().enabled);
    assert_eq!(namespace.entries(), ["qemu-aarch64"]);
    assert!(namespace.runs("arm64"));
}

#[test]
fn a_pattern_never_reaches_entries_of_others() {
    for pattern in ["qemu-*", "*", "*,qemu-*", "?*"] {
        let Some(namespace) = Namespace::new() else { return };
        let theirs = Theirs::new();
        for name in ["rosetta", "qemu-custom", "qemu-aarch64-mine", "FEX-x86_64"] {
            namespace.register(&theirs.line(name));
        }
        let before = namespace.state();
        namespace.tool(&["ARCHES=riscv64,s390x"], &[]).exits(0);
        let said = namespace.tool(&[], &["--uninstall", pattern]).exits(0);
        assert_eq!(namespace.state(), before, "{pattern}: {said:#?}");
        assert!(
            said.err.contains("qemu-riscv64: removed\n") && said.err.contains("qemu-s390x: removed\n"),
            "{said:#?}"
        );
    }
}

#[test]
fn an_exact_name_reaches_whosever_entry_it_is() {
    let Some(namespace) = Namespace::new() else { return };
    let theirs = Theirs::new();
    namespace.register(&theirs.line("rosetta"));
    namespace.register(&theirs.line("qemu-custom"));
    namespace.tool(&[], &["--uninstall", "rosetta"]).exits(0).says_only(&["rosetta: removed"]);
    assert_eq!(namespace.entries(), ["qemu-custom"]);
    namespace.tool(&[], &["--uninstall=qemu-custom"]).exits(0).says_only(&["qemu-custom: removed"]);
    assert!(namespace.entries().is_empty());
}

#[test]
fn uninstall_takes_architectures_platforms_names_and_patterns() {
    let own = format!("qemu-{}", host::own().0); // not among them
    let all = ["qemu-aarch64", "qemu-aarch64_be", "qemu-arm", "qemu-riscv64", "qemu-s390x"];
    let all: Vec<_> = all.into_iter().filter(|name| *name != own).collect();
    for (list, gone) in [
        ("aarch64", &["qemu-aarch64"] as &[&str]),
        ("arm64", &["qemu-aarch64"]),
        ("linux/arm/v7", &["qemu-arm"]),
        ("qemu-arm", &["qemu-arm"]),
        ("qemu-a*", &["qemu-aarch64", "qemu-aarch64_be", "qemu-arm"]),
        ("qemu-aarch64*", &["qemu-aarch64", "qemu-aarch64_be"]),
        ("*64", &["qemu-aarch64", "qemu-riscv64"]),
        ("qemu-???", &["qemu-arm"]),
        ("arm64,s390x qemu-riscv64", &["qemu-aarch64", "qemu-riscv64", "qemu-s390x"]),
        ("qemu-*", &all),
        ("*", &all),
    ] {
        let gone: Vec<_> = gone.iter().filter(|name| **name != own).collect();
        if gone.is_empty() {
            continue;
        }
        let Some(namespace) = Namespace::new() else { return };
        namespace.tool(&["ARCHES=arm64,aarch64_be,arm,riscv64,s390x"], &[]).exits(0);
        assert_eq!(namespace.entries(), all);
        let said = namespace.tool(&[], &["--uninstall", list]).exits(0);
        // The names that take the places of the host's own are spelled otherwise.
        if matches!((host::name(), list), ("aarch64", "qemu-a*" | "qemu-aarch64*") | ("riscv64", "*64")) {
            continue;
        }
        let left: Vec<_> = all.iter().copied().filter(|name| !gone.contains(&name)).collect();
        assert_eq!(namespace.entries(), left, "{list}: {said:#?}");
        assert_eq!(said.err.lines().count(), gone.len(), "{said:#?}");
    }
}

#[test]
fn uninstall_of_what_is_not_there_is_no_failure_but_of_what_is_unknown_is() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&[], &["--uninstall", "arm64"]).exits(0).says_only(&["arm64: nothing registered"]);
    namespace.tool(&[], &["--uninstall", "qemu-*"]).exits(0).says_only(&["qemu-*: nothing registered"]);
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    let said = namespace.tool(&[], &["--uninstall", "amr64,arm64"]).exits(1);
    said.says(&["amr64: neither an entry nor an architecture"]).says(&["qemu-aarch64: removed"]);
    assert!(namespace.entries().is_empty());
}

/// Handlers of other projects as their documentation has them: WSL, Wine, the kernel's page about Java, Apple's Rosetta,
/// FEX. With an interpreter that is there, since `F` opens it.
const HANDLERS: [&str; 7] = [
    ":WSLInterop:M::MZ::/bin/true:PF",
    ":DOSWin:M::MZ::/usr/bin/wine:",
    r":Java:M::\xca\xfe\xba\xbe::/usr/local/bin/javawrapper:",
    ":ExecutableJAR:E::jar::/usr/local/bin/jarwrapper:",
    r":rosetta:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00:\xff\xff\xff\xff\xff\xfe\xfe\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/bin/true:OCF",
    r":FEX-x86:M:0:\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x03\x00:\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff:/bin/true:POCF",
    r":FEX-x86_64:M:0:\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00:\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff:/bin/true:POCF",
];

#[test]
fn the_handlers_of_other_projects_survive_everything() {
    let Some(namespace) = Namespace::new() else { return };
    for rule in HANDLERS {
        let name = rule.split(':').nth(1).unwrap();
        // Those for this machine's own programs would take them all: they are disabled in the same breath.
        let disable = if rule.contains("ELF") { format!("echo 0 >{MOUNT}/{name}") } else { "true".into() };
        namespace.sh(&format!("printf '%s' '{rule}' >{MOUNT}/register; {disable}")).exits(0);
    }
    let theirs = |namespace: &Namespace| {
        let mut state = namespace.state();
        state.retain(|name, _| !name.starts_with("qemu-"));
        state
    };
    let before = theirs(&namespace);
    assert_eq!(before.len(), HANDLERS.len());
    let runs: [(&[&str], &[&str]); 9] = [
        (&[], &[]),
        (&["REPLACE=true", "VERIFY=true", "ARCHES=arm64,riscv64"], &[]),
        (&["REPLACE=true"], &[]),
        (&["MODE=execution", "REPLACE=true", "ARCHES=arm64"], &[]),
        (&[], &["--uninstall", "*", "--install", "all", "--status"]),
        (&[], &["--uninstall", "all"]),
        (&[], &["--uninstall", "x86_64,i386,amd64,386,arm64"]),
        (&[], &["--uninstall", "qemu-*"]),
        (&[], &["--uninstall", "*"]),
    ];
    for (variables, arguments) in runs {
        namespace.tool(variables, arguments);
        assert_eq!(theirs(&namespace), before, "{variables:?} {arguments:?}");
    }
    assert_eq!(namespace.state(), before);
}

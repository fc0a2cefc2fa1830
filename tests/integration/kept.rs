//! What "kept" means: the handler that is there is described as what it is, proven where that is asked for, and compared
//! with what was asked for.

use crate::common::host::{self, exchanged};
use crate::common::namespace::{MOUNT, Namespace, Scratch, architectures, has, interpreters, program};
use std::fs;

/// The magic and mask of programs for arm64.
const ARM64: &str = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";

const NAMED: &str = "ARCHES=arm64";

/// A namespace with an entry of this name and these flags, and the path of its interpreter, which works.
fn with_entry(name: &str, flags: &str) -> Option<(Namespace, String)> {
    let namespace = Namespace::new()?;
    let qemu = interpreters().join(&*exchanged("qemu-aarch64")).display().to_string();
    namespace.register(&format!(":{name}:M::{ARM64}:{qemu}:{flags}"));
    assert!(namespace.runs("arm64"));
    Some((namespace, qemu))
}

#[test]
fn a_handler_without_f_is_described_with_its_interpreter() {
    for name in ["qemu-aarch64", "rosetta"] {
        for (path, runs) in [("/mnt/emulator", true), ("/nonexistent/emulator", false)] {
            let Some(namespace) = Namespace::new() else { return };
            let qemu = interpreters().join(&*exchanged("qemu-aarch64"));
            namespace.sh(&format!("mount -t tmpfs tmpfs /mnt && cp {} /mnt/emulator", qemu.display())).exits(0);
            namespace.register(&format!(":{name}:M::{ARM64}:{path}:OC"));
            let before = namespace.state();
            let words = [&format!("aarch64: kept, entry {name} handles it where {path} exists"), "no flag F"];
            let said = namespace.tool(&[NAMED], &[]).exits(0).says_only(&[words[0], words[1], "REPLACE=true"]);
            assert!(!said.err.contains("flags ("), "{said:#?}");
            // In execution mode a new one would be no better.
            let said = namespace.tool(&[NAMED, "MODE=execution"], &[]).exits(0).says_only(&words);
            assert!(!said.err.contains("REPLACE"), "{said:#?}");
            assert_eq!(namespace.state(), before);
            assert_eq!(namespace.runs("arm64"), runs);
            // What the line says is so.
            namespace.tool(&[NAMED, "REPLACE=true"], &[]).exits(0);
            assert_eq!(namespace.entry("qemu-aarch64").unwrap().flags, "POCF");
            assert!(namespace.runs("arm64"));
        }
    }
}

#[test]
fn verify_executes_a_program_through_a_kept_handler() {
    let scratch = Scratch::new();
    let fails = scratch.copy(program("amd64"), "fails"); // busybox goes by its name
    let good = interpreters().join(&*exchanged("qemu-aarch64")).display().to_string();
    for (path, why) in [
        (good.as_str(), None),
        ("/nonexistent/emulator", Some("ENOENT")),
        (fails.to_str().unwrap(), Some("it was started, and failed")),
    ] {
        for (name, flags) in [("qemu-aarch64", "OC"), ("rosetta", ""), ("qemu-aarch64", "F")] {
            if flags == "F" && why == Some("ENOENT") {
                continue; // the kernel does not take it
            }
            let Some(namespace) = Namespace::new() else { return };
            namespace.register(&format!(":{name}:M::{ARM64}:{path}:{flags}"));
            let before = namespace.state();
            let run = |variables: &[&str]| namespace.tool(&[variables, &[NAMED]].concat(), &[]);
            run(&[]).exits(0).says_only(&["aarch64: kept", &format!("entry {name} handles it")]);
            let said = run(&["VERIFY=true"]);
            match why {
                None => said.exits(0).says_only(&["aarch64: kept", &format!("entry {name} handles it")]),
                Some(why) => said.exits(1).says_only(&["aarch64: kept, but", name, why, "REPLACE=true"]),
            };
            assert_eq!(namespace.state(), before, "{name} {path}");
            // Whether it was named or not.
            let said = namespace.tool(&["VERIFY=true"], &[]).exits(why.is_some().into());
            said.says(&["aarch64: kept"]).says(&["riscv64: registered"]);
            run(&["VERIFY=true", "REPLACE=true"]).exits(0);
            assert!(namespace.runs("arm64"));
        }
    }
}

#[test]
fn a_disabled_entry_or_file_system_fails_an_architecture_that_was_named() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&[NAMED], &[]).exits(0);
    let before = namespace.state();
    let set = |file: &str, to: &str| drop(namespace.sh(&format!("echo {to} >{MOUNT}/{file}")).exits(0));
    set("qemu-aarch64", "0");
    let words = ["aarch64: kept", "qemu-aarch64", "disabled", "REPLACE=true"];
    namespace.tool(&[NAMED], &[]).exits(1).says_only(&words);
    namespace.tool(&["VERIFY=true", NAMED], &[]).exits(1).says_only(&words);
    namespace.tool(&[], &["--install", "arm64"]).exits(1).says_only(&words);
    set("qemu-aarch64", "1");
    set("status", "0");
    for arguments in [&[] as &[&str], &["--install", "arm64"]] {
        let said = namespace.tool(&[NAMED], arguments).exits(1).says(&["aarch64: kept"]);
        said.says(&["binfmt_misc", "disabled as a whole", &format!("{MOUNT}/status")]);
    }
    assert!(!namespace.runs("arm64"));
    set("status", "1");
    namespace.tool(&["VERIFY=true", NAMED], &[]).exits(0).says_only(&["aarch64: kept"]);
    assert_eq!(namespace.state(), before);
}

/// To know that all is there takes no process, in which most of the time would go; a proof takes one each.
#[test]
fn a_run_that_keeps_all_makes_no_process() {
    if !has("strace") || host::cannot("a_run_that_keeps_all_makes_no_process", "QEMU itself makes some") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&[], &[]).exits(0);
    let scratch = Scratch::new();
    let processes = |variables: &[&str]| {
        let trace = scratch.0.join("trace");
        let strace = ["strace", "-f", "-e", "trace=clone,clone3,fork,vfork", "-o", trace.to_str().unwrap()];
        let said = namespace.under(&strace, variables, &[]).exits(0);
        assert!(said.err.lines().filter(|line| line.contains(": kept")).count() + 1 >= architectures().len());
        fs::read_to_string(trace).unwrap().matches(" clone(").count()
    };
    assert_eq!(processes(&[]), 0);
    assert_eq!(processes(&["VERIFY=true"]), namespace.entries().len());
}

/// What is there, what was asked for, and whether that is the same.
const ASKED: [(&str, &str, bool); 18] = [
    ("OC", "MODE=registration", false),
    ("POCF", "MODE=registration", true),
    ("OC", "MODE=", true),
    ("POCF", "MODE=execution", true),
    ("POC", "MODE=execution", true),
    ("POCF", "CREDENTIALS=false", false),
    ("POF", "CREDENTIALS=false", true),
    ("POF", "CREDENTIALS=true", false),
    ("POCF", "CREDENTIALS=true", true),
    ("POF", "CREDENTIALS=", true),
    ("OCF", "QEMU_PRESERVE_ARGV0=1", false),
    ("OCF", "QEMU_PRESERVE_ARGV0=true", false),
    ("POCF", "QEMU_PRESERVE_ARGV0=1", true),
    ("POCF", "QEMU_PRESERVE_ARGV0=0", false),
    ("POCF", "QEMU_PRESERVE_ARGV0=false", false),
    ("OCF", "QEMU_PRESERVE_ARGV0=0", true),
    ("OCF", "QEMU_PRESERVE_ARGV0=", true),
    ("O", "QEMU_PRESERVE_ARGV0=", true),
];

#[test]
fn flags_that_were_asked_for_are_compared_with_those_that_are_there() {
    for (there, asked, is_same) in ASKED {
        for name in ["qemu-aarch64", "rosetta"] {
            let Some((namespace, _)) = with_entry(name, there) else { return };
            let before = namespace.state();
            let said = namespace.tool(&[NAMED, asked], &[]);
            if is_same {
                said.exits(0).says_only(&["aarch64: kept", &format!("entry {name} handles it")]);
                continue;
            }
            said.exits(1).says_only(&["aarch64: kept, but", name, &format!("({there})"), "REPLACE=true"]);
            // Whether it was named or not.
            namespace.tool(&[asked], &[]).exits(1).says(&["aarch64: kept, but"]).says(&["riscv64: registered"]);
            assert_eq!(namespace.state()[name], before[name], "{there} {asked}");
            // What the line says is so.
            namespace.tool(&[NAMED, asked, "REPLACE=true"], &[]).exits(0);
            namespace.tool(&[NAMED, asked], &[]).exits(0);
            assert!(namespace.runs("arm64"), "{there} {asked}");
        }
    }
}

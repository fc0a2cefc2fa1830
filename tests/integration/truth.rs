//! What is said is so: an error is never taken for an absence, and what was not seen is not written over.

use crate::common::host;
use crate::common::namespace::{Namespace, Scratch, has};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The magic and mask of programs for arm64.
const ARM64: &str = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";

/// With so few descriptors that something cannot be opened, a run either does all of its job or fails, and then it does
/// not register before a handler that it could not see.
#[test]
fn with_few_descriptors_nothing_counts_as_absent() {
    if host::cannot("with_few_descriptors_nothing_counts_as_absent", "QEMU itself needs descriptors") {
        return;
    }
    let mut failed: BTreeMap<&str, u32> = BTreeMap::new();
    for limit in 3..=12 {
        for (job, arguments, words) in [
            ("register", &[][..], "aarch64: kept, entry rosetta handles it"),
            ("uninstall", &["--uninstall", "*"], "qemu-riscv64: removed"),
            ("status", &["--status"], ""),
        ] {
            let Some(namespace) = Namespace::new() else { return };
            namespace.register(&format!(":rosetta:M::{ARM64}:/bin/echo:"));
            namespace.tool(&["ARCHES=riscv64"], &[]).exits(0);
            let before = namespace.state();
            let free = namespace.tool(&[], &["--status"]).exits(0).out;
            let descriptors = format!("--nofile={limit}:{limit}");
            let variables = &["ARCHES=arm64,s390x"];
            let said = namespace.under(&["prlimit", &descriptors, "--"], variables, arguments);
            let state = namespace.state();
            assert_eq!(state["rosetta"], before["rosetta"], "{job}, {limit} descriptors: {said:#?}");
            assert!(!state.contains_key("qemu-aarch64"), "{job}, {limit} descriptors: {said:#?}");
            if said.status == 0 {
                assert!(said.err.contains(words), "{job}, {limit} descriptors: {said:#?}");
                assert!(job != "register" || state.contains_key("qemu-s390x"), "{limit} descriptors: {said:#?}");
                assert!(job != "uninstall" || !state.contains_key("qemu-riscv64"), "{limit} descriptors: {said:#?}");
                assert!(job != "status" || said.out == free, "{limit} descriptors: {said:#?}");
            } else {
                assert!(said.status == 127 || said.err.contains("EMFILE"), "{job}, {limit} descriptors: {said:#?}");
                *failed.entry(job).or_default() += 1;
            }
        }
    }
    assert!(failed.len() == 3 && failed.values().all(|count| *count < 10), "nothing is shown: {failed:?}");
}

#[test]
fn entries_with_odd_names_are_seen() {
    for name in ["register status", ".. register", "register.", "status status", "...", "..register"] {
        let Some(namespace) = Namespace::new() else { return };
        namespace.register(&format!(":{name}:M::{ARM64}:/bin/echo:"));
        let said = namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
        said.says(&[&format!("aarch64: kept, entry {name} handles it")]);
        assert_eq!(namespace.entries(), [name]);
        let said = namespace.tool(&[], &["--status"]).exits(0);
        assert!(said.out.contains(&format!("\"{name}\"")), "{said:#?}");
    }
}

#[test]
fn what_only_looks_like_an_architecture_is_none() {
    let Some(namespace) = Namespace::new() else { return };
    for name in ["ppc6", "riscv641", "arm64/v", "arm64/v0", "arm64/v12", "amd64v2", "linux/", "linux"] {
        namespace.tool(&[&format!("ARCHES={name}")], &[]).exits(2).says_only(&["ARCHES", &format!("'{name}'")]);
        namespace.tool(&[], &["--install", name]).exits(1).says_only(&[name, "unknown architecture"]);
    }
    namespace.tool(&["REPLACE=true false", "ARCHES=arm64"], &[]).exits(2).says_only(&["REPLACE", "'true false'"]);
    assert!(namespace.entries().is_empty());
    namespace.tool(&["ARCHES=arm/v7,arm64/v8"], &["--print"]).exits(0);
}

#[test]
fn a_very_long_path_takes_no_time() {
    let Some(namespace) = Namespace::new() else { return };
    let path = format!("QEMU_BINARY_PATH=/{}", "x/".repeat(65_000));
    let mut command = namespace.tool_command(&[], &[&path, "ARCHES=all", "MODE=execution"], &[]);
    let start = Instant::now();
    let output = command.output().unwrap();
    let limit = Duration::from_secs(if host::other().is_some() { 10 } else { 1 });
    assert!(start.elapsed() < limit, "{:?}", start.elapsed());
    assert_eq!(output.status.code(), Some(1));
    let lines = String::from_utf8(output.stderr).unwrap();
    assert!(lines.lines().filter(|line| line.contains(": not registered: /x/x/")).count() > 30);
    assert!(namespace.entries().is_empty());
}

/// A parent that ignores SIGCHLD, which its children inherit, has their own children reaped before they can wait for
/// them.
#[test]
fn an_ignored_sigchld_changes_nothing() {
    let Some(namespace) = Namespace::new() else { return };
    let ignoring = |script: &str| namespace.sh(&format!("trap '' CHLD; ARCHES=arm64,riscv64; export ARCHES; {script}"));
    ignoring("VERIFY=true exec $TOOL").exits(0).says(&["aarch64: registered"]).says(&["riscv64: registered"]);
    ignoring("REPLACE=true VERIFY=true exec $TOOL").exits(0).says(&["aarch64: replaced"]);
    assert!(namespace.runs("arm64") && namespace.runs("riscv64"));
    let free = namespace.tool(&[], &["--status"]).exits(0).out;
    assert_eq!(ignoring("exec $TOOL --status").exits(0).out, free);
    assert!(free.contains("arm64"), "{free}");
    // A program that takes the place of the tool has it as it was.
    let look = "grep SigIgn /proc/self/status";
    let said = ignoring(&format!("{look}; exec $TOOL --print -- {look} 2>/dev/null")).exits(0);
    let masks: Vec<_> = said.out.lines().filter(|line| line.starts_with("SigIgn")).collect();
    assert!(masks.len() == 2 && masks[0] == masks[1], "{said:#?}");
}

/// Neither a closed standard error nor a limit of the size of files ends a run half-way.
#[test]
fn what_cannot_be_said_does_not_stop_a_registration() {
    let Some(namespace) = Namespace::new() else { return };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut tool = namespace.tool_command(&[], &["ARCHES=arm64,riscv64"], &[]);
    let status = tool.stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(namespace.runs("arm64") && namespace.runs("riscv64"));
    namespace.tool(&[], &["--uninstall", "*"]).exits(0);
    if host::cannot("what_cannot_be_said_does_not_stop_a_registration", "QEMU itself needs files larger than the limit")
    {
        return;
    }
    let scratch = Scratch::new();
    let script = format!("ARCHES=arm64,riscv64 exec prlimit --fsize=0 -- $TOOL 2>{}/said", scratch.path());
    namespace.sh(&script).exits(0);
    assert!(namespace.runs("arm64") && namespace.runs("riscv64"));
    // Standard output is what was asked for.
    let script = format!("exec prlimit --fsize=0 -- $TOOL --status >{}/said", scratch.path());
    namespace.sh(&script).exits(1).says(&["standard output"]);
}

/// A program that could not be written to be executed proves nothing, and is no reason to end half-way.
#[test]
fn a_probe_that_cannot_be_written_is_an_error() {
    let Some(namespace) = Namespace::new() else { return };
    if host::cannot("a_probe_that_cannot_be_written_is_an_error", "QEMU itself needs files larger than the limit") {
        return;
    }
    let limit = ["prlimit", "--fsize=100", "--"];
    let said = namespace.under(&limit, &["VERIFY=true", "ARCHES=arm64,riscv64"], &[]).exits(1);
    said.says(&["aarch64: taken back", "EFBIG"]).says(&["riscv64: taken back", "EFBIG"]);
    assert!(namespace.entries().is_empty());
    namespace.under(&limit, &[], &["--status"]).exits(1).says(&["cannot tell whether this machine runs it", "EFBIG"]);
}

/// That there is no file to ask the kernel with is not the kernel's answer.
#[test]
fn an_error_is_not_taken_for_the_kernels_answer_about_i386() {
    let test = "an_error_is_not_taken_for_the_kernels_answer_about_i386";
    if host::cannot(test, "its family is another one") || !has("strace") {
        return;
    }
    for error in ["EIO", "ENOEXEC", "ENOENT", "EMFILE"] {
        let Some(namespace) = Namespace::new() else { return };
        let inject = format!("inject=memfd_create,fsmount:error={error}");
        let strace = ["strace", "-f", "-o", "/dev/null", "-e", &inject];
        let said = namespace.under(&strace, &["ARCHES=386"], &[]).exits(1);
        said.says_only(&["i386: not registered", "cannot tell whether this machine runs it", error]);
        assert!(namespace.entries().is_empty());
    }
}

/// `--hold` removes what it registered, and nothing else, also when it cannot list the entries for a moment.
#[test]
fn a_holder_that_cannot_list_the_entries_removes_nothing_of_others() {
    if !has("strace") {
        return;
    }
    for nth in 1..=5 {
        let Some(namespace) = Namespace::new() else { return };
        namespace.tool(&["ARCHES=riscv64"], &[]).exits(0);
        let inject = format!("inject=getdents64:error=EIO:when={nth}");
        let strace = ["timeout", "--preserve-status", "2", "strace", "-o", "/dev/null", "-e", &inject];
        let said = namespace.under(&strace, &["ARCHES=arm64,riscv64"], &["--hold"]);
        assert!(said.status != 0 || said.err.contains("aarch64: removed"), "at {nth}: {said:#?}");
        assert!(namespace.runs("riscv64"), "at {nth}: {said:#?}");
    }
}

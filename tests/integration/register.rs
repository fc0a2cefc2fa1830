//! Registering, in a binfmt_misc of the test's own: what is made, what it executes, what is kept.

use crate::common::host::{self, binary};
use crate::common::namespace::{Namespace, Said, Scratch, architectures, has, i386_is_native, interpreters, program};
use std::fs;
use std::os::unix::fs::symlink;

/// The entries that registering all makes.
fn all() -> Vec<String> {
    let native = i386_is_native();
    let names = architectures().into_iter().filter(|name| !(native && name == "i386"));
    let mut all: Vec<_> = names.map(|name| format!("qemu-{name}")).collect();
    all.sort();
    all
}

/// Whether that is the host's own, for which nothing is registered.
fn own(arch: &str) -> bool {
    (arch, host::name()) == ("armhf", "arm")
}

#[test]
fn all_architectures_are_registered_and_real_programs_run() {
    let Some(namespace) = Namespace::new() else { return };
    let said = namespace.tool(&[], &[]).exits(0);
    assert_eq!(said.out, "", "standard output is for data");
    assert_eq!(namespace.entries(), all());
    for name in architectures() {
        let path = interpreters().join(format!("qemu-{name}")).display().to_string();
        let own: Vec<_> = said.err.lines().filter(|line| line.starts_with(&format!("{name}: "))).collect();
        let registered = format!("{name}: registered {path} (POCF)");
        match namespace.entry(&format!("qemu-{name}")) {
            Some(entry) => {
                assert_eq!(own, [registered]);
                assert!(entry.enabled && entry.interpreter == path && entry.flags == "POCF", "{name}: {entry:?}");
            }
            None => assert_eq!(own, ["i386: native, this machine runs it"]),
        }
    }
    for arch in ["arm64", "armhf", "riscv64", "s390x"] {
        assert!(namespace.runs(arch) || own(arch), "{arch}");
    }
    for (arch, machine) in [("arm64", "aarch64"), ("riscv64", "riscv64"), ("s390x", "s390x")] {
        assert_eq!(Said::of(namespace.command(program(arch)).args(["uname", "-m"])).out, format!("{machine}\n"));
    }
}

#[test]
fn a_second_run_keeps_all() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&[], &[]).exits(0);
    let before = namespace.state();
    let said = namespace.tool(&[], &[]).exits(0);
    assert_eq!(namespace.state(), before);
    for name in all() {
        let arch = name.strip_prefix("qemu-").unwrap();
        assert!(said.err.contains(&format!("{arch}: kept, entry {name} handles it\n")), "{said:#?}");
    }
}

#[test]
fn argv0_is_passed_on() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    symlink(program("arm64"), scratch.0.join("ash")).unwrap();
    // Found by PATH it is a bare name; without the flag `P` the kernel makes it a path.
    let script = format!("PATH={}:$PATH; exec ash -c 'echo $0'", scratch.path());
    namespace.tool(&["ARCHES=arm64", "QEMU_PRESERVE_ARGV0=0"], &[]).exits(0);
    assert_eq!(namespace.sh(&script).out, format!("{}/ash\n", scratch.path()));
    namespace.tool(&["ARCHES=arm64", "REPLACE=true"], &[]).exits(0);
    assert_eq!(namespace.sh(&script).out, "ash\n");
}

#[test]
fn flags_follow_the_variables() {
    let Some(namespace) = Namespace::new() else { return };
    for (variables, flags) in [
        (&[] as &[&str], "POCF"),
        (&["CREDENTIALS=true"], "POCF"),
        (&["CREDENTIALS=false"], "POF"),
        (&["QEMU_PRESERVE_ARGV0=0"], "OCF"),
        (&["QEMU_PRESERVE_ARGV0=false"], "OCF"),
        (&["QEMU_PRESERVE_ARGV0=1"], "POCF"),
        (&["QEMU_PRESERVE_ARGV0=true"], "POCF"),
        (&["MODE=execution"], "POC"),
        (&["MODE=execution", "CREDENTIALS=false", "QEMU_PRESERVE_ARGV0=0"], "O"),
    ] {
        let variables = [variables, &["ARCHES=arm64", "REPLACE=true"]].concat();
        namespace.tool(&variables, &[]).exits(0).says(&["aarch64: ", &format!("({flags})")]);
        assert_eq!(namespace.entry("qemu-aarch64").unwrap().flags, flags, "{variables:?}");
        assert!(namespace.runs("arm64"), "{variables:?}");
    }
}

#[test]
fn the_interpreters_are_found_by_directory_prefix_and_either_name() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let there = interpreters();
    let path = |name: &str| scratch.0.join(name).display().to_string();
    scratch.copy(there.join("qemu-aarch64"), "qemu-aarch64");
    scratch.copy(there.join("qemu-riscv64"), "qemu-riscv64");
    scratch.copy(there.join("qemu-riscv64"), "qemu-riscv64-static");
    scratch.copy(there.join("qemu-s390x"), "my-qemu-s390x-static");
    scratch.copy(there.join("qemu-arm"), "my-qemu-arm");
    let directory = scratch.variable();
    namespace.tool(&[&directory], &[]).exits(0);
    assert_eq!(namespace.entries(), ["qemu-aarch64", "qemu-riscv64"]);
    assert_eq!(namespace.entry("qemu-aarch64").unwrap().interpreter, path("qemu-aarch64"));
    assert_eq!(namespace.entry("qemu-riscv64").unwrap().interpreter, path("qemu-riscv64-static"));
    namespace.tool(&[&directory, "QEMU_BINARY_PREFIX=my-"], &[]).exits(0);
    assert!(namespace.entries().contains(&"qemu-s390x".to_string()) && namespace.entries().len() >= 3);
    assert_eq!(namespace.entry("qemu-s390x").unwrap().interpreter, path("my-qemu-s390x-static"));
    assert!(own("armhf") || namespace.entry("qemu-arm").unwrap().interpreter == path("my-qemu-arm"));
    for arch in ["arm64", "armhf", "riscv64", "s390x"] {
        assert!(namespace.runs(arch) || own(arch), "{arch}");
    }
}

#[test]
fn architectures_go_by_every_name_they_have() {
    for (list, expected) in [
        ("aarch64", &["qemu-aarch64"] as &[&str]),
        ("arm64", &["qemu-aarch64"]),
        ("linux/arm64", &["qemu-aarch64"]),
        ("linux/arm64/v8", &["qemu-aarch64"]),
        ("linux/arm/v7", &["qemu-arm"]),
        ("arm/v6", &["qemu-arm"]),
        ("linux/arm/v5,arm,armhf", &["qemu-arm"]),
        ("riscv64,s390x", &["qemu-riscv64", "qemu-s390x"]),
        ("riscv64 s390x", &["qemu-riscv64", "qemu-s390x"]),
        (" riscv64 ,\n s390x,", &["qemu-riscv64", "qemu-s390x"]),
        ("ppc64le,linux/loong64,mips64le", &["qemu-loongarch64", "qemu-mips64el", "qemu-ppc64le"]),
    ] {
        for by_option in [false, true] {
            let Some(namespace) = Namespace::new() else { return };
            let variable = format!("ARCHES={list}");
            let said = match by_option {
                true => namespace.tool(&[], &["--install", list]),
                false => namespace.tool(&[&variable], &[]),
            };
            said.exits(0);
            let own = format!("qemu-{}", host::own().0);
            let expected: Vec<_> = expected.iter().filter(|name| **name != own).collect();
            assert_eq!(namespace.entries().iter().collect::<Vec<_>>(), expected, "{list:?}, by --install: {by_option}");
        }
    }
}

#[test]
fn all_means_all() {
    for (variables, arguments) in [
        (&["ARCHES=all"] as &[&str], &[] as &[&str]),
        (&["ARCHES=arm64,all"], &[]),
        (&[], &["--install", "all"]),
        (&["ARCHES=arm64"], &["--install=all"]),
    ] {
        let Some(namespace) = Namespace::new() else { return };
        namespace.tool(variables, arguments).exits(0);
        assert_eq!(namespace.entries(), all());
    }
}

#[test]
fn the_own_architecture_is_native() {
    let Some(namespace) = Namespace::new() else { return };
    let (own, platform) = host::own();
    for name in [&*platform, &own, &format!("linux/{platform}")] {
        for replace in ["REPLACE=", "REPLACE=true"] {
            namespace.tool(&[&format!("ARCHES={name}"), replace], &[]).exits(0).says_only(&[&format!("{own}: native")]);
        }
    }
    assert!(namespace.entries().is_empty());
}

#[test]
fn verified_handlers_stay() {
    let Some(namespace) = Namespace::new() else { return };
    let said = namespace.tool(&["VERIFY=true"], &[]).exits(0);
    assert_eq!(namespace.entries(), all(), "{said:#?}");
    namespace.tool(&["VERIFY=true", "REPLACE=true"], &[]).exits(0);
    assert_eq!(namespace.entries(), all());
}

/// Tomoyo wants a path of what is executed, and finds none where there is no /dev/fd: the probe then gets a name.
#[test]
fn programs_are_proven_by_name_where_a_descriptor_will_not_do() {
    if !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let wrapper = ["strace", "-f", "-o", "/dev/null", "-e", "inject=execveat:error=ENOENT:when=1"];
    namespace.under(&wrapper, &["VERIFY=true", "ARCHES=arm64"], &[]).exits(0);
    assert_eq!(namespace.entries(), ["qemu-aarch64"]);
}

/// What registering all costs, by strace: `write`s to `register`, and all calls but those and the ones per interpreter.
#[test]
fn the_budget_of_system_calls_is_kept() {
    if !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    if host::cannot("the_budget_of_system_calls_is_kept", "QEMU's own calls are among them; the budget is x86_64's") {
        return;
    }
    let scratch = Scratch::new();
    let trace = scratch.0.join("trace");
    let wrapper = ["strace", "-f", "-y", "-o", trace.to_str().unwrap()];
    namespace.under(&wrapper, &[], &[]).exits(0);
    let trace = fs::read_to_string(trace).unwrap();
    // Each line is `PID call(arguments) = result`; the others tell of signals and exits.
    let calls: Vec<_> = trace.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim_start())).collect();
    let calls: Vec<_> = calls.into_iter().filter(|call| !call.starts_with(['-', '+', '<'])).collect();
    let rule = |call: &&str| call.starts_with("write(") && call.contains("register>");
    // By the path it has, or by the descriptor, of which strace shows the path without links.
    let places = [interpreters(), interpreters().canonicalize().unwrap()].map(|place| format!("{}/", place.display()));
    // To look for one is a call on an interpreter, too: `openat(DIRECTORY, "qemu-…`.
    let looked_for = |call: &str| call.starts_with("openat(") && call.contains(">, \"qemu-");
    let interpreter =
        |call: &&str| (looked_for(call) || places.iter().any(|place| call.contains(place))) && !rule(call);
    let rules = calls.iter().filter(|call| rule(call)).count();
    assert_eq!(rules, all().len(), "one write for each");
    let rest: Vec<_> = calls.iter().filter(|call| !rule(call) && !interpreter(call)).collect();
    assert!(rest.iter().any(|call| call.contains(binary())), "not read as it should: {trace}");
    assert!(rest.len() <= 60, "{} calls: {rest:#?}", rest.len());
}

//! What it prints: the status as JSON, the rules as binfmt.d has them, help and version. None of these changes
//! anything.

use crate::common::host::{self, binary, exchanged};
use crate::common::namespace::{MOUNT, Namespace, Said, Scratch, architectures, clean, has, interpreters, runs_i386};
use crate::common::targets::{Row, rows};
use crate::common::{TOP, scratch};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// Reads the JSON strictly: the platforms and the emulators.
#[track_caller]
pub fn read(said: &Said) -> (Vec<String>, Vec<String>) {
    let value: BTreeMap<String, Value> =
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}; {said:#?}"));
    assert_eq!(value.keys().collect::<Vec<_>>(), ["emulators", "supported"]);
    let list = |name| {
        let strings = value[name].as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_string());
        strings.collect::<Vec<_>>()
    };
    (list("supported"), list("emulators"))
}

/// The platforms of the host's own: the levels of amd64 by the flags in /proc/cpuinfo.
pub fn own() -> Vec<String> {
    let (_, platform) = host::own();
    match &*platform {
        "amd64" => {}
        "arm/v7" => return vec!["linux/arm/v7".into(), "linux/arm/v6".into()],
        _ => return vec![format!("linux/{platform}")],
    }
    let info = fs::read_to_string("/proc/cpuinfo").unwrap();
    let flags = info.lines().find(|line| line.starts_with("flags")).unwrap();
    let has = |names: &str| names.split(' ').all(|name| flags.split_whitespace().any(|flag| flag == name));
    let levels = [
        ("linux/amd64/v2", "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3"),
        ("linux/amd64/v3", "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"),
        ("linux/amd64/v4", "avx512f avx512bw avx512cd avx512dq avx512vl"),
    ];
    let levels = levels.into_iter().take_while(|(_, names)| has(names)).map(|(name, _)| name.to_string());
    ["linux/amd64".to_string()].into_iter().chain(levels).collect()
}

/// All, in the order of `tonistiigi/binfmt`.
const ORDER: &str = "amd64 arm64 riscv64 ppc64 ppc64le s390x 386 mips64le mips64 loong64 arm/v7 arm/v6";

/// Those and the others, in that order. An emulated host has the CPU of this machine beside its own.
fn platforms(others: &[&str]) -> Vec<String> {
    let others = [others, if host::other().is_some() { &["amd64"] } else { &[] }].concat();
    let order = ORDER.split(' ').map(exchanged);
    let own = own();
    let others = order.filter(|name| others.contains(&&**name)).map(|name| format!("linux/{name}"));
    let others = others.filter(|name| !own.contains(name));
    own.iter().cloned().chain(others).collect()
}

#[test]
fn status_tells_what_runs_before_and_after() {
    let Some(namespace) = Namespace::new() else { return };
    let native: &[&str] = if runs_i386() { &["386"] } else { &[] };
    let (supported, emulators) = read(&namespace.tool(&[], &["--status"]).exits(0));
    assert_eq!((supported, emulators), (platforms(native), vec![]));
    namespace.tool(&["ARCHES=riscv64,arm64"], &[]).exits(0);
    let (supported, mut emulators) = read(&namespace.tool(&[], &["--status"]).exits(0));
    assert_eq!(supported, platforms(&[&["arm64", "riscv64"], native].concat()));
    emulators.sort();
    assert_eq!(emulators, ["qemu-aarch64", "qemu-riscv64"]);
    namespace.tool(&[], &[]).exits(0);
    let before = namespace.state();
    let (supported, mut emulators) = read(&namespace.tool(&[], &["--status"]).exits(0));
    let all: Vec<_> = ORDER.split(' ').filter(|name| *name != "amd64").collect();
    assert_eq!(supported, platforms(&all));
    emulators.sort();
    assert_eq!(emulators, namespace.entries());
    assert_eq!(namespace.state(), before);
    namespace.tool(&[], &["--uninstall", "*"]).exits(0);
    assert_eq!(read(&namespace.tool(&[], &["--status"]).exits(0)), (platforms(native), vec![]));
}

#[test]
fn status_tells_of_disabled_and_foreign_entries_what_they_do() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=riscv64,arm64"], &[]).exits(0);
    namespace.sh(&format!("echo 0 >{MOUNT}/qemu-aarch64")).exits(0);
    // The name of an entry may be what JSON has to escape.
    namespace.register(":a \"b\" \\c\u{e9}:E::gone::/nonexistent:");
    let (supported, emulators) = read(&namespace.tool(&[], &["--status"]).exits(0));
    assert!(supported.contains(&"linux/riscv64".into()) && !supported.contains(&"linux/arm64".into()), "{supported:?}");
    assert!(emulators.contains(&"qemu-riscv64".into()) && !emulators.contains(&"qemu-aarch64".into()), "{emulators:?}");
    assert!(emulators.iter().any(|name| name.starts_with("a \"b\" \\c")), "{emulators:?}");
}

#[test]
fn a_handler_that_does_not_work_is_not_supported_and_prints_nothing_between() {
    let Some(namespace) = Namespace::new() else { return };
    // As many do, this one says something on standard output, and succeeds or not.
    for (exit, runs) in [(0, true), (1, false), (64, false), (77, false), (200, false), (255, false)] {
        let scratch = Scratch::new();
        let path = scratch.executable("noisy", format!("#!/bin/sh\necho noise\nexit {exit}\n"));
        let magic = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00";
        namespace.register(&format!(":noisy:M::{magic}::{}:", path.display()));
        let said = namespace.tool(&[], &["--status"]).exits(0);
        let (supported, emulators) = read(&said);
        assert_eq!(supported.contains(&"linux/arm64".into()), runs, "exit status {exit}");
        assert_eq!(emulators, ["noisy"]);
        namespace.tool(&[], &["--uninstall", "noisy"]).exits(0);
    }
}

#[test]
fn status_needs_no_rights() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&[], &[]).exits(0);
    let (with, _) = read(&namespace.tool(&[], &["--status"]).exits(0));
    let bounded = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    let said = namespace.under(&bounded, &[], &["--status"]).exits(0);
    let (without, mut emulators) = read(&said);
    emulators.sort();
    assert_eq!((without, emulators), (with, namespace.entries()));
    // Nor a user namespace. Where no binfmt_misc is mounted an ordinary user cannot list the entries, and is told so;
    // what runs is told all the same. The place is one that such a user can reach, unlike perhaps this checkout.
    if !host::is_for_everybody() {
        host::cannot("status_needs_no_rights", "an ordinary user has no access to the directory QEMU is in");
        return;
    }
    let root = Said::of(Command::new("id").arg("-u")).out == "0\n";
    let drop = if root { "setpriv --reuid=65534 --regid=65534 --clear-groups" } else { "" };
    let mut command = Command::new("sh");
    clean(&mut command);
    let script = format!("exec 9<{}; exec {drop} /proc/self/fd/9 --status --mount /", binary());
    let said = Said::of(command.args(["-c", &script]));
    let (supported, emulators) = read(&said);
    assert!(supported.starts_with(&own()) && emulators.is_empty());
    if said.status != 0 {
        said.exits(1).says(&["binfmt_misc", "EPERM"]);
    }
}

#[test]
fn status_where_no_binfmt_misc_is_mounted() {
    let Some(namespace) = Namespace::bare() else { return };
    let (supported, emulators) = read(&namespace.tool(&[], &["--status"]).exits(0));
    assert!(supported.starts_with(&own()) && emulators.is_empty(), "{supported:?} {emulators:?}");
    // To look must not make one: it would hide what the parent has registered.
    let mounts = namespace.sh(&format!("grep {MOUNT} /proc/self/mountinfo | tail -n 1")).out;
    assert!(mounts.contains(" - tmpfs "), "{mounts}");
}

#[test]
fn install_and_uninstall_with_status_print_the_status_after_it() {
    let Some(namespace) = Namespace::new() else { return };
    let (_, emulators) = read(&namespace.tool(&[], &["--install", "arm64", "--status"]).exits(0));
    assert_eq!(emulators, ["qemu-aarch64"]);
    let said = namespace.tool(&[], &["--uninstall", "arm64", "--install", "riscv64", "--status"]).exits(0);
    assert_eq!(read(&said).1, ["qemu-riscv64"]);
}

#[test]
fn under_the_name_binfmt_it_prints_the_status() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let link = scratch.0.join("binfmt");
    symlink(binary(), &link).unwrap();
    let (supported, _) = read(&Said::of(&mut namespace.command(&link)).exits(0));
    assert!(supported.starts_with(&own()));
    assert!(namespace.entries().is_empty(), "it does not register");
    // With options it does what they say, with one dash as well, as docker/setup-qemu-action has them.
    let mut command = namespace.command(&link);
    command.args(["-install", &exchanged("arm64")]).env("QEMU_BINARY_PATH", interpreters());
    let (_, emulators) = read(&Said::of(&mut command).exits(0));
    assert_eq!(emulators, ["qemu-aarch64"], "and prints the status of afterwards, as that tool does");
    assert_eq!(namespace.entries(), ["qemu-aarch64"]);
    let (_, emulators) = read(&Said::of(namespace.command(&link).args(["--uninstall", "qemu-*"])).exits(0));
    assert!(emulators.is_empty() && namespace.entries().is_empty());
    for (option, start) in [("--print", ":qemu-"), ("--version", "binfmt/"), ("--help", "usage: ")] {
        let said = Said::of(namespace.command(&link).arg(option).env("QEMU_BINARY_PATH", interpreters())).exits(0);
        assert!(said.out.starts_with(start) && !said.out.contains("supported"), "{option}: {said:#?}");
    }
    // A name that only ends so is another.
    let link = scratch.0.join("not-binfmt");
    symlink(binary(), &link).unwrap();
    let said = Said::of(namespace.command(&link).env("QEMU_BINARY_PATH", interpreters())).exits(0);
    assert_eq!(said.out, "");
}

#[test]
fn print_is_what_would_be_registered() {
    for variables in [
        &[] as &[&str],
        &["ARCHES=arm64,s390x"],
        &["MODE=execution", "CREDENTIALS=false"],
        &["MODE=execution", "QEMU_BINARY_PATH=/nonexistent", "QEMU_PRESERVE_ARGV0=0"],
    ] {
        let Some(namespace) = Namespace::new() else { return };
        let said = namespace.tool(variables, &["--print"]).exits(0);
        // With the rule for x86_64 that another host has, nothing of this machine's would run in the namespace.
        if said.out.contains(":qemu-x86_64:") {
            assert!(host::other().is_some());
            continue;
        }
        assert!(namespace.entries().is_empty(), "it changes nothing");
        for line in said.out.lines() {
            namespace.register(line);
        }
        let printed = namespace.state();
        let Some(namespace) = Namespace::new() else { return };
        namespace.tool(variables, &[]).exits(0);
        assert_eq!(namespace.state(), printed, "{variables:?}");
        // What is registered already is printed all the same, and stays.
        let again = namespace.tool(variables, &["--print"]).exits(0);
        assert_eq!(again.out, said.out, "{variables:?}");
        assert_eq!(namespace.state(), printed);
    }
}

/// The format of binfmt.d(5): one line a rule, which is what the kernel takes, at most 1920 bytes.
#[test]
fn print_is_in_the_format_of_binfmt_d() {
    let Some(namespace) = Namespace::new() else { return };
    let said = namespace.tool(&[], &["--print"]).exits(0);
    assert!(said.out.lines().count() + 1 >= architectures().len());
    for line in said.out.lines() {
        assert!(line.is_ascii() && line.len() < 1920, "{line}");
        let fields: Vec<_> = line.split(':').collect();
        let [_, name, kind, offset, magic, mask, interpreter, flags] = fields[..] else { panic!("{line}") };
        assert!(name.starts_with("qemu-") && kind == "M" && offset.is_empty() && flags == "POCF", "{line}");
        assert!(magic.starts_with(r"\x7f") && mask.starts_with(r"\xff\xff\xff\xff"), "{line}");
        assert_eq!(interpreter, interpreters().join(name).display().to_string());
    }
}

#[test]
fn print_needs_no_rights_and_no_binfmt_misc() {
    let Some(namespace) = Namespace::new() else { return };
    let expected = namespace.tool(&["ARCHES=s390x"], &["--print"]).exits(0).out;
    let bounded = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    assert_eq!(namespace.under(&bounded, &["ARCHES=s390x"], &["--print"]).exits(0).out, expected);
    if has("strace") {
        let calls = ["-e", "inject=fsopen:error=ENODEV", "-e", "inject=mount:error=ENODEV"];
        let Some(namespace) = Namespace::bare() else { return };
        let wrapper = [&["strace", "-f", "-o", "/dev/null"], &calls[..]].concat();
        let said = namespace.under(&wrapper, &["ARCHES=s390x"], &["--print"]);
        assert_eq!(said.out, expected, "{said:#?}");
        said.exits(0);
    }
}

/// The hooks of initramfs builders put these files into the initramfs.
#[test]
fn interpreters_are_the_files_that_registration_opens() {
    let Some(namespace) = Namespace::new() else { return };
    let path = |name: &str| interpreters().join(format!("qemu-{name}")).display().to_string() + "\n";
    let said = namespace.tool(&["ARCHES=riscv64,arm64"], &["--interpreters"]).exits(0);
    assert_eq!(said.out, path("aarch64") + &path("riscv64"));
    assert_eq!(said.err, "");
    assert!(namespace.entries().is_empty(), "it changes nothing");
    // Those of entries that are there, too: it is about another boot.
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    assert_eq!(namespace.tool(&["ARCHES=riscv64,arm64"], &["--interpreters"]).exits(0).out, said.out);
    let all = namespace.tool(&[], &["--interpreters"]).exits(0);
    assert!(all.out.lines().count() + 2 > architectures().len() && all.out.lines().all(|line| line.starts_with('/')));
    // In execution mode none is opened.
    let said = namespace.tool(&["ARCHES=arm64", "MODE=execution"], &["--interpreters"]).exits(0);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""));
    // One that does not fit, or is not there, is said, and the others are printed.
    let scratch = Scratch::new();
    scratch.executable("qemu-aarch64", "no program");
    scratch.copy(interpreters().join("qemu-riscv64"), "qemu-riscv64");
    let said = namespace.tool(&[&scratch.variable(), "ARCHES=arm64,riscv64"], &["--interpreters"]).exits(1);
    assert_eq!(said.out, format!("{}/qemu-riscv64\n", scratch.path()));
    said.says(&["aarch64: not registered", "not an ELF program"]);
}

/// What `--help` prints.
pub fn help() -> String {
    let mut command = Command::new(binary());
    clean(&mut command);
    let said = Said::of(command.arg("--help")).exits(0);
    assert_eq!(said.err, "");
    said.out
}

/// What follows `start` in the lines of a text that start so, up to `end`; not where nothing does.
pub fn names<'a>(text: &'a str, start: &str, end: &[char]) -> BTreeSet<&'a str> {
    let names = text.lines().filter_map(|line| line.strip_prefix(start)?.split(end).next());
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn help_names_every_option_variable_and_architecture() {
    let help = help();
    for word in [
        "--install",
        "--uninstall",
        "--status",
        "--print",
        "--interpreters",
        "--mount",
        "--hold",
        "-- COMMAND",
        "--version",
        "--help",
        "MODE",
        "REPLACE",
        "ARCHES",
        "CREDENTIALS",
        "QEMU_PRESERVE_ARGV0",
        "QEMU_BINARY_PATH",
        "QEMU_BINARY_PREFIX",
        "VERIFY",
        "TRUST",
    ] {
        assert!(help.contains(word), "{word}; {help}");
    }
    for Row { name, .. } in rows() {
        assert!(help.split_whitespace().any(|word| *word == name), "{name}; {help}");
    }
    assert!(help.lines().all(|line| line.len() <= 80 || line.contains("aarch64 ")), "{help}");
}

/// The tables of docs/reference.md have the options and variables of the help, and no others.
#[test]
fn the_reference_has_what_the_help_has() {
    let help = help();
    let page = fs::read_to_string(Path::new(TOP).join("docs/reference.md")).unwrap();
    let (_, variables) = help.split_once("\nvariables").unwrap();
    let rows = names(&page, "| `", &['`']);
    for name in names(variables, "  ", &[':']) {
        assert!(rows.contains(name), "{name}; {rows:?}");
    }
    for option in names(&help, "  --", &[' ']) {
        assert!(
            page.lines().any(|line| line.starts_with("| `-") && line.contains(&format!("`--{option}"))),
            "{option}"
        );
    }
    for name in rows
        .iter()
        .filter(|name| name.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit()))
    {
        assert!(help.contains(&format!("\n  {name}: ")), "{name}");
    }
    for name in rows.iter().filter_map(|row| row.strip_prefix("--")?.split(' ').next()) {
        assert!(help.contains(&format!("\n  --{name}")), "{name}");
    }
}

/// The manual page has the options and variables of the help, and no others.
#[test]
fn the_manual_page_has_what_the_help_has() {
    let help = help();
    let page = fs::read_to_string(Path::new(TOP).join("docs/binfmt_register.8")).unwrap();
    let (_, variables) = help.split_once("\nvariables").unwrap();
    assert_eq!(names(&page, ".It Ev ", &[' ']), names(variables, "  ", &[':']));
    let options = names(&help, "  --", &[' ']);
    assert_eq!(names(&page, ".It Fl Fl ", &[' ']), options);
    // The synopsis has them, too.
    let (synopsis, _) = page.split_once(".Sh DESCRIPTION").unwrap();
    let named = synopsis.split("Fl Fl ").skip(1).filter_map(|rest| rest.split_whitespace().next());
    assert_eq!(named.collect::<BTreeSet<_>>(), options);
}

#[test]
fn version_is_that_of_the_package() {
    let version = env!("CARGO_PKG_VERSION");
    for (name, expected) in [("binfmt_register", "binfmt_register "), ("binfmt", "binfmt/")] {
        let link = scratch("version").join(name);
        symlink(binary(), &link).unwrap();
        let mut command = Command::new(link);
        clean(&mut command);
        let said = Said::of(command.arg("--version")).exits(0);
        assert_eq!((said.out, said.err), (format!("{expected}{version}\n"), String::new()));
    }
}

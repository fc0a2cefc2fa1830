//! `--status=full`: that it is what docs/status.schema.json says, and the truth; and how levels of x86-64 are found.

use crate::common::host::{self, exchanged};
use crate::common::namespace::{MOUNT, Namespace, Said, Scratch, architectures, clean, has, interpreters, program};
use crate::common::{TOP, run, skip};
use crate::status;
use binfmt_register::architecture::{Architecture, LEVELS, level_probe};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Validates the first file by the schema in the second, strictly.
const VALIDATE: &str = "import json, sys, jsonschema
schema = json.load(open(sys.argv[2]))
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.Draft202012Validator(schema).validate(json.load(open(sys.argv[1])))
";

/// Reads it, and checks that the schema describes it.
#[track_caller]
fn read(said: &Said) -> Value {
    let value: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}; {said:#?}"));
    match run(&mut Command::new(Path::new(TOP).join("tests/containers/validator"))) {
        Err(why) => skip("the schema of --status=full", &why),
        Ok(programs) => {
            let scratch = Scratch::new();
            let file = scratch.0.join("status.json");
            fs::write(&file, &said.out).unwrap();
            let mut python = Command::new(Path::new(programs.trim()).join("python3"));
            python.args(["-c", VALIDATE]).arg(file).arg(Path::new(TOP).join("docs/status.schema.json"));
            run(&mut python).unwrap_or_else(|why| panic!("{why}; {said:#?}"));
        }
    }
    value
}

fn entry<'a>(status: &'a Value, name: &str) -> &'a Value {
    let entries = status["entries"].as_array().unwrap();
    entries.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no {name}: {status:#}"))
}

#[test]
fn it_tells_what_is_there() {
    let Some(namespace) = Namespace::new() else { return };
    let full = |variables: &[&str]| read(&namespace.tool(variables, &["--status=full"]).exits(0));
    let status = full(&[]);
    assert_eq!((&status["entries"], &status["pin"]), (&json!([]), &json!(false)));
    assert_eq!(status["mount"], json!({"path": MOUNT, "mounted": true, "enabled": true}));
    assert_eq!(status["user_namespace"], "other");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    let release = run(Command::new("uname").arg("-r")).unwrap();
    if host::other().is_none() {
        assert_eq!(status["kernel"], release.trim());
    }
    let (own, platform) = host::own();
    assert_eq!(
        (&status["host"]["architecture"], &status["host"]["platform"]),
        (&json!(own), &json!(format!("linux/{platform}")))
    );
    let level = status::own().iter().filter(|name| name.starts_with("linux/amd64")).count();
    assert_eq!(status["host"]["x86_64_level"], if level == 0 { Value::Null } else { json!(level) });

    namespace.tool(&["ARCHES=arm64,s390x"], &[]).exits(0);
    namespace.sh(&format!("echo 0 >{MOUNT}/qemu-s390x")).exits(0);
    namespace.register(":a \"b\" \\c\u{e9}:E::gone::/nonexistent/\u{e9}:");
    let magic = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00";
    namespace.register(&format!(":theirs:M::{magic}::/bin/true:"));
    let before = namespace.state();
    let path = exchanged("qemu-aarch64").into_owned();
    let interpreter = interpreters().join(path).to_str().unwrap().to_string();
    // Of the distribution's QEMU, by its own word.
    let version = run(Command::new(interpreters().join("qemu-s390x")).arg("--version")).unwrap();
    let version = version.split(' ').nth(2).unwrap().to_string();
    let arm64 = |runs: Value, version: Value| {
        json!({
            "name": "qemu-aarch64", "enabled": true, "interpreter": exchanged(&interpreter), "flags": "POCF", "ours": true,
            "architecture": "aarch64", "platform": "linux/arm64", "qemu_version": version, "runs": runs, "x86_64_level": null,
        })
    };
    let status = full(&[]);
    if host::other().is_none() {
        assert_eq!(entry(&status, "qemu-aarch64"), &arm64(Value::Null, json!(version)));
    }
    let verified = full(&["VERIFY=true"]);
    if host::other().is_none() {
        assert_eq!(entry(&verified, "qemu-aarch64"), &arm64(json!(true), json!(version)));
    }
    assert_eq!(entry(&verified, "qemu-aarch64")["runs"], true);
    assert!(namespace.runs("arm64"));
    let disabled = entry(&verified, "qemu-s390x");
    assert_eq!((&disabled["enabled"], &disabled["runs"]), (&json!(false), &Value::Null));
    let theirs = entry(&verified, "theirs");
    // The magic is as it is, whatever is exchanged in what the tool says.
    let known = json!([exchanged("riscv64"), exchanged("linux/riscv64"), false, "/bin/true", "", null, true]);
    let names = ["architecture", "platform", "ours", "interpreter", "flags", "qemu_version", "runs"];
    assert_eq!(json!(names.map(|name| theirs[name].clone())), known);
    let other = status["entries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["name"].as_str().unwrap().starts_with("a \"b\" \\c"));
    let other = other.unwrap();
    assert_eq!(
        (&other["architecture"], &other["platform"], &other["runs"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    // The newest first.
    let names: Vec<_> =
        status["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!((names[0], names.len()), ("theirs", 4), "{names:?}");
    assert_eq!(namespace.state(), before);
    // One that fails does not run.
    namespace.register(&format!(":fails:M::{magic}::/bin/false:"));
    let is_native = host::name() == "riscv64";
    assert_eq!(entry(&full(&["VERIFY=true"]), "fails")["runs"], is_native);
    namespace.sh(&format!("echo 0 >{MOUNT}/status")).exits(0);
    let status = full(&["VERIFY=true"]);
    assert_eq!((&status["mount"]["enabled"], &entry(&status, "qemu-aarch64")["runs"]), (&json!(false), &Value::Null));
}

#[test]
fn all_interpreters_say_their_version() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&[], &[]).exits(0);
    let status = read(&namespace.tool(&[], &["--status=full"]).exits(0));
    if host::cannot("all_interpreters_say_their_version", "it is shown other files in their place") {
        return;
    }
    let entries = status["entries"].as_array().unwrap();
    assert!(
        entries.iter().all(|entry| entry["qemu_version"].as_str().is_some_and(|text| text.contains('.'))),
        "{status:#}"
    );
    assert!(entries.len() >= architectures().len() - 1, "{status:#}");
}

#[test]
fn without_a_mount_or_a_right() {
    let Some(namespace) = Namespace::bare() else { return };
    let status = read(&namespace.tool(&[], &["--status=full"]).exits(0));
    assert_eq!(status["mount"], json!({"path": MOUNT, "mounted": false, "enabled": null}));
    assert_eq!((&status["entries"], &status["pin"]), (&json!([]), &Value::Null));
    // It executes nothing but to verify.
    if host::other().is_none() && has("strace") {
        let Some(namespace) = Namespace::new() else { return };
        namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
        let scratch = Scratch::new();
        let trace = scratch.0.join("trace");
        let strace = ["strace", "-f", "-o", trace.to_str().unwrap()];
        for (variables, executes) in [(&[][..], false), (&["VERIFY=true"], true)] {
            namespace.under(&strace, variables, &["--status=full"]).exits(0);
            assert_eq!(fs::read_to_string(&trace).unwrap().contains("execveat("), executes);
        }
    }
}

/// `--status` alone stays what it is, and no other value is known.
#[test]
fn other_forms() {
    let Some(namespace) = Namespace::new() else { return };
    status::read(&namespace.tool(&[], &["--status"]).exits(0));
    read(&namespace.tool(&[], &["-status=full"]).exits(0));
    for wrong in ["--status=fuller", "--status=", "--status=full=x", "--status=all"] {
        namespace.tool(&[], &[wrong]).exits(2).says_only(&[wrong, "unknown option"]);
    }
    // After what else is asked for.
    let said = namespace.tool(&[], &["--install", "arm64", "--status=full"]).exits(0).says(&["aarch64: registered"]);
    assert_eq!(entry(&read(&said), "qemu-aarch64")["ours"], true);
    let file = program("arm64");
    let said = namespace.tool(&[], &["--install", "s390x", "--explain", file.to_str().unwrap()]).exits(0);
    said.says(&["s390x: registered"]);
}

/// Programs that use instructions of a level run on a CPU of that level, and not on one below: this machine's own, and
/// those that QEMU emulates.
#[test]
fn levels_are_found_by_executing_them() {
    let x86_64 = Architecture::find(b"amd64").unwrap();
    let scratch = Scratch::new();
    let probes: Vec<_> = (2..)
        .zip(LEVELS)
        .map(|(level, instructions)| scratch.executable(&format!("v{level}"), &*level_probe(x86_64, instructions)))
        .collect();
    let level = |run: &dyn Fn(&Path) -> Command| {
        let exits = |probe: &Path| {
            let mut command = run(probe);
            clean(&mut command);
            Said::of(&mut command).status == 0
        };
        let ran: Vec<_> = probes.iter().map(|probe| exits(probe)).collect();
        assert!(ran.is_sorted_by(|before, after| before >= after), "{ran:?}");
        1 + ran.into_iter().filter(|ran| *ran).count()
    };
    if host::name() == "x86_64" {
        assert_eq!(level(&|probe| Command::new(probe)), status::own().len());
    }
    crate::common::fetch("amd64", "qemu-user").unwrap();
    let qemu = crate::common::debian("amd64", "usr/bin/qemu-x86_64");
    for (cpu, expected) in [("qemu64", 1), ("Nehalem", 2), ("Westmere", 2), ("Haswell", 3), ("max", 3)] {
        let emulated = |probe: &Path| {
            let mut command = Command::new(&qemu);
            command.args(["-cpu", cpu]).arg(probe);
            command
        };
        assert_eq!(level(&emulated), expected, "{cpu}");
    }
}

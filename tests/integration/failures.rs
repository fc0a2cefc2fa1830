//! What goes wrong, and what then is said: one line that names the thing, the exit status, and a kernel that is as it
//! was before.

use crate::common::host;
use crate::common::namespace::{Namespace, Said, Scratch, has, interpreters, program};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn a_variable_with_a_value_that_means_nothing() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    let before = namespace.state();
    for (variable, words) in [
        ("MODE=magic", &["registration", "execution"] as &[&str]),
        ("MODE=Registration", &["registration", "execution"]),
        ("MODE=registration ", &["registration", "execution"]),
        ("REPLACE=yes", &["true"]),
        ("REPLACE=1", &["true"]),
        ("REPLACE=TRUE", &["true"]),
        ("CREDENTIALS=no", &["true", "false"]),
        ("QEMU_PRESERVE_ARGV0=2", &["1", "0"]),
        ("VERIFY=maybe", &["true"]),
        ("ARCHES=amr64", &["all", "--help"]),
        ("QEMU_BINARY_PATH=usr/bin", &["absolute"]),
        ("QEMU_BINARY_PATH=/a:b", &["colon"]),
        ("QEMU_BINARY_PREFIX=a/", &["file name"]),
        ("QEMU_BINARY_PREFIX=a:", &["colon"]),
    ] {
        let (name, value) = variable.split_once('=').unwrap();
        for variables in [&[variable] as &[&str], &[variable, "REPLACE=true"]] {
            if variables.len() == 2 && name == "REPLACE" {
                continue;
            }
            let said = namespace.tool(variables, &[]).exits(2);
            assert!(said.err.contains(value), "{said:#?}");
            let said = said.says_only(&[name, value]);
            said.says(words);
            assert_eq!(namespace.state(), before, "{variable}");
        }
    }
    // A message is one line, whatever is in it.
    let said = namespace.tool(&["QEMU_BINARY_PATH=/a\nb"], &[]).exits(2);
    said.says_only(&["QEMU_BINARY_PATH", "'/a\\x0ab'", "absolute path"]);
    // In a list, the name that is wrong is the one that is said.
    let said = namespace.tool(&["ARCHES=riscv64,amr64,s390x"], &[]).exits(2);
    said.says_only(&["ARCHES", "'amr64'"]);
    assert_eq!(namespace.state(), before);
}

#[test]
fn a_blank_variable_and_false_mean_the_default() {
    let Some(namespace) = Namespace::new() else { return };
    let blank = ["MODE=", "REPLACE=", "CREDENTIALS=", "QEMU_PRESERVE_ARGV0=", "QEMU_BINARY_PREFIX=", "VERIFY="];
    namespace.tool(&[&blank[..], &["ARCHES=arm64"]].concat(), &[]).exits(0).says(&["(POCF)"]);
    namespace.tool(&["REPLACE=false", "VERIFY=false", "ARCHES=arm64"], &[]).exits(0).says(&["aarch64: kept"]);
}

#[test]
fn wrong_usage() {
    let Some(namespace) = Namespace::new() else { return };
    for (arguments, words) in [
        (&["--frobnicate"] as &[&str], &["--frobnicate", "unknown option", "--help"] as &[&str]),
        (&["arm64"], &["arm64", "no option", "--install arm64"]),
        (&[""], &["unknown option", "--help"]),
        (&["--status=yes"], &["--status", "--help"]),
        (&["--install"], &["--install", "needs a value"]),
        (&["--uninstall"], &["--uninstall", "needs a value"]),
        (&["--mount"], &["--mount", "needs a value"]),
        (&["--install", ""], &["--install", "needs a value"]),
        (&["--install="], &["--install", "needs a value"]),
        (&["--uninstall="], &["--uninstall", "needs a value"]),
        (&["--install", "arm64", "--frobnicate"], &["--frobnicate"]),
        (&["--print", "--frobnicate"], &["--frobnicate"]),
    ] {
        namespace.tool(&[], arguments).exits(2).says_only(words);
        assert!(namespace.entries().is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_unknown_architecture_to_install_does_not_keep_the_others_away() {
    let Some(namespace) = Namespace::new() else { return };
    let said = namespace.tool(&[], &["--install", "amr64,arm64,linux/riscv64"]).exits(1);
    said.says(&["amr64", "unknown architecture", "--help"]).says(&["aarch64: registered"]);
    assert_eq!(namespace.entries(), ["qemu-aarch64", "qemu-riscv64"]);
    // Alone it is not taken for a blank list, which would mean all.
    namespace.tool(&[], &["--install", "amr64"]).exits(1).says_only(&["amr64", "unknown architecture"]);
    assert_eq!(namespace.entries(), ["qemu-aarch64", "qemu-riscv64"]);
}

#[test]
fn no_interpreter_at_all() {
    let Some(namespace) = Namespace::new() else { return };
    for directory in ["/nonexistent", "/dev/null"] {
        let path = format!("QEMU_BINARY_PATH={directory}");
        let said = namespace.tool(&[&path], &[]).exits(1);
        said.says_only(&[directory, "no interpreter", "QEMU_BINARY_PATH"]);
        let said = namespace.tool(&[&path, "ARCHES=arm64"], &[]).exits(1);
        said.says_only(&["aarch64: not registered", directory, "no such file", "QEMU_BINARY_PATH"]);
    }
    assert!(namespace.entries().is_empty());
}

/// Each with an interpreter for riscv64 beside it that can serve, and does.
#[test]
fn an_interpreter_that_cannot_serve() {
    let good = fs::read(interpreters().join("qemu-aarch64")).unwrap_or_default();
    for (what, words) in [
        ("64 bytes", &["truncated"] as &[&str]),
        ("100 bytes", &["truncated"]),
        ("4096 bytes", &["truncated"]),
        ("half", &["truncated"]),
        ("empty", &["not an ELF program"]),
        ("a script", &["not an ELF program"]),
        ("of another machine", &["another machine"]),
        ("dynamically linked", &["dynamically linked", "static"]),
        ("not executable", &["EACCES", "executable"]),
        ("a directory", &["EISDIR"]),
        ("a link to itself", &["ELOOP"]),
        ("a device", &["not an ELF program"]),
    ] {
        let Some(namespace) = Namespace::new() else { return };
        let scratch = Scratch::new();
        let path = scratch.0.join("qemu-aarch64");
        match what {
            "64 bytes" => fs::write(&path, &good[..64]).unwrap(),
            "100 bytes" => fs::write(&path, &good[..100]).unwrap(),
            "4096 bytes" => fs::write(&path, &good[..4096]).unwrap(),
            "half" => fs::write(&path, &good[..good.len() / 2]).unwrap(),
            "empty" => fs::write(&path, "").unwrap(),
            "a script" => fs::write(&path, "#!/bin/sh\nexec qemu-aarch64 \"$@\"\n").unwrap(),
            "of another machine" => drop(scratch.copy(program("s390x"), "qemu-aarch64")),
            "dynamically linked" => drop(scratch.copy(std::env::current_exe().unwrap(), "qemu-aarch64")),
            "not executable" => fs::write(&path, &good).unwrap(),
            "a directory" => fs::create_dir(&path).unwrap(),
            "a link to itself" => symlink(&path, &path).unwrap(),
            "a device" => symlink("/dev/null", &path).unwrap(),
            _ => unreachable!(),
        }
        if !matches!(what, "not executable" | "a link to itself" | "a device") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        scratch.copy(interpreters().join("qemu-riscv64"), "qemu-riscv64");
        let directory = scratch.variable();
        let name = path.to_str().unwrap();
        let all = [&["aarch64: not registered", name], words].concat();
        // With a handler there, that one stays and works.
        namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
        let before = namespace.state();
        let said = namespace.tool(&[&directory, "MODE=registration", "REPLACE=true", "ARCHES=arm64"], &[]).exits(1);
        said.says_only(&[&["aarch64: not re", name], words].concat());
        assert_eq!(namespace.state(), before, "{what}");
        assert!(namespace.runs("arm64"), "{what}");
        namespace.tool(&[], &["--uninstall", "arm64"]).exits(0);
        // Without, there is none.
        namespace.tool(&[&directory, "MODE=registration"], &[]).exits(1).says(&all).says(&["riscv64: registered"]);
        assert_eq!(namespace.entries(), ["qemu-riscv64"], "{what}");
    }
}

#[test]
fn an_interpreter_that_ends_within_its_header() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let path = scratch.copy(interpreters().join("qemu-aarch64"), "qemu-aarch64");
    for length in [63, 40, 20, 19, 10, 4] {
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
        let said = namespace.tool(&[&scratch.variable()], &[]).exits(1);
        said.says_only(&["aarch64: not registered", path.to_str().unwrap(), "truncated"]);
        assert!(namespace.entries().is_empty());
    }
}

#[test]
fn an_interpreter_on_a_file_system_without_execution() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let path = scratch.copy(interpreters().join("qemu-aarch64"), "qemu-aarch64");
    namespace.sh(&format!("mount --bind {0} {0} && mount -o remount,bind,noexec {0}", scratch.path())).exits(0);
    let said = namespace.tool(&[&scratch.variable()], &[]).exits(1);
    said.says(&["aarch64: not registered", path.to_str().unwrap(), "EACCES", "noexec"]);
    assert!(namespace.entries().is_empty());
}

/// To open one would wait for a writer, for ever.
#[test]
fn an_interpreter_that_is_a_pipe_does_not_stop_it() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    Said::of(std::process::Command::new("mkfifo").arg(scratch.0.join("qemu-aarch64"))).exits(0);
    let said = namespace.under(&["timeout", "2"], &[&scratch.variable()], &[]).exits(1);
    said.says_only(&["aarch64: not registered", "qemu-aarch64"]);
}

#[test]
fn a_path_that_is_too_long() {
    let Some(namespace) = Namespace::new() else { return };
    let directory = |length| format!("QEMU_BINARY_PATH={}", "/a-directory-with-a-long-name".repeat(length));
    for mode in ["MODE=execution", "MODE=registration"] {
        // For a rule, for this tool; in registration mode there must be a file first.
        let why = if mode == "MODE=execution" { "too long" } else { "no such file" };
        for length in [65, 130] {
            let said = namespace.tool(&[&directory(length), mode, "ARCHES=arm64"], &[]).exits(1);
            said.says_only(&["aarch64: not registered", "/a-directory", why]);
        }
    }
    assert!(namespace.entries().is_empty());
    // What the kernel takes is taken, whole.
    namespace.tool(&[&directory(30), "MODE=execution", "ARCHES=arm64"], &[]).exits(0);
    let interpreter = namespace.entry("qemu-aarch64").unwrap().interpreter;
    assert!(interpreter.len() > 870 && interpreter.ends_with("/qemu-aarch64-static"), "{interpreter}");
}

#[test]
fn a_rule_the_kernel_refuses() {
    if !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    for error in ["EINVAL", "ENOMEM", "EPERM", "EMFILE"] {
        let inject = format!("inject=write:error={error}:when=1");
        let words = ["strace", "-f", "-o", "/dev/null", "-e", &inject];
        let said = namespace.under(&words, &["ARCHES=hppa"], &[]).exits(1);
        said.says_only(&["hppa: not registered", "/qemu-hppa", error]);
        assert!(namespace.entries().is_empty());
        // The next ones are tried all the same.
        let said = namespace.under(&words, &["ARCHES=hppa,riscv64"], &[]).exits(1);
        said.says(&["hppa: not registered"]).says(&["riscv64: registered"]);
        assert_eq!(namespace.entries(), ["qemu-riscv64"]);
        namespace.tool(&[], &["--uninstall", "*"]).exits(0);
    }
}

#[test]
fn an_entry_that_cannot_be_removed() {
    if !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    let before = namespace.state();
    let words = ["strace", "-f", "-o", "/dev/null", "-e", "inject=write:error=EPERM:when=1"];
    namespace.under(&words, &[], &["--uninstall", "arm64"]).exits(1).says_only(&["qemu-aarch64: not removed", "EPERM"]);
    assert_eq!(namespace.state(), before);
}

/// A descriptor that is not open is the first to be given to a file, and `register` must not be where the lines go.
#[test]
fn closed_standard_descriptors() {
    let Some(namespace) = Namespace::new() else { return };
    for closed in ["2>&-", "<&-", ">&-", "<&- >&-", "<&- >&- 2>&-", ">&- 2>&-"] {
        let said = namespace.sh(&format!("ARCHES='arm64 riscv64' exec $TOOL {closed}")).exits(0);
        assert_eq!(namespace.entries(), ["qemu-aarch64", "qemu-riscv64"], "{closed}: {said:#?}");
        assert!(namespace.runs("arm64") && namespace.runs("riscv64"), "{closed}");
        namespace.tool(&[], &["--uninstall", "*"]).exits(0);
    }
    if !has("strace") {
        return;
    }
    let scratch = Scratch::new();
    let trace = scratch.0.join("trace");
    let script = format!("exec strace -f -y -e trace=write -o {} sh -c 'exec $TOOL <&- >&- 2>&-'", trace.display());
    namespace.sh(&script).exits(0);
    let trace = fs::read_to_string(trace).unwrap();
    let writes: Vec<_> = trace.lines().filter(|line| line.contains("register>")).collect();
    assert!(writes.len() > 20 && writes.iter().all(|line| line.contains(">, \":qemu-")), "{writes:#?}");
}

#[test]
fn a_standard_error_that_takes_nothing_does_not_keep_it_from_registering() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.sh("ARCHES=arm64 exec $TOOL 2>/dev/full");
    assert!(namespace.runs("arm64"));
}

#[test]
fn a_standard_output_that_takes_nothing() {
    let Some(namespace) = Namespace::new() else { return };
    for option in ["--status", "--print", "--help", "--version"] {
        let said = namespace.sh(&format!("exec $TOOL {option} >/dev/full")).exits(1);
        said.says(&["standard output"]);
    }
}

#[test]
fn a_binfmt_misc_that_is_disabled_as_a_whole_is_told() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.sh("echo 0 >/proc/sys/fs/binfmt_misc/status").exits(0);
    let said = namespace.tool(&["ARCHES=arm64"], &[]).exits(1);
    said.says(&["aarch64: registered"]).says(&[
        "binfmt_misc",
        "disabled as a whole",
        "/proc/sys/fs/binfmt_misc/status",
    ]);
    assert!(!namespace.runs("arm64"));
    namespace.sh("echo 1 >/proc/sys/fs/binfmt_misc/status").exits(0);
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    assert!(namespace.runs("arm64"));
}

/// rustix checks what the kernel returns. An answer that no kernel gives is an error of this tool's, and said so.
#[test]
fn an_internal_error_is_one_line_and_a_failure() {
    if !has("strace") || host::cannot("an_internal_error_is_one_line_and_a_failure", "QEMU checks the answer before") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    // Descriptor -1, for the directory of the interpreters.
    let words = ["strace", "-o", "/dev/null", "-e", "inject=openat:retval=0xffffffff:when=2"];
    let said = namespace.under(&words, &["ARCHES=arm64"], &[]).exits(1);
    // strace has a word of its own about so odd an answer.
    let lines: Vec<_> = said.err.lines().filter(|line| !line.starts_with("strace: ")).collect();
    assert_eq!(lines, ["binfmt_register: internal error; please report it"], "{said:#?}");
    assert!(namespace.entries().is_empty());
}

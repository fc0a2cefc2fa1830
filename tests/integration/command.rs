//! `-- COMMAND`: the same process goes on as another program, if all went well.

use crate::common::host::{self, exchanged};
use crate::common::namespace::{Namespace, Said, Scratch, program};
use crate::common::run;
use std::process::Command;

const ARM64: &[&str] = &["ARCHES=arm64"];

/// The tool outside of any namespace, with options that change nothing there, and a command.
fn version(words: &[&str]) -> Command {
    let mut command = Command::new(host::binary());
    command.args(["--version", "--"]).args(words);
    command
}

#[test]
fn what_was_registered_is_there_for_the_command() {
    let Some(namespace) = Namespace::new() else { return };
    let program = program("arm64");
    let said = namespace.tool(ARM64, &["--", program.to_str().unwrap(), "echo", "it", "runs"]).exits(0);
    assert_eq!(said.out, "it runs\n");
    said.says(&["aarch64: registered"]);
    // And the other jobs come before it, too.
    let said = namespace.tool(&[], &["--uninstall", "arm64", "--", "echo", "-n", "--help"]).exits(0);
    assert_eq!(said.out, "--help");
    assert!(namespace.entries().is_empty());
}

#[test]
fn the_process_is_the_same() {
    let scratch = Scratch::new();
    // The shell looks at itself, becomes the tool, and that another shell that looks again.
    let look = "echo $$ $PWD $(umask) $OLD; grep -E 'Sig(Blk|Ign)|PPid|Uid' /proc/self/status; ls /proc/$$/fd; :";
    let script = format!(
        "cd {0}; trap '' USR1; exec 7>>{0}/seven 0<&-; umask 027; export OLD=value; LOOK=\"$1\"; eval \"$LOOK\"; \
         echo then; exec {1} --print -- bash -c \"$LOOK\" 2>/dev/null",
        scratch.path(),
        host::binary()
    );
    let mut command = Command::new("env");
    let words = ["--block-signal=USR2", "bash", "-c", &script, "sh", look];
    let said = Said::of(command.args(words).env("ARCHES", &*exchanged("arm64")).env("MODE", "execution"));
    let (before, after) = said.out.split_once("then\n").unwrap_or_else(|| panic!("{said:#?}"));
    let (rule, after) = after.split_once('\n').unwrap();
    assert!(rule.starts_with(":qemu-aarch64:M:"), "{said:#?}");
    // QEMU's C library has a handler of its own for signal 33, which whoever started this may have ignored.
    let before = match host::other() {
        Some(_) => before.replace("SigIgn:\t00000001", "SigIgn:\t00000000"),
        None => before.into(),
    };
    assert_eq!(before, after);
    // Three descriptors, without the closed one but with the seventh, and perhaps one of the shell.
    assert!(before.contains("SigBlk:\t0000000000000800\n"), "{before}");
    assert!(before.contains("value\n") && before.contains("\n7\n") && !before.contains("\n0\n"), "{before}");
}

#[test]
fn it_is_not_executed_if_something_failed() {
    let Some(namespace) = Namespace::new() else { return };
    for (variables, arguments, status) in [
        (&["ARCHES=arm64", "QEMU_BINARY_PATH=/nonexistent"][..], &["--", "echo", "executed"][..], 1),
        (&["MODE=both"], &["--", "echo", "executed"], 2),
        (&[], &["--no-such-option", "--", "echo", "executed"], 2),
        (&[], &["--uninstall", "no-such-entry", "--", "echo", "executed"], 1),
    ] {
        let said = namespace.tool(variables, arguments).exits(status);
        assert_eq!(said.out, "");
    }
    // Neither where what is left to say cannot be said.
    let script = format!("{} --version -- touch $0 >/dev/full; echo $?", host::binary());
    let said = Said::of(Command::new("sh").args(["-c", &script]));
    assert_eq!(said.out, "1\n");
}

#[test]
fn a_command_that_cannot_be_executed_is_told_from_one_that_is_missing() {
    let scratch = Scratch::new();
    scratch.executable("file", "\x7fELF no program");
    let plain = scratch.0.join("plain");
    std::fs::write(&plain, "").unwrap();
    let at = |name: &str| format!("{}/{name}", scratch.path());
    for (name, path, status, why) in [
        ("no-such-command", "/usr/bin:/bin", 127, "ENOENT"),
        (&at("none"), "/bin", 127, "ENOENT"),
        ("", "/bin", 127, "ENOENT"),
        (&at("plain"), "/bin", 126, "EACCES"),
        ("plain", &format!("{}:/bin", scratch.path()), 126, "EACCES"),
        (scratch.path(), "/bin", 126, "EACCES"),
        (&at("file/x"), "/bin", 127, "ENOENT"),
        (&"x".repeat(5000), "/bin", 127, "ENOENT"),
    ] {
        let said = Said::of(version(&[name]).env("PATH", path)).exits(status);
        said.says_only_after_version(&[name, "not executed", why]);
    }
}

trait AfterVersion {
    fn says_only_after_version(self, words: &[&str]);
}

impl AfterVersion for Said {
    #[track_caller]
    fn says_only_after_version(mut self, words: &[&str]) {
        assert!(self.out.starts_with("binfmt_register "), "{self:#?}");
        self.out.clear();
        self.says_only(words);
    }
}

/// As `execvpe(3)` does; what env(1), which calls it, makes of the same must be the same.
#[test]
fn it_is_looked_for_in_path() {
    let scratch = Scratch::new();
    for dir in ["a", "b", "c"] {
        std::fs::create_dir(scratch.0.join(dir)).unwrap();
    }
    std::fs::write(scratch.0.join("a/first"), "not executable").unwrap();
    scratch.executable("b/first", "#!/bin/sh\necho b \"$0\" \"$@\"");
    scratch.executable("c/first", "#!/bin/sh\necho c \"$0\" \"$@\"");
    scratch.executable("c/script", "echo no first line: \"$0\" \"$@\"");
    scratch.executable("here", "#!/bin/sh\necho here \"$0\" \"$@\"");
    for (path, words) in [
        ("a:b:c", &["first", "x", ""][..]),
        ("c:b", &["first"]),
        ("none:a/first:c", &["first"]),
        ("b:c", &["script", "x", "y"]),
        (":b", &["here", "x"]),
        ("b:", &["here"]),
        ("b::c", &["here"]),
        ("b", &["./here"]),
        ("b", &["a/../here", "--"]),
        ("b", &["c/script"]),
    ] {
        let ours = run(version(words).current_dir(&scratch.0).env("PATH", path));
        let ours = ours.unwrap().split_once('\n').unwrap().1.to_string();
        let theirs = run(Command::new("/usr/bin/env").args(words).current_dir(&scratch.0).env("PATH", path));
        assert_eq!(ours, theirs.unwrap(), "PATH={path} {words:?}");
    }
    // Where there is no PATH, or a blank one, there is one all the same.
    for said in [
        Said::of(version(&["sh", "-c", "echo found"]).env_remove("PATH")),
        Said::of(version(&["sh", "-c", "echo found"]).env("PATH", "")),
    ] {
        assert!(said.status == 0 && said.out.ends_with("\nfound\n"), "{said:#?}");
    }
}

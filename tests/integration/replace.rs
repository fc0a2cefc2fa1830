//! Replacing is never lossy: at every moment, and whatever goes wrong, an architecture has a handler that works.

use crate::common::host;
use crate::common::namespace::{
    MOUNT, Namespace, Said, Scratch, architectures, has, interpreters, program, program_that_ends,
};
use std::fs;
use std::process::Stdio;
use std::sync::Barrier;
use std::thread;

const REPLACE: &[&str] = &["ARCHES=arm64", "REPLACE=true"];

/// strace that does something at the `nth` write. Of a replacement these are: the stand-in is registered, the old entry
/// removed, the new one registered, the stand-in removed, the line said.
fn at_write(namespace: &Namespace, nth: u32, what: &str, variables: &[&str]) -> Said {
    let inject = format!("inject=write:{what}:when={nth}");
    namespace.under(&["strace", "-f", "-o", "/dev/null", "-e", &inject], variables, &[])
}

#[test]
fn the_new_interpreter_is_the_one_that_is_used() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    let scratch = Scratch::new();
    let copy = scratch.copy(interpreters().join("qemu-aarch64"), "qemu-aarch64");
    namespace
        .tool(&[&scratch.variable(), "REPLACE=true"], &[])
        .exits(0)
        .says(&["aarch64: replaced by", scratch.path()]);
    assert_eq!(namespace.entries(), ["qemu-aarch64"]);
    assert_eq!(namespace.entry("qemu-aarch64").unwrap().interpreter, copy.to_str().unwrap());
    assert!(namespace.runs("arm64"));
}

/// How often a handler is replaced under a program that is executed again and again. In emulation a run takes long.
fn times() -> u32 {
    if host::other().is_some() { 50 } else { 200 }
}

/// Executes a program for arm64 again and again while its handler is replaced; how often it was executed.
fn executed_while_replaced(variables: &[&str]) -> Option<u32> {
    let namespace = Namespace::new()?;
    namespace.tool(&[variables, &["ARCHES=arm64"]].concat(), &[]).exits(0);
    let scratch = Scratch::new();
    let stop = scratch.0.join("stop");
    let script = "n=0; until [ -e \"$1\" ]; do \"$0\" true || echo \"failed: $?\"; n=$((n+1)); done; echo $n";
    let mut command = namespace.command("sh");
    command.args(["-c", script]).arg(program("arm64")).arg(&stop).stdin(Stdio::null());
    let executing = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let replaced: Vec<_> = (0..times()).map(|_| namespace.tool(&[variables, REPLACE].concat(), &[])).collect();
    fs::write(&stop, "").unwrap();
    let said = Said::from(executing.wait_with_output().unwrap()).exits(0);
    for run in replaced {
        run.exits(0).says(&["aarch64: replaced by"]);
    }
    assert_eq!(said.err, "");
    assert_eq!(namespace.entries(), ["qemu-aarch64"]);
    Some(said.out.trim().parse().unwrap_or_else(|_| panic!("an execution failed: {said:#?}")))
}

#[test]
fn not_one_execution_fails_while_the_handler_is_replaced_200_times() {
    let Some(count) = executed_while_replaced(&[]) else { return };
    assert!(count > 20, "only {count} executions: nothing is shown");
}

/// The same with an interpreter that ends at once: so quick a loop finds a gap of a few microseconds.
#[test]
fn not_one_execution_fails_in_a_loop_that_is_quicker_than_an_emulator() {
    let scratch = Scratch::new();
    scratch.executable("qemu-aarch64", program_that_ends());
    let Some(count) = executed_while_replaced(&[&scratch.variable()]) else { return };
    assert!(count > 500, "only {count} executions: nothing is shown");
}

#[test]
fn a_replacement_that_the_kernel_refuses_leaves_the_old_entry() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    let before = namespace.state();
    let scratch = Scratch::new();
    // It is written, not copied: so it is not executable.
    let good = fs::read(interpreters().join("qemu-aarch64")).unwrap();
    fs::write(scratch.0.join("qemu-aarch64"), good).unwrap();
    let said = namespace.tool(&[&scratch.variable(), "REPLACE=true"], &[]).exits(1);
    said.says(&["aarch64: not re", scratch.path(), "EACCES"]);
    assert_eq!(namespace.state(), before);
    assert!(namespace.runs("arm64"));
}

#[test]
fn whatever_write_of_a_replacement_fails_a_handler_is_left_and_the_next_run_repairs() {
    if !has("strace") {
        return;
    }
    for nth in 1..=4 {
        let Some(namespace) = Namespace::new() else { return };
        namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
        // The last one is to remove the stand-in.
        let words = if nth == 4 { "aarch64: entry qemu-aarch64.new cannot be removed" } else { "aarch64: not re" };
        at_write(&namespace, nth, "error=ENOMEM", REPLACE).exits(1).says(&[words, "ENOMEM"]);
        assert!(namespace.runs("arm64"), "write {nth}");
        namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
        assert_eq!(namespace.entries(), ["qemu-aarch64"], "write {nth}");
        assert!(namespace.runs("arm64"), "write {nth}");
    }
}

#[test]
fn a_run_killed_at_any_write_leaves_a_handler_and_the_next_run_nothing_else() {
    if !has("strace") {
        return;
    }
    // The next run, whatever it is: plain, replacing, for all.
    for next in
        [&["ARCHES=arm64"] as &[&str], REPLACE, &["ARCHES=arm64", "VERIFY=true"], &["ARCHES=arm64,riscv64"], &[]]
    {
        let mut killed = 0;
        for nth in 1..=6 {
            let Some(namespace) = Namespace::new() else { return };
            namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
            let said = at_write(&namespace, nth, "signal=KILL", REPLACE);
            // nsenter or strace may end by the same signal, or with the status that shells give it.
            killed += u32::from(said.status == 128 + 9);
            assert!(namespace.runs("arm64"), "killed at write {nth}: {:?}", namespace.entries());
            namespace.tool(next, &[]).exits(0);
            assert!(namespace.runs("arm64"), "{next:?} after it was killed at write {nth}");
            let entries = namespace.entries();
            let ours: Vec<_> =
                entries.iter().filter(|name| name.contains("aarch64") && !name.contains("_be")).collect();
            assert_eq!(ours, ["qemu-aarch64"], "{next:?} after it was killed at write {nth}");
        }
        assert_eq!(killed, 5, "a replacement has five writes");
    }
}

/// `--uninstall` takes what such a run left, too.
#[test]
fn uninstall_removes_the_leavings_of_a_killed_run() {
    if !has("strace") {
        return;
    }
    for list in ["arm64", "qemu-*", "*"] {
        for nth in 2..=4 {
            let Some(namespace) = Namespace::new() else { return };
            namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
            at_write(&namespace, nth, "signal=KILL", REPLACE);
            assert!(namespace.entries().iter().any(|name| name == "qemu-aarch64.new"));
            namespace.tool(&[], &["--uninstall", list]).exits(0);
            assert!(namespace.entries().is_empty(), "{list}, killed at write {nth}: {:?}", namespace.entries());
        }
    }
}

#[test]
fn replacing_all_leaves_all() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&[], &[]).exits(0);
    let before = namespace.state();
    let said = namespace.tool(&["REPLACE=true"], &[]).exits(0);
    assert_eq!(namespace.state(), before);
    assert_eq!(said.err.matches(": replaced by ").count(), before.len(), "{said:#?}");
}

/// Starts that many runs at the same moment.
fn at_once(namespace: &Namespace, count: usize, variables: &[&str]) -> Vec<Said> {
    let barrier = Barrier::new(count);
    thread::scope(|scope| {
        let run = || {
            barrier.wait();
            namespace.tool(variables, &[])
        };
        let runs: Vec<_> = (0..count).map(|_| scope.spawn(run)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

#[test]
fn runs_at_once_share_the_work() {
    for count in [2, 8] {
        for bare in [false, true] {
            let Some(namespace) = (if bare { Namespace::bare() } else { Namespace::new() }) else { return };
            let said = at_once(&namespace, count, &[]);
            let entries = namespace.entries();
            assert!(entries.len() + 1 >= architectures().len(), "{entries:?}");
            for name in &entries {
                let arch = name.strip_prefix("qemu-").unwrap();
                let count = |words: &str| {
                    let line = format!("{arch}: {words}");
                    said.iter().flat_map(|said| said.err.lines()).filter(|said| said.starts_with(&line)).count()
                };
                assert_eq!((count("registered "), count("kept")), (1, said.len() - 1), "{name}");
            }
            for said in said {
                said.exits(0);
            }
        }
    }
}

#[test]
fn runs_at_once_that_replace_lose_nothing() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&[], &[]).exits(0);
    let before = namespace.state();
    for said in at_once(&namespace, 8, &["REPLACE=true"]) {
        said.exits(0);
    }
    assert_eq!(namespace.state(), before);
    assert!(namespace.runs("arm64"));
}

#[test]
fn runs_at_once_that_replace_and_remove_do_not_fail() {
    let Some(namespace) = Namespace::new() else { return };
    thread::scope(|scope| {
        let replace = || (0..10).for_each(|_| drop(namespace.tool(REPLACE, &[]).exits(0)));
        let remove = || (0..10).for_each(|_| drop(namespace.tool(&[], &["--uninstall", "arm64"]).exits(0)));
        scope.spawn(replace);
        scope.spawn(replace);
        scope.spawn(remove);
    });
    assert!(!namespace.entries().contains(&"qemu-aarch64.new".to_string()));
}

/// An interpreter that is a program of this machine, static and executable, and no emulator.
fn no_emulator() -> Scratch {
    let scratch = Scratch::new();
    scratch.copy(program("amd64"), "qemu-aarch64");
    scratch
}

#[test]
fn a_handler_that_does_not_work_is_taken_back_if_verified() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = no_emulator();
    let said = namespace.tool(&[&scratch.variable(), "VERIFY=true"], &[]).exits(1);
    // What the interpreter itself says is shown, too.
    said.says(&["aarch64: taken back", scratch.path(), "it was started, and failed"]);
    assert!(namespace.entries().is_empty());
    // Others are registered all the same.
    scratch.copy(interpreters().join("qemu-riscv64"), "qemu-riscv64");
    namespace.tool(&[&scratch.variable(), "VERIFY=true"], &[]).exits(1).says(&["aarch64: taken back"]);
    assert_eq!(namespace.entries(), ["qemu-riscv64"]);
    // Not verified, it is registered, and does not work.
    namespace.tool(&[&scratch.variable()], &[]).exits(0);
    assert_eq!(namespace.entries(), ["qemu-aarch64", "qemu-riscv64"]);
    assert!(!namespace.runs("arm64"));
}

#[test]
fn a_replacement_that_does_not_work_leaves_the_old_entry_if_verified() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    let before = namespace.state();
    let scratch = no_emulator();
    let said = namespace.tool(&[&scratch.variable(), "VERIFY=true", "REPLACE=true"], &[]).exits(1);
    said.says(&["aarch64: taken back", scratch.path(), "it was started, and failed"]);
    assert_eq!(namespace.state(), before);
    assert!(namespace.runs("arm64"));
}

/// Nor does one that cannot be found where it is tried.
#[test]
fn an_interpreter_that_is_not_here_does_not_stand_the_proof() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let said = namespace.tool(&[&scratch.variable(), "MODE=execution", "ARCHES=arm64", "VERIFY=true"], &[]).exits(1);
    said.says_only(&["aarch64: taken back", scratch.path(), "ENOENT"]);
    assert!(namespace.entries().is_empty());
}

#[test]
fn a_stand_in_of_somebody_elses_making_is_no_obstacle() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    // As a run leaves one that was killed and whose interpreter is gone since.
    namespace.sh(&format!(
        "printf %s ':qemu-aarch64.new:E::gone::/nonexistent:' >{MOUNT}/register && echo 0 >{MOUNT}/qemu-aarch64.new"
    ));
    namespace.tool(REPLACE, &[]).exits(0);
    assert_eq!(namespace.entries(), ["qemu-aarch64"]);
    assert!(namespace.runs("arm64"));
}

/// It is all that works when the interpreter of the entry is replaced, and of no use beside an entry of somebody else's.
#[test]
fn a_stand_in_left_beside_an_entry_of_somebody_elses_is_cleaned_up() {
    if !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    at_write(&namespace, 3, "signal=KILL", REPLACE);
    assert_eq!(namespace.entries(), ["qemu-aarch64.new"]);
    let rule = namespace.tool(&["ARCHES=arm64", "REPLACE=true"], &["--print"]).exits(0).out;
    namespace.register(&rule.trim().replace("qemu-aarch64:M", "theirs:M"));
    let theirs = namespace.state()["theirs"].clone();
    // The first write of a run that registers nothing else is that.
    let said = at_write(&namespace, 1, "error=ENOMEM", &["ARCHES=arm64"]).exits(1);
    said.says(&["aarch64: kept, entry theirs"]).says(&["entry qemu-aarch64.new cannot be removed", "ENOMEM"]);
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0).says(&["aarch64: kept, entry theirs"]);
    assert_eq!(namespace.state(), [("theirs".to_string(), theirs)].into());
    assert!(namespace.runs("arm64"));
}

/// The line names the entry that stays, and not the one that was never touched.
#[test]
fn a_stand_in_that_does_not_work_and_cannot_be_removed_is_named() {
    if !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    let before = namespace.state();
    let scratch = no_emulator();
    let stand_in = host::exchanged("qemu-aarch64.new");
    let strace = ["strace", "-f", "-o", "/dev/null", "-P", &stand_in, "-e", "inject=openat:error=EIO"];
    let directory = scratch.variable();
    let variables = [&[&*directory, "VERIFY=true"], REPLACE].concat();
    let said = namespace.under(&strace, &variables, &[]).exits(1);
    said.says(&["aarch64: taken back", scratch.path()]).says(&["entry qemu-aarch64.new cannot be removed", "EIO"]);
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0).says(&["aarch64: kept"]);
    assert_eq!(namespace.state(), before);
    assert!(namespace.runs("arm64"));
}

#[test]
fn an_entry_that_another_process_removes_meanwhile_is_no_failure() {
    if !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    // The interpreter has this name too, and then the entry is opened to be read, and to be removed.
    let entry = host::exchanged("qemu-aarch64");
    let delay = "inject=openat:delay_enter=500000:when=3";
    let strace = ["strace", "-f", "-o", "/dev/null", "-P", &entry, "-e", delay];
    thread::scope(|scope| {
        let replaced = scope.spawn(|| namespace.under(&strace, REPLACE, &[]));
        let remove = format!("until [ -e {MOUNT}/qemu-aarch64.new ]; do :; done; echo -1 >{MOUNT}/qemu-aarch64");
        namespace.sh(&remove).exits(0);
        assert_eq!(namespace.entries(), ["qemu-aarch64.new"], "it came too late: nothing is shown");
        assert!(namespace.runs("arm64"));
        replaced.join().unwrap().exits(0).says_only(&["aarch64: replaced by"]);
    });
    assert_eq!(namespace.entries(), ["qemu-aarch64"]);
    assert!(namespace.runs("arm64"));
}

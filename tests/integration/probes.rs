//! Probes, by which `--status` and `VERIFY` tell what runs: that they are made in another way where one is forbidden, that
//! it is said where none is left, and that they end, whatever an interpreter does.

use crate::common::host::{self, binary};
use crate::common::namespace::{Namespace, Said, Scratch, clean, runs_i386};
use crate::common::skip;
use crate::status::{own, read};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const BOTH: &[&str] = &["ARCHES=arm64,riscv64"];

/// Executes a command under a seccomp filter: `filter ERRNO CALL... -- COMMAND...`.
const FILTER: &str = r#"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct { const char *name; int number; } calls[] = {
    { "memfd_create", SYS_memfd_create }, { "execveat", SYS_execveat }, { "fsopen", 430 },
};

int main(int count, char **words)
{
    struct sock_filter filter[16] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
    unsigned short length = 1;
    int word = 2;
    for (; word < count && strcmp(words[word], "--"); word++)
        for (int call = 0; call < 3; call++)
            if (!strcmp(words[word], calls[call].name)) {
                filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[call].number, 0, 1);
                filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | atoi(words[1]));
            }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = { length, filter };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return 98;
    execvp(words[word + 1], words + word + 1);
    return 99;
}
"#;

/// The numbers of these errors on this machine.
const ERRORS: [(&str, &str); 3] = [("ENOSYS", "38"), ("EPERM", "1"), ("EACCES", "13")];

/// Checks that the status is strict JSON with this machine's own platforms alone, and that of each other architecture it
/// is said that it could not be probed, and why.
#[track_caller]
fn could_not_probe(said: Said, why: &str) {
    let (supported, _) = read(&said);
    assert_eq!(supported, own(), "{said:#?}");
    let mut said = said.exits(1);
    for name in ["aarch64", "riscv64", "s390x", "arm"].into_iter().filter(|name| *name != host::own().0) {
        said = said.says(&[&format!("{name}: cannot tell whether this machine runs it"), why]);
    }
}

/// A namespace with handlers for two architectures, and the status there.
fn with_two_handlers() -> Option<(Namespace, String)> {
    let namespace = Namespace::new()?;
    namespace.tool(BOTH, &[]).exits(0);
    let status = namespace.tool(&[], &["--status"]).exits(0).out;
    assert!(status.contains("\"linux/arm64\"") && status.contains("\"linux/riscv64\""), "{status}");
    Some((namespace, status))
}

/// Whether the host's own programs, or what the kernel runs beside them, are those of i386.
fn i386_is_native() -> bool {
    host::name() == "i386" || host::name() == "x86_64" && runs_i386()
}

/// Without files in memory, or without the call that executes them, the probe lies in a file system of its own.
#[test]
fn status_is_right_under_a_seccomp_filter() {
    let scratch = Scratch::new();
    let Some(filter) = scratch.compiled("filter", FILTER) else { return };
    let Some((namespace, free)) = with_two_handlers() else { return };
    for (name, number) in ERRORS {
        let under = |calls: &[&str], variables: &[&str], arguments: &[&str]| {
            let words = [&[filter.to_str().unwrap(), number], calls, &["--"]].concat();
            namespace.under(&words, variables, arguments)
        };
        let calls: &[&[&str]] = &[&["memfd_create"], &["execveat"], &["memfd_create", "execveat"]];
        // EACCES of execveat(2) is a word about the program, and no filter's.
        for calls in calls.iter().filter(|calls| !(name == "EACCES" && calls.contains(&"execveat"))) {
            let said = under(calls, &[], &["--status"]).exits(0);
            assert_eq!((said.out.as_str(), said.err.as_str()), (&*free, ""), "{calls:?} {name}");
            let said = under(calls, &["VERIFY=true", "REPLACE=true", "ARCHES=arm64,riscv64,386"], &[]).exits(0);
            let said = said.says(&["aarch64: replaced"]);
            assert_eq!(said.err.contains("i386: native"), i386_is_native(), "{calls:?} {name}");
            namespace.tool(&[], &["--uninstall", "i386"]);
        }
        could_not_probe(under(&["memfd_create", "fsopen"], &[], &["--status"]), name);
        let said = under(&["memfd_create", "fsopen"], &["VERIFY=true", "ARCHES=arm64"], &[]).exits(1);
        said.says(&["aarch64: kept", "cannot be verified", name]);
    }
}

/// `vm.memfd_noexec=2`, which a PID namespace has for itself, forbids to execute files in memory.
#[test]
fn status_is_right_where_files_in_memory_may_not_be_executed() {
    let test = "status_is_right_where_files_in_memory_may_not_be_executed";
    let Some((namespace, free)) = with_two_handlers() else { return };
    let there = |script: &str| {
        let script = format!("echo 2 >/proc/sys/vm/memfd_noexec || exit 99; {script}");
        namespace.sh(&format!("exec unshare -pf sh -c '{script}'"))
    };
    let said = there("exec $TOOL --status");
    if said.status == 99 {
        return skip(test, "vm.memfd_noexec cannot be set by an ordinary user");
    }
    let said = said.exits(0);
    assert_eq!((said.out, said.err.as_str()), (free, ""));
    let said = there("VERIFY=true REPLACE=true ARCHES=arm64,386 exec $TOOL").exits(0).says(&["aarch64: replaced"]);
    assert_eq!(said.err.contains("i386: native"), i386_is_native(), "{said:#?}");
    // The other way takes the right to mount.
    let said = there("exec setpriv --bounding-set=-all --inh-caps=-all $TOOL --status");
    could_not_probe(said, "EACCES");
    assert_eq!(fs::read_to_string("/proc/sys/vm/memfd_noexec").unwrap(), "0\n", "this machine's own");
}

#[test]
fn status_without_any_process_to_be_made_says_so() {
    let test = "status_without_any_process_to_be_made_says_so";
    if host::cannot(test, "QEMU itself makes threads") {
        return;
    }
    // Root is above this limit.
    let root = Said::of(Command::new("id").arg("-u")).out == "0\n";
    let drop = if root { "setpriv --reuid=65534 --regid=65534 --clear-groups" } else { "" };
    let script = format!("exec 9<{}; exec {drop} prlimit --nproc=0:0 /proc/self/fd/9 --status --mount /", binary());
    let mut command = Command::new("sh");
    clean(&mut command);
    could_not_probe(Said::of(command.args(["-c", &script])), "EAGAIN");
}

/// With so few descriptors that a probe cannot be made, it is not the case that nothing runs.
#[test]
fn status_with_few_descriptors_is_right_or_says_so() {
    if host::cannot("status_with_few_descriptors_is_right_or_says_so", "QEMU itself needs descriptors") {
        return;
    }
    let Some((namespace, free)) = with_two_handlers() else { return };
    let mut failed = 0;
    for limit in 3..=12 {
        let said = namespace.under(&["prlimit", &format!("--nofile={limit}:{limit}"), "--"], &[], &["--status"]);
        if said.status == 0 {
            assert_eq!(said.out, free, "{limit} descriptors");
            continue;
        }
        failed += 1;
        // Either the programs or the list of entries.
        let (supported, _) = read(&said);
        if supported == own() { could_not_probe(said, "EMFILE") } else { drop(said.exits(1).says(&["EMFILE"])) }
    }
    assert!((1..10).contains(&failed), "nothing is shown: {failed}");
}

/// What interpreters do, whether a probe succeeds with it, and how.
const INTERPRETERS: [(&str, bool, &str); 6] = [
    ("pauses", false, "for (;;) pause();"),
    ("sleeps", false, "sleep(1000); return 0;"),
    ("ignores signals", false, "for (int s = 1; s < 65; s++) signal(s, SIG_IGN); for (;;) pause();"),
    ("forks", false, "fork(); fork(); for (;;) pause();"),
    ("leaves a child", true, "if (fork() == 0) for (;;) pause(); return 0;"),
    ("reads", true, "char c; return read(0, &c, 1) > 0;"),
];

/// How long a run may take, and what starting it takes beside that on a busy machine.
const LIMIT: Duration = Duration::from_secs(10 + 2);

/// Runs the tool in all ways that execute a program, each in a namespace of its own, and all at once.
fn run_with(interpreter: &Path, succeeds: bool) {
    let run = |kept: bool, command: &str| {
        let scratch = Scratch::new();
        scratch.copy(interpreter, "qemu-aarch64");
        let variable = scratch.variable();
        let namespace = Namespace::new()?;
        // Printed or registered: an emulated host is so shown the directory.
        let arguments: &[&str] = if kept { &[] } else { &["--print"] };
        namespace.tool(&[&variable, "ARCHES=arm64"], arguments).exits(0);
        // What is running at the end, and what is left to read. What hangs is killed by its PID namespace.
        let running = "sleep 0.2; for process in /mnt/[0-9]*; do readlink $process/exe; done >&2";
        let script = format!(
            "mount -t proc proc /mnt; export ARCHES=arm64 {variable}
            echo 'left to read' | {{ {command}; status=$?; {running}; cat >&2; exit $status; }}"
        );
        let start = Instant::now();
        let said = namespace
            .sh(&format!("exec timeout -s KILL 15 unshare -mpf --kill-child sh -c '{}'", script.replace('\'', "\"")));
        assert!(start.elapsed() < LIMIT, "{command}: {:?}; {said:#?}", start.elapsed());
        assert!(said.err.ends_with("left to read\n"), "{command}: {said:#?}");
        let left = said.err.lines().any(|line| line.starts_with(scratch.path()));
        assert!(!left, "{command}: left running; {said:#?}");
        assert!(said.err.contains("/sh\n") || said.err.contains("/dash\n"), "nothing is shown: {said:#?}");
        assert_eq!(namespace.entries().is_empty(), !kept && !succeeds, "{command}: {said:#?}");
        Some(said)
    };
    let words = if succeeds { "aarch64: " } else { "did not end in time" };
    let verify = |kept: bool, command: &str| {
        let said = run(kept, command)?.exits((!succeeds).into());
        Some(said.says(&[if kept { "aarch64: kept" } else { "aarch64: " }, words]))
    };
    thread::scope(|scope| {
        scope.spawn(|| verify(false, "VERIFY=true $TOOL"));
        scope.spawn(|| verify(true, "VERIFY=true $TOOL"));
        // As the first process of a container.
        scope.spawn(|| verify(false, "VERIFY=true unshare -pf $TOOL"));
        scope.spawn(|| {
            let said = run(true, "$TOOL --status")?.exits((!succeeds).into());
            assert_eq!(read(&said).0.contains(&"linux/arm64".into()), succeeds, "{said:#?}");
            Some(said)
        });
    });
}

#[test]
fn whatever_an_interpreter_does_a_run_ends_in_time_and_leaves_nothing_running() {
    let scratch = Scratch::new();
    let interpreters = INTERPRETERS.map(|(name, succeeds, body)| {
        let source = format!("#include <signal.h>\n#include <unistd.h>\nint main(void) {{ {body} }}\n");
        Some((scratch.compiled(name, &source)?, succeeds))
    });
    thread::scope(|scope| {
        for (interpreter, succeeds) in interpreters.iter().flatten() {
            scope.spawn(|| run_with(interpreter, *succeeds));
        }
    });
}

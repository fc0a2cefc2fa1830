//! `--hold`: stays, registers again what others remove, and takes back what it registered.

use crate::common::host;
use crate::common::namespace::{MOUNT, Namespace, Said, Scratch, has, interpreters, kill};
use std::fs;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What re-registering may take, and what this test may miss it by.
const SECOND: Duration = Duration::from_millis(1000);

/// Where QEMU, if there is one, keeps all that the tool has: in the second 4 GiB.
const EMULATED: &[&str] = &["QEMU_GUEST_BASE=0x100000000", "QEMU_RESERVED_VA=0x100000000"];

/// A holder, started in a namespace.
struct Holder(Child);

impl Holder {
    fn start(namespace: &Namespace, wrapper: &[&str], variables: &[&str], arguments: &[&str]) -> Self {
        let mut command = namespace.tool_command(wrapper, variables, &[&["--hold"], arguments].concat());
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Waits until it has registered, and so waits itself.
    fn ready(namespace: &Namespace, variables: &[&str], arguments: &[&str], entry: &str) -> Self {
        let holder = Self::start(namespace, &[], variables, arguments);
        eventually(|| namespace.entry(entry).is_some(), Duration::from_secs(10));
        eventually(|| holder.status("State:").starts_with('S'), Duration::from_secs(10));
        sleep(Duration::from_millis(100));
        holder
    }

    /// The process itself: `timeout` and others stand before it, and it may have a child for a moment.
    fn process(&self) -> u32 {
        let mut process = self.0.id();
        let is_it =
            |process| fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name == "binfmt_register\n");
        while !is_it(process) {
            let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
            match children.split_whitespace().next().and_then(|child| child.parse().ok()) {
                Some(child) => process = child,
                None => break,
            }
        }
        process
    }

    /// A line of its status.
    fn status(&self, name: &str) -> String {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process())).unwrap();
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_string()
    }

    /// Its memory in KiB. `VmRSS` counts in batches; this counts pages. None of QEMU's, which has [`EMULATED`] apart.
    fn resident(&self) -> u32 {
        let smaps = fs::read_to_string(format!("/proc/{}/smaps", self.process())).unwrap();
        let (mut sum, mut counts) = (0, false);
        for (first, rest) in smaps.lines().filter_map(|line| line.split_once(' ')) {
            if let Some((start, _)) = first.split_once('-') {
                counts = host::other().is_none() || u64::from_str_radix(start, 16).unwrap() >> 32 == 1;
            } else if first == "Rss:" && counts {
                sum += rest.trim().trim_end_matches(" kB").parse::<u32>().unwrap();
            }
        }
        sum
    }

    fn signal(&self, signal: &str) {
        kill(signal, self.process());
    }

    fn ended(self) -> Said {
        self.0.wait_with_output().unwrap().into()
    }

    #[track_caller]
    fn end(self, signal: &str) -> Said {
        self.signal(signal);
        self.ended().exits(0)
    }
}

/// Waits until something is so, and fails if it takes longer; how long it took.
#[track_caller]
fn eventually(is_so: impl Fn() -> bool, limit: Duration) -> Duration {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < limit, "not within {limit:?}");
        sleep(Duration::from_millis(5));
    }
    start.elapsed()
}

const ARM64: &[&str] = &["ARCHES=arm64,riscv64"];
const ENTRY: &str = "qemu-aarch64";
const THEIRS: &str = ":theirs:E::theirs::/bin/cat:";

#[test]
fn it_registers_stays_and_takes_back() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.register(THEIRS);
    namespace.tool(&["ARCHES=s390x"], &[]).exits(0);
    let before = namespace.state();
    for signal in ["TERM", "INT"] {
        let holder = Holder::ready(&namespace, &["ARCHES=arm64,riscv64,s390x"], &[], "qemu-riscv64");
        assert!(namespace.runs("arm64"));
        holder.end(signal).says(&["s390x: kept"]).says(&["qemu-aarch64: removed"]).says(&["qemu-riscv64: removed"]);
        assert_eq!(namespace.state(), before);
    }
}

#[test]
fn what_others_remove_is_there_again_within_a_second() {
    let Some(namespace) = Namespace::new() else { return };
    let holder = Holder::ready(&namespace, ARM64, &[], "qemu-riscv64");
    for (what, file) in [("-1", "status"), ("-1", ENTRY), ("-1", "status")] {
        namespace.sh(&format!("echo {what} >{MOUNT}/{file}")).exits(0);
        // Not at once: whoever flushed may register.
        assert!(namespace.entry(ENTRY).is_none());
        let took = eventually(|| namespace.entry(ENTRY).is_some() && namespace.entry("qemu-riscv64").is_some(), SECOND);
        println!("{took:?}");
        assert!(namespace.runs("arm64"));
    }
    namespace.tool(&[], &["--uninstall", "*"]).exits(0);
    eventually(|| namespace.entry(ENTRY).is_some(), SECOND);
    let said = holder.end("TERM");
    assert!(namespace.entries().is_empty());
    // The other one was there all along when only one was removed: not a word of it.
    assert_eq!(said.err.matches("riscv64: registered").count(), 4, "{said:#?}");
    assert_eq!(said.err.matches("aarch64: registered").count(), 5, "{said:#?}");
    assert!(!said.err.contains("kept"), "{said:#?}");
}

#[test]
fn what_others_registered_meanwhile_is_theirs() {
    let Some(namespace) = Namespace::new() else { return };
    let holder = Holder::ready(&namespace, ARM64, &[], "qemu-riscv64");
    // As systemd-binfmt does: all entries go, and others come, under the same name, too.
    let rule = namespace.tool(&["ARCHES=arm64", "CREDENTIALS=false"], &["--print"]).exits(0).out;
    namespace.sh(&format!("echo -1 >{MOUNT}/status && printf %s '{}' >{MOUNT}/register", rule.trim())).exits(0);
    eventually(|| namespace.entry("qemu-riscv64").is_some(), SECOND);
    assert_eq!(namespace.entry(ENTRY).unwrap().flags, "POF");
    // Disabled is not gone.
    namespace.sh(&format!("echo 0 >{MOUNT}/qemu-riscv64")).exits(0);
    sleep(SECOND);
    assert!(!namespace.entry("qemu-riscv64").unwrap().enabled);
    holder.end("TERM");
    assert_eq!(namespace.entries(), [ENTRY]);
    assert_eq!(namespace.entry(ENTRY).unwrap().flags, "POF");
}

#[test]
fn it_replaces_once() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=arm64", "CREDENTIALS=false"], &[]).exits(0);
    let holder = Holder::ready(&namespace, &["ARCHES=arm64", "REPLACE=true"], &[], ENTRY);
    eventually(|| namespace.entry(ENTRY).unwrap().flags == "POCF", SECOND);
    let before = namespace.state();
    sleep(SECOND);
    assert_eq!(namespace.state(), before);
    let said = holder.end("TERM").says(&["aarch64: replaced"]);
    assert_eq!(said.err.matches("replaced").count(), 1, "{said:#?}");
    assert!(namespace.entries().is_empty());
}

#[test]
fn if_something_fails_it_takes_back_and_ends() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    scratch.copy(interpreters().join("qemu-aarch64"), "qemu-aarch64");
    let holder = Holder::start(&namespace, &[], &["ARCHES=arm64,riscv64", &scratch.variable()], &[]);
    holder
        .ended()
        .exits(1)
        .says(&["aarch64: registered"])
        .says(&["riscv64: not registered"])
        .says(&["aarch64: removed"]);
    assert!(namespace.entries().is_empty());
    Holder::start(&namespace, &[], &["MODE=both"], &[]).ended().exits(2);
    Holder::start(&namespace, &[], &[], &["--", "true"]).ended().exits(2).says_only(&["--hold"]);
}

#[test]
fn it_costs_next_to_nothing() {
    let Some(namespace) = Namespace::new() else { return };
    let holder = Holder::ready(&namespace, EMULATED, &[], "qemu-xtensaeb");
    sleep(SECOND); // it has seen its own entries come
    let switches = || (holder.status("voluntary_ctxt_switches:"), holder.status("nonvoluntary_ctxt_switches:"));
    let open = || fs::read_dir(format!("/proc/{}/fd", holder.process())).unwrap().count();
    let (before, before_open) = (switches(), open());
    sleep(2 * SECOND);
    assert_eq!(switches(), before, "it was awake");
    namespace.sh(&format!("echo -1 >{MOUNT}/status")).exits(0);
    eventually(|| namespace.entry("qemu-xtensaeb").is_some(), SECOND);
    sleep(SECOND);
    assert_eq!(open(), before_open, "descriptors stay open");
    let resident = holder.resident();
    assert!((1..=128).contains(&resident), "{resident} KiB");
    println!("{resident} KiB");
    holder.end("TERM");
}

#[test]
fn a_kernel_that_cannot_notify_is_asked_once_a_second() {
    if !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let trace = scratch.0.join("trace");
    let strace = ["strace", "-o", trace.to_str().unwrap(), "-e", "inject=inotify_init1:error=ENOSYS"];
    let holder = Holder::start(&namespace, &strace, ARM64, &[]);
    eventually(|| namespace.entry("qemu-riscv64").is_some(), SECOND * 5);
    namespace.sh(&format!("echo -1 >{MOUNT}/status")).exits(0);
    eventually(|| namespace.entry(ENTRY).is_some(), SECOND * 2);
    sleep(SECOND * 3);
    holder.end("TERM");
    assert!(namespace.entries().is_empty());
    // Each time it makes a child process to register what is missing.
    let times = fs::read_to_string(trace).unwrap().matches("clone(").count();
    assert!((3..=7).contains(&times), "{times} times");
}

#[test]
fn the_first_process_of_a_container_buries_the_dead() {
    let Some(namespace) = Namespace::new() else { return };
    // The shell becomes the holder; what it had started becomes its child when its own parent ends.
    let script = "mount -t proc proc /proc; (sleep 0.3 & sleep 0.4 &) ; exec \"$0\" \"$@\"";
    let holder = Holder::start(&namespace, &["unshare", "-mpf", "sh", "-c", script], &["ARCHES=arm64"], &[]);
    eventually(|| namespace.entry(ENTRY).is_some(), SECOND * 5);
    sleep(SECOND);
    let process = holder.process();
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap();
    assert_eq!(children, "");
    assert!(holder.status("NSpid:").ends_with("\t1"));
    // From inside, PID 1 gets only signals it wants.
    holder.end("TERM").says(&["qemu-aarch64: removed"]);
    assert!(namespace.entries().is_empty());
}

/// Whoever writes to binfmt_misc all the time does not keep it from registering again.
#[test]
fn changes_that_go_on_do_not_put_it_off() {
    let Some(namespace) = Namespace::new() else { return };
    let holder = Holder::ready(&namespace, ARM64, &[], "qemu-riscv64");
    let script = format!("for i in 1 2 3 4 5 6 7 8; do echo 1 >{MOUNT}/status; sleep 0.2; done");
    let mut writing = namespace.command("sh").args(["-c", &script]).spawn().unwrap();
    namespace.sh(&format!("echo -1 >{MOUNT}/{ENTRY}")).exits(0);
    eventually(|| namespace.entry(ENTRY).is_some(), SECOND);
    assert!(writing.try_wait().unwrap().is_none(), "nothing is shown");
    writing.wait().unwrap();
    holder.end("TERM");
}

/// Where there is no place for a mount, its own descriptor keeps the file system until the end.
#[test]
fn without_a_mount_it_keeps_the_registrations_itself() {
    let Some(namespace) = Namespace::bare() else { return };
    let holder = Holder::start(&namespace, &[], &["ARCHES=arm64"], &["--mount", "/nonexistent"]);
    eventually(|| namespace.runs("arm64"), SECOND * 10);
    sleep(SECOND);
    assert!(namespace.runs("arm64"));
    holder.end("TERM").says(&["aarch64: registered"]).says(&["qemu-aarch64: removed"]);
    assert!(!namespace.runs("arm64"));
}

#[test]
fn without_a_process_to_be_had_it_says_so() {
    if host::cannot("without_a_process_to_be_had_it_says_so", "QEMU itself makes threads") || !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let strace = ["strace", "-o", "/dev/null", "-e", "inject=clone:error=EAGAIN"];
    Holder::start(&namespace, &strace, ARM64, &[]).ended().exits(1).says_only(&["--hold", "process", "EAGAIN"]);
    assert!(namespace.entries().is_empty());
}

/// How often a holder has said that it holds, and that it registered again.
fn holding(said: &Said) -> (usize, usize) {
    let count =
        |words: &str| said.err.lines().filter(|line| line.starts_with("--hold:") && line.contains(words)).count();
    (count("stays"), count("again, because"))
}

#[test]
fn it_says_that_it_holds_and_why_it_registers_again_and_nothing_twice() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=s390x"], &[]).exits(0);
    let arches = &["ARCHES=arm64,riscv64,s390x"];
    // What changes without a loss is not worth a word.
    let changes = |holder: &Holder| {
        for _ in 0..3 {
            namespace.sh(&format!("echo 1 >{MOUNT}/status")).exits(0);
            sleep(SECOND * 7 / 10);
            eventually(|| holder.status("State:").starts_with('S'), SECOND);
        }
    };
    let holder = Holder::ready(&namespace, arches, &[], "qemu-riscv64");
    changes(&holder);
    let said = holder.end("TERM");
    assert_eq!(holding(&said), (1, 0), "{said:#?}");
    let lines: Vec<_> = said.err.lines().collect();
    assert_eq!(lines.len(), 7, "{said:#?}"); // three architectures, the namespace, that it holds, two removed
    // What is lost is.
    let holder = Holder::ready(&namespace, arches, &[], "qemu-riscv64");
    for _ in 0..2 {
        namespace.sh(&format!("echo -1 >{MOUNT}/{ENTRY}")).exits(0);
        eventually(|| namespace.entry(ENTRY).is_some(), SECOND);
        changes(&holder);
    }
    let said = holder.end("TERM");
    assert_eq!(holding(&said), (1, 2), "{said:#?}");
    assert_eq!(said.err.matches("aarch64: registered").count(), 3, "{said:#?}");
    assert_eq!(said.err.matches("s390x: kept").count(), 1, "{said:#?}");
    assert_eq!(said.err.matches("for this user namespace").count(), 1, "{said:#?}");
}

/// Not even where it cannot tell which user namespace it is in, which it says.
#[test]
fn what_it_cannot_tell_is_said_once() {
    if host::cannot("what_it_cannot_tell_is_said_once", "QEMU itself needs /proc") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let place = Scratch::new();
    let script = format!("mount --bind {MOUNT} {0} && mount -t tmpfs tmpfs /proc && exec \"$0\" \"$@\"", place.path());
    let mount = ["unshare", "-m", "sh", "-c", &script];
    let holder = Holder::start(&namespace, &mount, ARM64, &["--mount", place.path()]);
    eventually(|| namespace.entry("qemu-riscv64").is_some(), SECOND * 5);
    for _ in 0..3 {
        sleep(SECOND);
        namespace.sh(&format!("echo 1 >{MOUNT}/status")).exits(0);
    }
    sleep(SECOND);
    let said = holder.end("TERM");
    assert_eq!(said.err.matches("no pin: cannot tell").count(), 1, "{said:#?}");
    assert_eq!(holding(&said), (1, 0), "{said:#?}");
    assert!(namespace.entries().is_empty());
}

/// Somebody who has locked binfmt_misc until this is dropped.
struct Lock(Child);

impl Lock {
    fn new(namespace: &Namespace) -> Self {
        let script = format!("exec 9>{MOUNT}/register && flock 9 && exec sleep 15");
        let child = namespace.long_command("sh").args(["-c", &script]).stdin(Stdio::null()).spawn().unwrap();
        // It is asleep when it has the lock.
        let executes =
            |name: &str| fs::read_to_string(format!("/proc/{}/comm", child.id())).is_ok_and(|comm| comm == name);
        eventually(|| executes("sleep\n"), SECOND * 5);
        Self(child)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_ends_within_a_second_while_another_process_has_the_lock() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=s390x"], &[]).exits(0);
    let before = namespace.state();
    for signal in ["TERM", "INT"] {
        // At rest; when it would register again; before it has registered at all.
        for removed in [Some(false), Some(true), None] {
            let lock = removed.is_none().then(|| Lock::new(&namespace));
            let holder = match removed {
                Some(_) => Holder::ready(&namespace, ARM64, &[], "qemu-riscv64"),
                None => {
                    let holder = Holder::start(&namespace, &[], ARM64, &[]);
                    sleep(SECOND);
                    assert_eq!(namespace.state(), before, "it did not wait: nothing is shown");
                    holder
                }
            };
            let _lock = lock.unwrap_or_else(|| Lock::new(&namespace));
            if removed == Some(true) {
                namespace.sh(&format!("echo -1 >{MOUNT}/{ENTRY}")).exits(0);
                sleep(SECOND);
                assert!(namespace.entry(ENTRY).is_none(), "it did not wait: nothing is shown");
            }
            let start = Instant::now();
            holder.signal(signal);
            let said = holder.ended();
            let took = start.elapsed();
            assert!(took < SECOND, "{signal}, {removed:?}: {took:?}, {said:#?}");
            assert_eq!(said.status, 0, "{signal}, {removed:?}: {said:#?}");
            assert_eq!(namespace.state(), before, "{signal}, {removed:?}: {said:#?}");
        }
    }
}

#[test]
fn what_a_killed_holder_left_is_the_next_ones() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.tool(&["ARCHES=s390x"], &[]).exits(0);
    let before = namespace.state();
    let all = &["ARCHES=arm64,riscv64,s390x"];
    let holder = Holder::ready(&namespace, all, &[], "qemu-riscv64");
    holder.signal("KILL");
    holder.ended();
    let left = namespace.state();
    assert!(namespace.runs("arm64") && left.len() == 3);
    // To a run without --hold they are as any other.
    let said = namespace.tool(all, &[]).exits(0);
    assert_eq!(said.err.matches("kept, entry").count(), 3, "{said:#?}");
    assert_eq!(namespace.state(), left);
    let holder = Holder::start(&namespace, &[], all, &[]);
    sleep(SECOND);
    let said = holder.end("TERM").says(&["aarch64: kept"]).says(&["qemu-aarch64: removed"]);
    assert_eq!(holding(&said), (1, 0), "{said:#?}");
    assert_eq!(namespace.state(), before);
}

/// A kernel that does not notify is asked once a second. What fails each time, as it does when an interpreter is gone, is
/// said once, and what fails anew is said, too.
#[test]
fn what_goes_on_failing_is_said_once() {
    let test = "what_goes_on_failing_is_said_once";
    if host::cannot(test, "the files it is shown are those of its start") || !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    for name in ["qemu-aarch64", "qemu-riscv64"] {
        scratch.copy(interpreters().join(name), name);
    }
    let strace = ["strace", "-o", "/dev/null", "-e", "inject=inotify_init1:error=ENOSYS"];
    let holder = Holder::start(&namespace, &strace, &["ARCHES=arm64,riscv64", &scratch.variable()], &[]);
    eventually(|| namespace.entry("qemu-riscv64").is_some(), SECOND * 5);
    sleep(SECOND);
    for name in ["qemu-aarch64", "qemu-riscv64"] {
        fs::remove_file(scratch.0.join(name)).unwrap();
        namespace.sh(&format!("echo -1 >{MOUNT}/{name}")).exits(0);
        sleep(SECOND * 4);
    }
    // It is there again, as a whole.
    let part = scratch.copy(interpreters().join("qemu-riscv64"), "part");
    fs::rename(part, scratch.0.join("qemu-riscv64")).unwrap();
    eventually(|| namespace.entry("qemu-riscv64").is_some(), SECOND * 2);
    sleep(SECOND * 3);
    let said = holder.end("TERM");
    let count = |words: &str| said.err.matches(words).count();
    // Once more with each line that comes or goes beside it.
    assert!((1..=4).contains(&count("aarch64: not registered")), "{said:#?}");
    assert_eq!(count("riscv64: not registered"), 1, "{said:#?}");
    assert_eq!((count("riscv64: registered"), holding(&said)), (2, (1, 1)), "{said:#?}");
}

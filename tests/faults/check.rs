//! What has to be so after every run.

use crate::jobs::{EXPLAIN, End, Mount, Own};
use crate::programs::{ARCHES, THEIRS};
use crate::state::{self, State};
use crate::trace::{Call, Ending, Fault, Run, What};
use crate::work::Place;
use nix::errno::Errno;
use nix::libc;

/// The names of the entries of others.
pub const OTHERS: [&str; 2] = ["theirs", "bystander"];

/// A run, and what was there before and after it.
pub struct Ran {
    pub run: Run,
    pub before: State,
    pub after: State,
    /// The architectures whose programs run, of those that are looked at.
    pub runs: Vec<&'static str>,
}

/// What is not as it has to be after a run with this fault. `faultless` is the run without.
pub fn faulty(place: &Place, faultless: &Ran, ran: &Ran, call: Call, fault: Fault) -> Vec<String> {
    let mut wrong = Vec::new();
    let Ran { run, before, after, runs } = ran;
    // A killed child is for its parent to answer for.
    let killed = call.process == 0 && !matches!(fault.what, What::Fails(_));
    // What cannot be written is lost. That must not keep the tool from registering, and what is said of it would be
    // lost too (`what_cannot_be_said_does_not_stop_a_registration`).
    let mute = is_write_to_stderr(call) && !matches!(fault.what, What::Fails(Errno::EINTR));
    let explains = place.job.name == EXPLAIN;
    let explained = if explains { &*run.out } else { "" };
    let known = |line: &str| faultless.run.err.lines().chain(faultless.run.out.lines()).any(|known| known == line);
    let new_lines = || run.err.lines().chain(explained.lines()).filter(|line| !known(line));
    let answer = is_an_answer(call, fault) || explains && is_an_answer_about_a_file(call, fault);
    // Nor can it be told whose binfmt_misc it is: it says so, and what runs is found by executing it.
    let answer = answer || call.number == libc::SYS_newfstatat && explained.contains("whose cannot be told");
    if explains && !answer && run.out.contains("does not run here") {
        wrong.push(format!("an error is not taken for an absence: {:?}", run.out));
    }
    match run.ending {
        Ending::Hung => wrong.push("it ends".into()),
        Ending::Exit(0) if answer => {}
        Ending::Exit(0) => {
            let mut expected = as_expected(place, &faultless.after, after, call, fault);
            // Enabled the pin keeps them too. The next run disables it.
            expected.entries.extend(enabled_pin(after));
            if after != &expected {
                wrong.push(format!("exit 0: all is as asked for: {}", difference(&expected, after)));
            }
            if run.out != faultless.run.out {
                wrong.push(format!("exit 0: the output is the same, not {:?}", run.out));
            }
            // A holder keeps the entries itself, so it does without the pin.
            let needless = |line: &&str| place.job.end == End::Signal && *line == "binfmt_register: removed";
            let is_missing = |line: &&str| !run.err.lines().any(|said| said == *line) && !needless(line);
            let missing = faultless.run.err.lines().find(is_missing);
            // It says instead that it cannot tell in which user namespace it is.
            let missing = missing.filter(|_| call.number != libc::SYS_newfstatat || new_lines().next().is_none());
            if let Some(line) = missing.filter(|_| !mute) {
                wrong.push(format!("exit 0: it says: {line}"));
            }
        }
        Ending::Exit(_) if mute => {}
        Ending::Exit(status) if new_lines().next().is_none() => {
            wrong.push(format!("exit {status}: a line says what failed"));
        }
        Ending::Signal(signal) if !killed => wrong.push(format!("no signal ends it, as {signal} did")),
        _ => {}
    }
    for name in OTHERS {
        if after.entries.get(name) != before.entries.get(name) {
            wrong.push(format!("entry {name} of others is unchanged"));
        }
    }
    for (arch, _) in ARCHES.into_iter().chain([THEIRS]) {
        if place.is_checked(arch) && !runs.contains(&arch) {
            wrong.push(format!("{arch} still has a handler: {}", difference(before, after)));
        }
        let stand_in = format!("qemu-{arch}.new");
        let said = || new_lines().any(|line| line.contains(arch));
        if !killed
            && after.entries.contains_key(&stand_in)
            && !before.entries.contains_key(&stand_in)
            && !mute
            && !said()
        {
            wrong.push(format!("the stand-in {stand_in} is left, and a line says so"));
        }
    }
    for (name, text) in &after.entries {
        let known = [before, &faultless.after].iter().any(|state| state.entries.get(name) == Some(text));
        let new = name.strip_suffix(".new").and_then(|name| place.new.get(name));
        let own = place.new.get(name);
        let known = known || enabled_pin(after).is_some_and(|(pin, _)| pin == *name);
        if !known && own != Some(text) && new != Some(text) {
            wrong.push(format!("there is no entry {name}: {}", brief(text)));
        }
    }
    wrong
}

/// What is not as it has to be after one more run, without a fault.
pub fn next(place: &Place, faultless: &Ran, next: &Ran, call: Call, fault: Fault) -> Vec<String> {
    let mut wrong = Vec::new();
    if next.run.ending != Ending::Exit(0) {
        wrong.push(format!("the next run: exit 0, not {:?}: {:?}", next.run.ending, next.run.err));
    }
    let expected = as_expected(place, &faultless.after, &next.after, call, fault);
    if next.after != expected {
        wrong.push(format!("after the next run all is as asked for: {}", difference(&expected, &next.after)));
    }
    if next.run.out != faultless.run.out {
        wrong.push(format!("the next run: the output is the same, not {:?}", next.run.out));
    }
    wrong
}

/// The state that is expected, where this `is` the state.
fn as_expected(place: &Place, expected: &State, is: &State, call: Call, fault: Fault) -> State {
    let mut expected = expected.clone();
    // Where there are no such calls, or they are denied, it is mounted at its usual place, and stays.
    let by_mount = matches!(call.number, libc::SYS_fsopen | libc::SYS_fsconfig | libc::SYS_fsmount)
        && matches!(fault.what, What::Fails(Errno::EPERM | Errno::ENOSYS | Errno::EACCES));
    // What is denied is tried by a mount of its own.
    let denied = matches!(call.number, libc::SYS_openat | libc::SYS_fstatfs)
        && matches!(fault.what, What::Fails(Errno::EPERM | Errno::EACCES));
    let registers = place.job.after != Own::None || place.job.end == End::Signal;
    let by_mount = by_mount && registers && place.job.mount == Mount::InMachine;
    if denied || is_an_answer(call, fault) || by_mount {
        let mounted = (state::MOUNT.to_string(), "binfmt_misc".to_string());
        if is.mounts.len() == expected.mounts.len() + 1 && is.mounts.last() == Some(&mounted) {
            expected.mounts.push(mounted);
        }
    }
    expected
}

/// The pin, if it is enabled.
fn enabled_pin(state: &State) -> Option<(String, String)> {
    let (name, text) = state.entries.get_key_value("binfmt_register")?;
    text.starts_with("enabled\n").then(|| (name.clone(), text.clone()))
}

/// Whether the error says how things are, so that a tool that believes it is right.
fn is_an_answer(call: Call, fault: Fault) -> bool {
    match (call.number, fault.what) {
        // The interpreter may not be executed. So the machine does not run these programs.
        (libc::SYS_execveat, What::Fails(Errno::EACCES)) => true,
        // What is mounted belongs to another user namespace. So this one's own is mounted over it.
        (libc::SYS_ioctl, What::Fails(Errno::EPERM)) => true,
        _ => false,
    }
}

/// The same of the files that are explained: this user may not execute one, or may not look at an interpreter, which the
/// kernel has open.
fn is_an_answer_about_a_file(call: Call, fault: Fault) -> bool {
    matches!(call.number, libc::SYS_faccessat2 | libc::SYS_openat) && matches!(fault.what, What::Fails(Errno::EACCES))
}

fn is_write_to_stderr(call: Call) -> bool {
    call.number == libc::SYS_write && call.first_argument == libc::STDERR_FILENO as u64
}

/// What is missing, there, or different in the one state against the other.
fn difference(expected: &State, is: &State) -> String {
    let mut words = Vec::new();
    for (name, text) in &expected.entries {
        match is.entries.get(name) {
            None => words.push(format!("-{name}")),
            Some(other) if other != text => words.push(format!("{name} is {}", brief(other))),
            Some(_) => {}
        }
    }
    words.extend(is.entries.keys().filter(|name| !expected.entries.contains_key(*name)).map(|name| format!("+{name}")));
    let count = |state: &State, mount| state.mounts.iter().filter(|other| *other == mount).count();
    for mount in expected.mounts.iter().chain(&is.mounts) {
        let (before, now) = (count(expected, mount), count(is, mount));
        let word = format!("{} at {}: {now} times, not {before}", mount.1, mount.0);
        if before != now && !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

/// The first lines of an entry: enabled or not, interpreter, flags.
fn brief(text: &str) -> String {
    text.lines().take(3).collect::<Vec<_>>().join(", ")
}

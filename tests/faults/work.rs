//! Does one job again and again, with a fault at every call. It is a process of its own, in a namespace or a machine of
//! its own: it waits for any child, and changes what is registered.

use crate::check::{self, Ran};
use crate::jobs::{End, Job, Mount, Own};
use crate::names::name_of;
use crate::programs::{self, ARCHES, THEIRS};
use crate::state::{self, State};
use crate::trace::{Call, Ending, Fault, Way, What, run};
use nix::errno::Errno;
use nix::libc;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The errors that every call fails with.
const ERRORS: [Errno; 8] =
    [Errno::EPERM, Errno::ENOMEM, Errno::EIO, Errno::EINTR, Errno::EMFILE, Errno::ENOSYS, Errno::EACCES, Errno::EINVAL];

/// An entry that no program matches.
const BYSTANDER: &str = r":bystander:M:2:\x4a\x4b:\xff\xff:/bin/false:";

/// Where a job is done.
pub struct Place {
    pub job: Job,
    tool: PathBuf,
    directory: PathBuf,
    /// What is mounted and what is registered before a run.
    mounts: Vec<(String, String)>,
    lines: Vec<String>,
    /// This tool's entries as they are to be: name and text.
    pub new: BTreeMap<String, String>,
}

impl Place {
    fn new(job: Job, tool: &Path, directory: &Path) -> Self {
        programs::write(directory);
        let (tool, directory, mounts) = (tool.to_path_buf(), directory.to_path_buf(), state::mounts());
        let mut place = Self { job, tool, directory, mounts, lines: Vec::new(), new: BTreeMap::new() };
        let others = place.rules("new", THEIRS.0).replace(":qemu-s390x:", ":theirs:");
        let [old, new] = ["old", "new"].map(|from| ARCHES.map(|(arch, _)| place.rules(from, arch)));
        if job.mount != Mount::Nowhere {
            state::reset(&place.mounts, &[]);
            place.register();
            place.new = State::read().entries;
            if job.end == End::Signal {
                // By this a holder knows its entries.
                let text = |text: &mut String| *text = text.replace("/new/qemu-", "/new/././qemu-");
                place.new.values_mut().for_each(text);
            }
        }
        if job.mount == Mount::There {
            place.lines = vec![others, BYSTANDER.into()];
        }
        if job.has("RULES") {
            let rule = |from: &str| format!(":opened:M:4:JK::{}/{from}/qemu-aarch64:OF\n", place.directory.display());
            let looked_for = ":looked-for:E::jk::/bin/false:\n";
            fs::create_dir_all(place.directory.join("rules")).unwrap();
            fs::write(place.directory.join("rules/a.conf"), looked_for.to_string() + &rule("new")).unwrap();
            if job.end == End::Signal {
                let opened = format!(
                    "enabled\ninterpreter {}/new/././qemu-aarch64\nflags: OF\noffset 4\nmagic 4a4b\n",
                    place.directory.display()
                );
                let looked_for = "enabled\ninterpreter /bin/././false\nflags: \nextension .jk\n";
                place.new.extend([("opened".into(), opened), ("looked-for".into(), looked_for.into())]);
            }
            if job.has("REPLACE") {
                place.lines.push(rule("old"));
            }
        }
        match job.before {
            Own::None if job.stand_ins => {
                // Their names end with the first colon after them.
                let stand_in = |rule: &String| rule.replacen(":M::", ".new:M::", 1);
                place.lines.extend(old.iter().map(stand_in));
            }
            Own::None => {}
            Own::Old => place.lines.extend(old),
            Own::New => place.lines.extend(new),
        }
        place
    }

    fn command(&self, interpreters: &str) -> Command {
        let mut command = Command::new(&self.tool);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("QEMU_BINARY_PATH", self.directory.join(interpreters));
        command.current_dir(&self.directory);
        command
    }

    /// The rule of an architecture for an interpreter in that directory.
    fn rules(&self, interpreters: &str, arch: &str) -> String {
        let output = self.command(interpreters).arg("--print").env("ARCHES", arch).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Whether programs of that architecture have to run all along.
    pub fn is_checked(&self, arch: &str) -> bool {
        if arch == THEIRS.0 { self.job.mount == Mount::There } else { self.job.keeps_handlers() }
    }

    /// Whether a program of that architecture runs.
    fn runs(&self, arch: &str) -> bool {
        let status = Command::new(self.directory.join(format!("program-{arch}"))).status();
        status.is_ok_and(|status| status.success())
    }

    fn reset(&self) {
        state::reset(&self.mounts, &self.lines);
        // The tool itself sets the pin.
        if self.job.mount == Mount::InMachine && self.job.before != Own::None {
            self.register();
        }
    }

    fn register(&self) {
        let output = self.command("new").env("ARCHES", "arm64,riscv64").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// A run in this state.
    fn run(&self, numbered: bool, fault: Option<Fault>, before: &State) -> Ran {
        let mut command = self.command("new");
        command.args(self.job.arguments).envs(self.job.variables.iter().copied());
        let terminate = self.job.end == End::Signal;
        let run = run(&mut command, Way { numbered: numbered || terminate, fault, terminate });
        let arches = ARCHES.into_iter().chain([THEIRS]).map(|(arch, _)| arch);
        let runs = arches.filter(|arch| self.is_checked(arch) && self.runs(arch)).collect();
        Ran { run, before: before.clone(), after: State::read(), runs }
    }

    /// A run without a fault, which has to do what the job is for.
    fn faultless(&self) -> Ran {
        self.reset();
        let ran = self.run(true, None, &State::read());
        assert_eq!(ran.run.ending, Ending::Exit(0), "{:#?}", ran.run);
        for (arch, _) in ARCHES {
            let text = ran.after.entries.get(&format!("qemu-{arch}"));
            let interpreter = format!("enabled\ninterpreter {}/new/qemu-{arch}\n", self.directory.display());
            let is_as_asked_for = match self.job.after {
                Own::None => text.is_none(),
                _ => text.is_some_and(|text| text.starts_with(&interpreter)) && self.runs(arch),
            };
            assert!(is_as_asked_for, "{ran:#?}", ran = (&ran.run, &ran.after));
        }
        ran
    }

    /// Notes that a run with this fault, which said `err`, violates something. Those of one call that differ in nothing
    /// but the error are one.
    fn note(&self, violations: &mut Violations, fault: Fault, wrong: &[String], err: &str) {
        let name = match fault.what {
            What::Fails(errno) => format!("{errno:?}"),
            What::KilledBefore => "killed before".into(),
            What::KilledAfter => "killed after".into(),
        };
        let mut text: String = wrong.iter().map(|wrong| format!("  expected: {wrong}\n")).collect();
        text.extend(err.replace(&name, "ERROR").lines().map(|line| format!("  | {line}\n")));
        let text = text.replace(self.directory.to_str().unwrap(), "");
        violations.entry((fault.call, text)).or_default().push(name);
    }
}

/// What was counted.
#[derive(Default)]
struct Counts {
    faults: usize,
    kills: usize,
    /// Runs whose calls before the fault were others than those of the run without.
    unlike: usize,
}

/// Violations by what they have in common, with the faults that lead to each.
type Violations = BTreeMap<(usize, String), Vec<String>>;

/// Does the job with each fault. Prints the violations, and at the end a line with the counts.
pub fn work(job: Job, tool: &Path, directory: &Path) {
    let mut place = Place::new(job, tool, directory);
    let faultless = place.faultless();
    if place.new.is_empty() || job.has("RULES") && job.end != End::Signal {
        place.new = faultless.after.entries.clone();
    }
    let mut counts = Counts::default();
    let mut violations = Violations::new();
    let calls = &faultless.run.calls;
    if !alike(calls, &place.faultless().run.calls, calls.len()) {
        counts.unlike += 1;
    }
    for (number, &call) in calls.iter().enumerate() {
        // `uname` fails for a bad address only.
        let fails = ERRORS.map(What::Fails).into_iter().filter(|_| call.number != libc::SYS_uname);
        let after = call.returned.then_some(What::KilledAfter);
        for what in fails.chain([What::KilledBefore]).chain(after) {
            *(if let What::Fails(_) = what { &mut counts.faults } else { &mut counts.kills }) += 1;
            let fault = Fault { call: number, what };
            place.reset();
            let ran = place.run(true, Some(fault), &faultless.before);
            if !alike(calls, &ran.run.calls, number + 1) {
                counts.unlike += 1;
            }
            let next = place.run(false, None, &ran.after);
            let mut wrong = check::faulty(&place, &faultless, &ran, call, fault);
            wrong.extend(check::next(&place, &faultless, &next, call, fault));
            if !wrong.is_empty() {
                place.note(&mut violations, fault, &wrong, &ran.run.err);
            }
        }
    }
    for ((number, text), faults) in &violations {
        let call = calls[*number];
        let name = name_of(call.number);
        let faults = faults.join(" ");
        print!("{}: call {number}, {name} of process {}: {faults}\n{text}", job.name, call.process);
    }
    let Counts { faults, kills, unlike } = counts;
    let (name, calls, wrong) = (job.name, calls.len(), violations.values().map(Vec::len).sum::<usize>());
    println!("{name}: {calls} calls, {faults} faults, {kills} kills, {unlike} not deterministic, {wrong} violations");
}

/// Whether the first calls are the same.
fn alike(one: &[Call], other: &[Call], length: usize) -> bool {
    let key = |call: &Call| (call.process, call.number);
    one.len() >= length && one.iter().take(length).map(key).eq(other.iter().take(length).map(key))
}

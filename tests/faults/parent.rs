//! Starts a process for each job, and adds up what they tell.

use crate::common::namespace::{Namespace, Scratch};
use crate::common::{shipped, skip};
use crate::jobs::{JOBS, Job, Mount};
use crate::machine::{Machine, need};
use crate::work::work;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use std::path::Path;
use std::process::{Stdio, exit};
use std::sync::Mutex;
use std::time::Instant;
use std::{env, fs, thread};

/// How many jobs are done at once.
const THREADS: usize = 2;

/// The Debian release whose kernel a machine has, and how many seconds it may take. It is emulated.
const SUITE: &str = "trixie";
const SECONDS: &str = "900";

/// `faults work JOB TOOL DIRECTORY` does one job, where it is started. `faults [JOB]…` does these jobs, or all.
pub fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [word, name, tool, directory] if word == "work" => {
            set_pdeathsig(Signal::SIGKILL).unwrap();
            let job = JOBS.iter().find(|job| job.name == name).unwrap_or_else(|| panic!("no job {name}"));
            work(*job, Path::new(tool), Path::new(directory));
        }
        names => all(names),
    }
}

/// Does the jobs of these names, or all of them, each in a namespace.
fn all(names: &[String]) {
    let start = Instant::now();
    let chosen = |job: &&Job| names.is_empty() || names.iter().any(|name| name == job.name);
    let jobs = Mutex::new(JOBS.iter().filter(chosen));
    let results = Mutex::new(Vec::new());
    let take = || {
        while let Some(job) = { jobs.lock().unwrap().next() } {
            let done = if job.mount == Mount::InMachine { in_machine(job) } else { in_namespace(job) };
            if let Some(result) = done {
                println!("{}", result.lines().last().unwrap_or_default());
                results.lock().unwrap().push((job.name, result));
            }
        }
    };
    thread::scope(|scope| {
        for number in 0..THREADS {
            thread::Builder::new().name(format!("faults {number}")).spawn_scoped(scope, take).unwrap();
        }
    });
    let results = results.into_inner().unwrap();
    let sum = |word: &str| results.iter().filter_map(|(_, said)| count(said, word)).sum::<usize>();
    let numbers =
        ["calls", "faults", "kills", "not deterministic", "violations"].map(|word| format!("{} {word}", sum(word)));
    println!("{} jobs: {}, {} s", results.len(), numbers.join(", "), start.elapsed().as_secs());
    let failed: Vec<&str> =
        results.iter().filter(|(_, said)| count(said, "violations") != Some(0)).map(|(name, _)| *name).collect();
    if !failed.is_empty() {
        results.iter().for_each(|(_, said)| println!("\n{}", said.trim_end()));
        println!("\nfailed: {}", failed.join("; "));
        exit(1);
    }
}

/// Does a job in a namespace of its own. What its process said; `None` where there can be no namespace.
fn in_namespace(job: &Job) -> Option<String> {
    let namespace = if job.mount == Mount::There { Namespace::new() } else { Namespace::bare() }?;
    let scratch = Scratch::new();
    let mut command = namespace.long_command(env::current_exe().unwrap());
    command.args(["work", job.name, shipped(), scratch.path()]).stdin(Stdio::null()).stderr(Stdio::inherit());
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    Some(said)
}

/// Does a job in a machine of its own, where this program, its libraries and the tool are. What it said; `None` where
/// there can be no machine.
fn in_machine(job: &Job) -> Option<String> {
    if let Err(why) = need(SUITE) {
        skip(&format!("faults {}", job.name), &why);
        return None;
    }
    let mut machine = Machine::new(SUITE)
        .long(SECONDS)
        .file("/faults", env::current_exe().unwrap())
        .file("/bin/binfmt_register", shipped())
        .run("mkdir -p /dev /proc /work && mknod -m 666 /dev/null c 1 3 && mount -t proc proc /proc && modprobe fs-binfmt_misc")
        .run(&format!("LD_LIBRARY_PATH=/lib64 /faults work '{}' /bin/binfmt_register /work 2>&1", job.name));
    // What this process itself has loaded: its libraries, and the dynamic linker.
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let library = line.split_whitespace().nth(5).filter(|path| path.contains(".so"));
        if let Some((_, name)) = library.and_then(|path| path.rsplit_once('/')) {
            machine = machine.file(&format!("/lib64/{name}"), library.unwrap());
        }
    }
    let console = machine.boot();
    let [_, work] = console.ran();
    Some(work.output.clone())
}

/// The number before a word in the last line, which has the counts.
fn count(said: &str, word: &str) -> Option<usize> {
    let counts = said.lines().last()?.split_once(": ")?.1;
    counts.split(", ").find_map(|count| count.strip_suffix(word)?.trim().parse().ok())
}

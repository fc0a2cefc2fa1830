//! Starts a process for each job, and adds up what they tell.

use crate::common::namespace::{Namespace, Scratch};
use crate::common::shipped;
use crate::jobs::{JOBS, Job, Mount};
use crate::work::work;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use std::path::Path;
use std::process::{Stdio, exit};
use std::sync::Mutex;
use std::{env, thread};

/// How many jobs are done at once.
const THREADS: usize = 2;

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
    let chosen = |job: &&Job| names.is_empty() || names.iter().any(|name| name == job.name);
    let jobs = Mutex::new(JOBS.iter().filter(chosen).filter(|job| job.mount != Mount::InMachine));
    let results = Mutex::new(Vec::new());
    let take = || {
        while let Some(job) = { jobs.lock().unwrap().next() } {
            if let Some(result) = in_namespace(job) {
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
    println!("{} jobs: {}", results.len(), numbers.join(", "));
    let failed: Vec<&str> =
        results.iter().filter(|(_, said)| count(said, "violations") != Some(0)).map(|(name, _)| *name).collect();
    if !failed.is_empty() {
        results.iter().for_each(|(_, said)| print!("\n{said}"));
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
    println!("{}", said.lines().last().unwrap_or_default());
    Some(said)
}

/// The number before a word in the last line, which has the counts.
fn count(said: &str, word: &str) -> Option<usize> {
    let counts = said.lines().last()?.split_once(": ")?.1;
    counts.split(", ").find_map(|count| count.strip_suffix(word)?.trim().parse().ok())
}

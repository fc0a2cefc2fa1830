//! The interpreters that `make interpreters` builds, on real programs, with Debian's of the same version beside them in the
//! same run: a failure says whose it is. It needs root, but changes nothing on this machine: interpreters are registered in
//! a user namespace that has everybody in it, and file systems mounted in a namespace.
//!
//! `TEST_INTERPRETERS` names the directory that holds ours. `QUICK=1` takes what shows most in a few minutes; without it,
//! `ARCHITECTURES` are the systems to be made, by Debian's names. What passes and fails is written to
//! `target/interpreters-board`.

mod attributes;
#[path = "../common/mod.rs"]
mod common;
mod directories;
#[path = "../boot/machine.rs"]
mod machine;
mod own;
mod programs;
mod shared_builtin;
mod shared_code;
mod shared_random;
mod shared_security;
mod shared_suites;
mod shared_systems;
mod shared_users;
mod starts;
mod systems;
mod translations;
mod tree;

use common::{TOP, debian, fetch, skip};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs, thread};

/// Both interpreters of each architecture, by their directories.
pub struct Both {
    /// Ours.
    pub ours: PathBuf,
    /// Debian's.
    pub debians: PathBuf,
}

impl Both {
    /// `None`, said aloud, where there are none, or this is not root.
    pub fn new() -> Option<Self> {
        let test = thread::current().name().unwrap_or_default().to_string();
        if common::run(std::process::Command::new("id").arg("-u")).ok()?.trim() != "0" {
            skip(&test, "only root can make systems of other architectures");
            return None;
        }
        let Some(ours) = env::var_os("TEST_INTERPRETERS").map(PathBuf::from).filter(|ours| ours.is_dir()) else {
            skip(&test, "TEST_INTERPRETERS names no directory: make interpreters, then make test-interpreters");
            return None;
        };
        fetch("amd64", "qemu-user").unwrap();
        Some(Self { ours: ours.canonicalize().unwrap(), debians: debian("amd64", "usr/bin") })
    }

    /// Whether we have built that one; if not, it is said. With `QUICK=1` that is no failure: where nothing is left by
    /// an earlier build, there is time for two of them.
    pub fn have(&self, name: &str) -> bool {
        let there = self.ours.join(format!("qemu-{name}")).exists();
        let test = thread::current().name().unwrap_or_default().to_string();
        match (there, quick()) {
            (true, _) => {}
            (false, true) => {
                let _ = writeln!(io::stderr(), "{test} without qemu-{name}: it is not built");
            }
            (false, false) => skip(&test, &format!("qemu-{name} is not built: make interpreters")),
        }
        there
    }
}

/// Only what shows most in a few minutes.
pub fn quick() -> bool {
    env::var_os("QUICK").is_some_and(|quick| quick == "1")
}

/// How a test of QEMU's own went.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Pass,
    Fail,
    /// Its Makefile does not run it, for the reason that it gives.
    LeftOut(String),
}

/// A table of the board, and what of it fails with ours.
pub struct Board {
    file: PathBuf,
    text: String,
    failed: Vec<String>,
    /// Why, which test, of which targets.
    left_out: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// How many targets there are.
    targets: usize,
}

impl Board {
    /// `name` orders the tables; the heading is that of the section.
    pub fn new(name: &str, heading: &str) -> Self {
        Self::with_columns(name, heading, &["ours", "Debian's"])
    }

    /// The same, with other columns than those.
    pub fn with_columns(name: &str, heading: &str, columns: &[&str]) -> Self {
        let directory = Path::new(TOP).join("target/interpreters-board");
        fs::create_dir_all(&directory).unwrap();
        let less = if quick() { ", with QUICK=1" } else { "" };
        let (columns, lines) = (columns.join(" | "), " --- |".repeat(columns.len()));
        let text = format!("\n## {heading}{less}\n\n| | {columns} |\n| --- |{lines}\n");
        Self { file: directory.join(name), text, failed: Vec::new(), left_out: BTreeMap::new(), targets: 0 }
    }

    /// One row: what was tried, and what each said instead of what was expected, if it did.
    pub fn row(&mut self, what: &str, ours: Result<(), String>, debians: Option<Result<(), String>>) {
        let word = |result: &Result<(), String>| if result.is_ok() { "pass" } else { "fail" };
        let _ = writeln!(self.text, "| {what} | {} | {} |", word(&ours), debians.as_ref().map_or("not tried", word));
        if let Err(why) = ours {
            self.failed.push(format!("{what}: {why}; with Debian's interpreter: {debians:?}"));
        }
    }

    /// One row of as many results as there are columns, all of them of ours.
    pub fn results(&mut self, what: &str, results: Vec<Result<(), String>>) {
        let words: Vec<_> = results.iter().map(|result| if result.is_ok() { "pass" } else { "fail" }).collect();
        let _ = writeln!(self.text, "| {what} | {} |", words.join(" | "));
        let failed = results.into_iter().filter_map(Result::err);
        self.failed.extend(failed.map(|why| format!("{what}: {why}")));
    }

    /// One row: what was not tried with either, and why.
    pub fn not_tried(&mut self, what: &str, why: &str) {
        let _ = writeln!(self.text, "| {what} | not tried: {why} | not tried |");
    }

    /// One row for a number of tests: how many pass, and which of them fail, by name.
    #[track_caller]
    pub fn many(&mut self, what: &str, ours: &[(String, Outcome)], debians: &[(String, Outcome)]) {
        let why = |outcome: &Outcome| if let Outcome::LeftOut(why) = outcome { Some(why.clone()) } else { None };
        let tests =
            |all: &[(String, Outcome)]| all.iter().map(|(name, it)| (name.clone(), why(it))).collect::<Vec<_>>();
        assert_eq!(tests(ours), tests(debians), "{what}: not the same tests by both");
        let words = |all: &[(String, Outcome)]| {
            let names = |wanted: &Outcome| {
                let has_it = all.iter().filter(|(_, outcome)| outcome == wanted);
                has_it.map(|(name, _)| &**name).collect::<Vec<_>>()
            };
            let (passed, failed) = (names(&Outcome::Pass), names(&Outcome::Fail));
            let list = if failed.is_empty() { String::new() } else { format!("; fail: {}", failed.join(", ")) };
            format!("{} of {} pass{list}", passed.len(), passed.len() + failed.len())
        };
        let _ = writeln!(self.text, "| {what} | {} | {} |", words(ours), words(debians));
        self.targets += 1;
        for ((name, ours), (_, debians)) in ours.iter().zip(debians) {
            match ours {
                Outcome::Pass => {}
                // What fails by both is none of ours.
                Outcome::Fail if *debians == Outcome::Fail => {}
                Outcome::Fail => {
                    self.failed.push(format!("{what}: {name} fails; with Debian's interpreter: {debians:?}"));
                }
                Outcome::LeftOut(why) => {
                    // That says itself which target it is.
                    let why = why.replace(&format!(" with {what} support"), "");
                    self.left_out.entry(why).or_default().entry(name.clone()).or_default().push(what.into());
                }
            }
        }
    }

    /// What is left out, and why, by the targets.
    fn left_out(&self) -> String {
        let mut text = String::new();
        for (why, tests) in &self.left_out {
            let of = |of: &[String]| if of.len() == self.targets { "all".to_string() } else { of.join(", ") };
            let tests: Vec<_> = tests.iter().map(|(name, targets)| format!("{name} ({})", of(targets))).collect();
            let _ = writeln!(text, "\nLeft out by QEMU's own Makefiles, \"{}\": {}.", why.trim(), tests.join(", "));
        }
        text
    }

    /// Writes the table; fails if anything fails with ours.
    #[track_caller]
    pub fn close(self) {
        fs::write(&self.file, self.text.clone() + &self.left_out()).unwrap();
        assert!(self.failed.is_empty(), "{}{}", self.text, self.failed.join("\n"));
    }
}

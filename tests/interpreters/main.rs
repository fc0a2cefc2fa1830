//! The interpreters that `make interpreters` builds, on real programs, with Debian's of the same version beside them in the
//! same run: a failure says whose it is. It needs root, but changes nothing on this machine: interpreters are registered in
//! a user namespace that has everybody in it, and file systems mounted in a namespace.
//!
//! `TEST_INTERPRETERS` names the directory that holds ours. `QUICK=1` takes what shows most in a few minutes; without it,
//! `ARCHITECTURES` are the systems to be made, by Debian's names. What passes and fails is written to
//! `target/interpreters-board`.

#[path = "../common/mod.rs"]
mod common;
mod directories;
mod own;
mod programs;
mod starts;
mod systems;

use common::{TOP, debian, fetch, skip};
use std::fmt::Write;
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

    /// Whether we have built that one; if not, it is said.
    pub fn have(&self, name: &str) -> bool {
        let there = self.ours.join(format!("qemu-{name}")).exists();
        if !there {
            println!("qemu-{name} is not built, and so not tested");
        }
        there
    }
}

/// Only what shows most in a few minutes.
pub fn quick() -> bool {
    env::var_os("QUICK").is_some_and(|quick| quick == "1")
}

/// A table of the board, and what of it fails with ours.
pub struct Board {
    file: PathBuf,
    text: String,
    failed: Vec<String>,
}

impl Board {
    /// `name` orders the tables; the heading is that of the section.
    pub fn new(name: &str, heading: &str) -> Self {
        let directory = Path::new(TOP).join("target/interpreters-board");
        fs::create_dir_all(&directory).unwrap();
        let text = format!("\n## {heading}\n\n| | ours | Debian's |\n| --- | --- | --- |\n");
        Self { file: directory.join(name), text, failed: Vec::new() }
    }

    /// One row: what was tried, and what each said instead of what was expected, if it did.
    pub fn row(&mut self, what: &str, ours: Result<(), String>, debians: Option<Result<(), String>>) {
        let word = |result: &Result<(), String>| if result.is_ok() { "pass" } else { "fail" };
        let _ = writeln!(self.text, "| {what} | {} | {} |", word(&ours), debians.as_ref().map_or("not tried", word));
        if let Err(why) = ours {
            self.failed.push(format!("{what}: {why}; with Debian's interpreter: {debians:?}"));
        }
    }

    /// One row for a number of tests: which of them fail, by name.
    pub fn many(&mut self, what: &str, ours: &[(String, bool)], debians: &[(String, bool)]) {
        let words = |tests: &[(String, bool)]| {
            let failed: Vec<_> = tests.iter().filter(|(_, passes)| !passes).map(|(name, _)| &**name).collect();
            let list = if failed.is_empty() { String::new() } else { format!("; fail: {}", failed.join(", ")) };
            format!("{} of {} pass{list}", tests.len() - failed.len(), tests.len())
        };
        let _ = writeln!(self.text, "| {what} | {} | {} |", words(ours), words(debians));
        for (name, _) in ours.iter().filter(|(_, passes)| !passes) {
            let theirs = debians.iter().find(|(other, _)| other == name).map(|(_, passes)| *passes);
            self.failed.push(format!("{what}: {name} fails; passes with Debian's interpreter: {theirs:?}"));
        }
    }

    /// Writes the table; fails if anything fails with ours.
    #[track_caller]
    pub fn close(self) {
        fs::write(&self.file, &self.text).unwrap();
        assert!(self.failed.is_empty(), "{}{}", self.text, self.failed.join("\n"));
    }
}

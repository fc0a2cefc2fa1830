//! Whole systems: a Debian whose packages' own scripts are executed by ours, and programs in it by each interpreter.

use crate::common::namespace::{Namespace, Said, has};
use crate::common::{TOP, skip};
use crate::programs::{PROGRAMS, Program};
use crate::{Board, Both, quick};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, thread};

/// Debian's name of an architecture, QEMU's, and Go's.
const ARCHITECTURES: [(&str, &str, &str); 5] = [
    ("arm64", "aarch64", "arm64"),
    ("armhf", "arm", "arm"),
    ("ppc64el", "ppc64le", "ppc64le"),
    ("riscv64", "riscv64", "riscv64"),
    ("s390x", "s390x", "s390x"),
];

/// A system, as root of a namespace in which one interpreter is registered.
pub struct Inside {
    pub namespace: Namespace,
    pub root: PathBuf,
}

impl Inside {
    pub fn new(interpreters: &Path, name: &str, root: &Path) -> Option<Self> {
        let namespace = Namespace::with_users()?;
        let directory = format!("QEMU_BINARY_PATH={}", interpreters.display());
        namespace.tool(&[&directory, &format!("ARCHES={name}")], &[]).exits(0);
        Some(Self { namespace, root: root.into() })
    }

    /// Mounts what programs expect.
    pub fn mount(&self) {
        let root = self.root.display();
        self.namespace.sh(&format!("mount --rbind /dev {root}/dev; mount --rbind /proc {root}/proc")).exits(0);
    }

    /// What the program says, if it is not what it is to say. `before` is started first, and enters the system.
    pub fn run(&self, before: &[&str], program: &Program) -> Result<(), String> {
        let mut command = self.namespace.long_command("timeout");
        command.arg("900").args(before).arg("chroot").arg(&self.root).args(["/bin/bash", "-c", program.script]);
        let said = Said::of(command.env("HOME", "/root").env("LC_ALL", "C.UTF-8"));
        match said.status == 0 && said.out.trim_end() == program.says {
            true => Ok(()),
            false => Err(format!("{said:?}")),
        }
    }
}

/// Makes the system, by the interpreter that is registered; `before` is started first. What it says, as
/// `tests/interpreters/system` has it.
pub fn make(inside: &Inside, before: &[&str], arch: &str, programs: &[&Program]) -> Said {
    let script = Path::new(TOP).join("tests/interpreters/system");
    let words = [before, &[script.to_str().unwrap()]].concat();
    let mut command = inside.namespace.long_command(words[0]);
    Said::of(command.args(&words[1..]).arg(arch).arg(&inside.root).arg(packages(programs).join(",")))
}

/// Copies our programs into a system that is made, and compiles those in Go.
pub fn copy_programs(arch: &str, root: &Path, programs: &[&Program]) {
    let (_, _, goarch) = ARCHITECTURES.into_iter().find(|(debian, ..)| *debian == arch).unwrap();
    Said::of(Command::new("cp").arg("-r").arg(Path::new(TOP).join("tests/interpreters/programs")).arg(root)).exits(0);
    if programs.iter().any(|program| program.name.starts_with("go:")) {
        compile_go(goarch, &root.join("programs/goroutines"));
    }
}

/// The packages of these programs.
fn packages(programs: &[&Program]) -> Vec<&'static str> {
    programs.iter().map(|program| program.packages).filter(|name| !name.is_empty()).collect()
}

/// Those that are to be run.
pub fn wanted() -> Vec<&'static Program> {
    let has_go = quick() || has("go");
    if !has_go {
        skip("the program in Go", "apt-get install golang-go");
    }
    let wanted = |program: &&Program| {
        let fits = if quick() { program.quick } else { program.name != "bash: 1,000 forks" };
        fits && (has_go || !program.name.starts_with("go:"))
    };
    PROGRAMS.iter().filter(wanted).collect()
}

/// Compiles the program in Go, if this machine has a compiler.
fn compile_go(arch: &str, to: &Path) {
    let source = Path::new(TOP).join("tests/interpreters/programs/goroutines.go");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(to).arg(source).env("GOARCH", arch).env("GOARM", "7").env("CGO_ENABLED", "0");
    Said::of(go.env("GO111MODULE", "off").env("GOCACHE", Path::new(TOP).join("target/go"))).exits(0);
}

fn system(arch: &str) {
    let Some(both) = Both::new() else { return };
    let (_, name, _) = ARCHITECTURES.into_iter().find(|(debian, ..)| *debian == arch).unwrap();
    if !both.have(name) {
        return;
    }
    let programs = wanted();
    let packages = packages(&programs);

    let root = Path::new(TOP).join(format!("target/debian/interpreters-{arch}"));
    let Some(inside) = Inside::new(&both.ours, name, &root) else { return };
    let made = make(&inside, &[], arch, &programs);
    let mut board = Board::new(&format!("4-{arch}"), &format!("Debian for {arch}"));
    let packages = if packages.is_empty() { String::new() } else { format!(", with {}", packages.join(", ")) };
    let suite = made.out.trim();
    match made.status {
        0 => board.row(&format!("mmdebstrap of {suite} to the end{packages}"), Ok(()), None),
        3 => {
            board.not_tried("all", "the mirror does not have all packages");
            board.close();
            return skip(&format!("Debian for {arch}"), &made.err);
        }
        _ => {
            board.row(&format!("mmdebstrap{packages}"), Err(made.err), None);
            return board.close();
        }
    }
    copy_programs(arch, &root, &programs);
    let Some(debians) = Inside::new(&both.debians, name, &root) else { return };
    inside.mount();
    debians.mount();
    for program in &programs {
        board.row(program.name, inside.run(&[], program), Some(debians.run(&[], program)));
    }
    if let Some(program) = programs.iter().find(|program| program.name.starts_with("python")) {
        let unshare = ["unshare", "-Urm"];
        let name = format!("{}, by unshare -Urm", program.name);
        board.row(&name, inside.run(&unshare, program), Some(debians.run(&unshare, program)));
    }
    drop((inside, debians));
    let _ = fs::remove_dir_all(&root);
    board.close();
}

/// Debian's names in `ARCHITECTURES`; none: all, or with `QUICK=1` one.
#[test]
fn debian() {
    let all = if quick() { "arm64".to_string() } else { ARCHITECTURES.map(|(debian, ..)| debian).join(" ") };
    let wanted = env::var("ARCHITECTURES").ok().filter(|wanted| !wanted.is_empty()).unwrap_or(all);
    for arch in wanted.split_whitespace() {
        let arch = arch.to_string();
        assert!(ARCHITECTURES.iter().any(|(debian, ..)| *debian == arch), "ARCHITECTURES: no {arch}");
    }
    let failed: Vec<_> = wanted
        .split_whitespace()
        .filter(|arch| {
            let arch = arch.to_string();
            thread::Builder::new().name(format!("debian {arch}")).spawn(move || system(&arch)).unwrap().join().is_err()
        })
        .collect();
    assert!(failed.is_empty(), "{failed:?}: see above");
}

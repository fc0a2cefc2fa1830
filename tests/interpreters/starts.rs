//! That programs start, each time: where they, their heap and the interpreter lie is random.

use crate::common::{TOP, debian_of, fetch_of, skip};
use crate::machine::{Machine, need};
use crate::own::prepare;
use crate::{Board, Both, quick};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, thread};

/// QEMU's name of an architecture, and where Debian's cross compiler has its C library.
const ARCHITECTURES: [(&str, &str); 7] = [
    ("aarch64", "aarch64-linux-gnu"),
    ("arm", "arm-linux-gnueabihf"),
    ("i386", "i686-linux-gnu"),
    ("ppc64le", "powerpc64le-linux-gnu"),
    ("riscv64", "riscv64-linux-gnu"),
    ("s390x", "s390x-linux-gnu"),
    ("x86_64", ""),
];

/// How a program can be linked; the huge one is static and has gigabytes of its own.
const KINDS: [&str; 5] = ["static", "static-pie", "huge", "dynamic", "dynamic-no-pie"];

/// Starts it that often, on all processors; how often it failed, if it did.
fn start(interpreter: &Path, library: &Path, program: &Path, times: usize) -> Result<(), String> {
    let fails = || {
        let mut command = Command::new(interpreter);
        command.arg("-L").arg(library).arg(program).arg("-V").stdout(Stdio::null()).stderr(Stdio::null());
        !command.status().unwrap().success()
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let failed: usize = thread::scope(|scope| {
        let worker = || (0..times.div_ceil(workers)).filter(|_| fails()).count();
        let started: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        started.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    if failed == 0 { Ok(()) } else { Err(format!("{failed} of {times} starts failed")) }
}

/// How often: `STARTS`, or a number by default, and one with `QUICK=1`.
pub fn times(by_default: usize, with_quick: usize) -> usize {
    let starts = env::var("STARTS").ok().filter(|starts| !starts.is_empty());
    let otherwise = if quick() { with_quick } else { by_default };
    starts.map_or(otherwise, |starts| starts.parse().expect("STARTS is a number"))
}

#[test]
fn of_each_kind() {
    let Some(both) = Both::new() else { return };
    prepare(&both);
    let debian = Path::new(TOP).join("target/debian/tcg");
    let architectures = if quick() { &ARCHITECTURES[..2] } else { &ARCHITECTURES[..] };
    let times = times(1000, 200);
    let mut board = Board::new("3-starts", &format!("{times} starts of a program that asks for memory"));
    for (name, triple) in architectures.iter().filter(|(name, _)| both.have(name)) {
        let library = if triple.is_empty() { debian.clone() } else { debian.join("usr").join(triple) };
        for kind in KINDS {
            let program = debian.join(format!("programs/start-{name}-{kind}"));
            if !program.exists() {
                continue; // that C library of Debian's cannot be linked so
            }
            let file = format!("qemu-{name}");
            let ours = start(&both.ours.join(&file), &library, &program, times);
            // Debian's less often: it is not the one that is to be proven.
            let debians = start(&both.debians.join(&file), &library, &program, times.min(200));
            board.row(&format!("{name}, {kind}"), ours, Some(debians));
        }
    }
    board.close();
}

/// Older C libraries cannot start without a heap.
#[test]
fn of_an_older_ldconfig() {
    let Some(both) = Both::new() else { return };
    let times = times(10_000, 300);
    let mut board =
        Board::new("3-starts-older", &format!("{times} starts of Debian 11's ldconfig, which is static-pie"));
    for (name, arch) in [("aarch64", "arm64"), ("arm", "armhf"), ("i386", "i386"), ("x86_64", "amd64")] {
        if !both.have(name) {
            continue;
        }
        fetch_of("bullseye", arch, "libc-bin").unwrap();
        let program: PathBuf = debian_of("bullseye", arch, "sbin/ldconfig");
        let file = format!("qemu-{name}");
        let start = |directory: &Path, times| start(&directory.join(&file), Path::new("/"), &program, times);
        board.row(name, start(&both.ours, times), Some(start(&both.debians, times.min(200))));
    }
    board.close();
}

/// The kernel decides where an interpreter, its stack and its heap lie. The oldest and the newest that Debian has; in emulation
/// a start takes half a second.
#[test]
fn on_other_kernels() {
    let Some(both) = Both::new() else { return };
    prepare(&both);
    let debian = Path::new(TOP).join("target/debian/tcg");
    let suites = [("bullseye", "Linux 5.10"), ("sid", "Linux 7")];
    let (suites, times) = (if quick() { &suites[..1] } else { &suites[..] }, times(100, 20));
    let mut board = Board::new("3-starts-kernels", &format!("{times} starts on other kernels"));
    for (suite, linux) in suites {
        if let Err(why) = need(suite) {
            return skip("on_other_kernels", &why);
        }
        let mut machine = Machine::new(suite).long("1800").run("mkdir /proc && mount -t proc proc /proc");
        let mut kinds = Vec::new();
        for (name, triple) in ARCHITECTURES[..2].iter().filter(|(name, _)| both.have(name)) {
            machine = machine.file(&format!("/qemu-{name}"), both.ours.join(format!("qemu-{name}")));
            let library = debian.join("usr").join(triple).join("lib");
            for file in ["ld-linux-aarch64.so.1", "ld-linux-armhf.so.3", "libc.so.6"].map(|file| library.join(file)) {
                if let (Some(file), true) = (file.file_name(), file.exists()) {
                    machine = machine.file(&format!("/{name}/lib/{}", file.display()), library.join(file));
                }
            }
            for kind in KINDS {
                let file = format!("start-{name}-{kind}");
                let program = debian.join("programs").join(&file);
                if program.exists() {
                    let start = format!("/qemu-{name} -L /{name} /{file} || failed=$((failed + 1))");
                    machine = machine
                        .file(&format!("/{file}"), program)
                        .run(&format!("failed=0; for start in $(seq {times}); do {start}; done; echo $failed failed"));
                    kinds.push(format!("{linux}: {name}, {kind}"));
                }
            }
        }
        let console = machine.boot();
        for (number, kind) in (1..).zip(&kinds) {
            let said = console.ran.get(number).map(|ran| ran.said().1.trim_end());
            let result = if said == Some("0 failed") { Ok(()) } else { Err(format!("{said:?}")) };
            board.row(kind, result, None);
        }
    }
    board.close();
}

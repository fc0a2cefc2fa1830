//! An interpreter is judged as the kernel judges it that is to execute it: where its program headers are, how long, and how
//! large the file is.

use crate::common::host;
use crate::common::namespace::{Namespace, Said, Scratch, interpreters, program_that_ends};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

const GIB: u64 = 1 << 30;

/// A place in the second 4 GiB.
const FAR: u64 = 5 * GIB + 8;

/// Where fields are in the header of an ELF file of 64 bits, and how long that is.
const PHOFF: usize = 32;
const PHENTSIZE: usize = 54;
const PHNUM: usize = 56;
const HEADER: usize = 64;

/// The length of a program header, and where in it the kind and the offset are.
const LENGTH: usize = 56;
const OFFSET: usize = HEADER + 8;

/// Puts bytes into a program.
fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut program = program_that_ends().to_vec();
    program[at..at + bytes.len()].copy_from_slice(bytes);
    program
}

/// The program with its program headers at `place`, of which there are `count`.
fn headers_at(place: u64, count: u16) -> (Vec<u8>, u64, Vec<u8>) {
    let mut program = with(PHOFF, &place.to_le_bytes());
    program[PHNUM..PHNUM + 2].copy_from_slice(&count.to_le_bytes());
    let mut headers = program[HEADER..HEADER + LENGTH].to_vec();
    headers.resize(LENGTH * usize::from(count), 0);
    (program, place, headers)
}

/// Whether the kernel of this machine executes the file. No shell is in between, which would take for a script what is
/// refused.
fn runs(file: &Path) -> bool {
    Command::new(file).stdin(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[test]
fn program_headers_and_sizes_are_judged_as_the_kernel_does() {
    let test = "program_headers_and_sizes_are_judged_as_the_kernel_does";
    if host::cannot(test, "the kernel of this machine is to judge, and it is another's file that the tool sees") {
        return;
    }
    let plain = |program: Vec<u8>| (program, 0, Vec::new());
    let half = |at, number: u16| plain(with(at, &number.to_le_bytes()));
    let far_code = |tail: &[u8]| (with(OFFSET, &(4 * GIB).to_le_bytes()), 4 * GIB, tail.to_vec());
    let (far, place, headers) = headers_at(FAR, 1);
    for (name, (program, place, tail), works, words) in [
        ("as it is", plain(program_that_ends().to_vec()), true, ""),
        // Where they are.
        ("after the start", headers_at(1020, 1), true, ""),
        ("in the first MiB", headers_at(1 << 20, 2), true, ""),
        ("at the end of the first 4 GiB", headers_at(4 * GIB - 20, 2), true, ""),
        ("in the second 4 GiB", headers_at(FAR, 1), true, ""),
        ("in the second 4 GiB, cut off", (far, place, headers[..LENGTH - 1].to_vec()), false, "truncated"),
        ("after the end", plain(with(PHOFF, &FAR.to_le_bytes())), false, "truncated"),
        ("at no place", plain(with(PHOFF, &u64::MAX.to_le_bytes())), false, "truncated"),
        // How long, and how many.
        ("e_phentsize 0", half(PHENTSIZE, 0), false, "the kernel does not take"),
        ("e_phentsize of 32 bits", half(PHENTSIZE, 32), false, "the kernel does not take"),
        ("e_phentsize 57", half(PHENTSIZE, 57), false, "the kernel does not take"),
        ("e_phnum 0", half(PHNUM, 0), false, "truncated"),
        ("e_phnum 1170", headers_at(4096, 1170), true, ""),
        ("e_phnum 1171", headers_at(4096, 1171), false, "the kernel does not take"),
        // Above 4 GiB.
        ("a large file", (program_that_ends().to_vec(), FAR, b"end".to_vec()), true, ""),
        ("code in the second 4 GiB", far_code(&program_that_ends()), true, ""),
        ("code in the second 4 GiB, cut off", far_code(&[]), false, "truncated"),
    ] {
        let Some(namespace) = Namespace::new() else { return };
        let scratch = Scratch::new();
        let part = scratch.executable("part", program);
        // What lies between is a hole, which takes no room.
        if place != 0 {
            let open = OpenOptions::new().write(true).open(&part).unwrap();
            open.write_all_at(&tail, place).unwrap();
            open.set_len(place + tail.len() as u64).unwrap();
        }
        let file = scratch.copy(part, "qemu-aarch64");
        assert_eq!(runs(&file), works, "{name}: the kernel");
        let said = namespace.tool(&[&scratch.variable(), "ARCHES=arm64", "VERIFY=true"], &[]);
        if works {
            assert!(said.status == 0 && said.err.contains("aarch64: registered"), "{name}: {said:#?}");
            assert_eq!(namespace.entries(), ["qemu-aarch64"], "{name}");
        } else {
            let refused = said.err.contains("aarch64: not registered") && said.err.contains(words);
            assert!(said.status == 1 && refused, "{name}: {said:#?}");
            assert!(namespace.entries().is_empty(), "{name}");
        }
    }
}

/// An emulator that really works, followed by a hole.
#[test]
fn an_emulator_in_a_file_above_4_gib_serves() {
    let test = "an_emulator_in_a_file_above_4_gib_serves";
    if host::cannot(test, "it is another's file that the tool sees") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let file = scratch.copy(interpreters().join("qemu-aarch64"), "qemu-aarch64");
    Said::of(Command::new("truncate").args(["-s", &FAR.to_string()]).arg(&file)).exits(0);
    assert_eq!(fs::metadata(&file).unwrap().len(), FAR);
    namespace.tool(&[&scratch.variable(), "ARCHES=arm64"], &[]).exits(0).says(&["aarch64: registered"]);
    assert!(namespace.runs("arm64"));
}

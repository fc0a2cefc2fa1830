//! The rules against programs that other tools made.

use super::library;
use super::rule::{debians, matching, ours};
use crate::common::targets::{Header, Program, rows};
use crate::common::{debian, fetch, fetch_together, skip};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

fn program(package: &str, file: &str) -> Result<Vec<u8>, String> {
    fetch("amd64", package)?;
    let file = debian("amd64", "/usr").join(file);
    fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))
}

fn vdso(file: &str) -> Result<Vec<u8>, String> {
    fetch("amd64", "qemu-system-data")?;
    let archive = debian("amd64", "/usr/share/qemu/linux-user-vdso.tar.gz");
    output(Command::new("tar").arg("-xzOf").arg(archive).arg(format!("linux-user/{file}")), "")
}

/// Headers only, but made by a tool that knows the architectures by its own table.
fn header(header: &Header, kind: &str) -> Result<Vec<u8>, String> {
    let Header { class, data, machine, flags } = header;
    let mut text = format!(
        "--- !ELF\nFileHeader:\n  Class: {class}\n  Data: {data}\n  OSABI: ELFOSABI_LINUX\n  Type: {kind}\n  \
         Machine: {machine}\n"
    );
    // LLVM names the flags of some machines only.
    if let Some(flags) = flags {
        text += &format!("  Flags: [ {flags} ]\n");
    }
    let made = output(Command::new("yaml2obj").args(["-o", "-", "-"]), &text);
    made.map_err(|why| format!("{why} (yaml2obj is in the package llvm)"))
}

/// The bytes that a command given `input` writes.
fn output(command: &mut Command, input: &str) -> Result<Vec<u8>, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let wrong = |error| format!("{name}: {error}");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(wrong)?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).map_err(wrong)?;
    let output = child.wait_with_output().map_err(wrong)?;
    if output.status.success() { Ok(output.stdout) } else { Err(format!("{name}: {}", output.status)) }
}

#[test]
fn a_rule_matches_its_own_probe_only() {
    let rules = ours();
    for (target, mut probe) in library::probes() {
        assert_eq!(matching(&rules, &probe), [&target]);
        for byte in &mut probe[7..16] {
            *byte = 0xff; // EI_OSABI, EI_ABIVERSION and EI_PAD say nothing of the architecture
        }
        assert_eq!(matching(&rules, &probe), [&target]);
    }
    for target in library::names() {
        let names: Vec<&str> = rules.iter().filter(|rule| rule.handles(&target)).map(|rule| &*rule.name).collect();
        assert_eq!(names, [&target]);
    }
}

/// Whether a rule takes position-independent programs, and no objects or core dumps.
#[test]
fn a_rule_matches_executables_only() {
    let rules = ours();
    for (target, mut probe) in library::probes() {
        let [low, high] = if probe[5] == 1 { [16, 17] } else { [17, 16] };
        for kind in 0..=0xff {
            probe[low] = kind;
            let expected: &[&str] = if matches!(kind, 2 | 3) { &[&target] } else { &[] };
            assert_eq!(matching(&rules, &probe), expected, "{target}: e_type {kind}");
        }
        (probe[low], probe[high]) = (2, 1);
        assert!(matching(&rules, &probe).is_empty(), "{target}: e_type 0x102");
    }
}

#[test]
fn every_architecture_is_matched_with_something_of_others() {
    for row in rows() {
        let real = !row.programs.is_empty() || !row.vdsos.is_empty();
        // A real program is better than a header.
        assert!(real != row.header.is_some(), "{}: a program or a vdso, else a header", row.name);
    }
}

#[test]
fn a_rule_matches_real_programs_of_its_architecture_only() {
    let name = "a_rule_matches_real_programs_of_its_architecture_only";
    let (rules, Some(debians)) = (ours(), debians(name)) else { return };
    let table = rows();
    fetch_together("amd64", table.iter().flat_map(|row| &row.programs).map(|program| &*program.package));
    for row in table {
        let programs = row.programs.iter().map(|Program { package, file }| (file, program(package, file)));
        let vdsos = row.vdsos.iter().map(|file| (file, vdso(file)));
        for (file, program) in programs.chain(vdsos) {
            let program = match program {
                Ok(program) => program,
                Err(why) => return skip(name, &why),
            };
            assert_eq!(matching(&rules, &program), [&row.name], "{file}");
            // That it is what it is taken for, in Debian's eyes.
            assert_eq!(matching(&debians, &program), [&row.name], "{file}, by Debian's rules");
        }
    }
}

#[test]
fn a_rule_matches_headers_made_by_llvm_of_its_architecture_only() {
    let name = "a_rule_matches_headers_made_by_llvm_of_its_architecture_only";
    let rules = ours();
    for row in rows() {
        for (made_of, kind) in row.header.iter().flat_map(|header| [(header, "ET_EXEC"), (header, "ET_DYN")]) {
            match header(made_of, kind) {
                Ok(header) => assert_eq!(matching(&rules, &header), [&row.name], "{made_of:?} {kind}"),
                Err(why) => return skip(name, &why),
            }
        }
    }
}

#[test]
fn no_rule_matches_what_is_no_program_of_linux() {
    let rules = ours();
    for other in [&b""[..], b"\x7fELF", b"#!/bin/sh\n", b"MZ", &[0; 256], &[0xff; 256]] {
        assert!(matching(&rules, other).is_empty(), "{other:?}");
    }
    // 64-bit PA-RISC, which no QEMU for user programs knows.
    match program("qemu-system-data", "share/qemu/hppa-firmware64.img") {
        Ok(hppa64) => assert!(matching(&rules, &hppa64).is_empty()),
        Err(why) => skip("no_rule_matches_what_is_no_program_of_linux", &why),
    }
}

/// An AppImage is an ELF file with a mark in `EI_PAD` and before it. Debian's rules refuse it.
#[test]
fn a_rule_matches_appimages() {
    let name = "a_rule_matches_appimages";
    let row = rows().into_iter().find(|row| row.name == "aarch64").unwrap();
    let mut program = match program(&row.programs[0].package, &row.programs[0].file) {
        Ok(program) => program,
        Err(why) => return skip(name, &why),
    };
    program[8..11].copy_from_slice(b"AI\x02");
    assert_eq!(matching(&ours(), &program), ["aarch64"]);
    if let Some(debians) = debians(name) {
        assert!(matching(&debians, &program).is_empty(), "Debian's rules have learnt it: README.md compares them");
    }
}

//! Turns `qemu/targets` into the table of `src/target.rs`, and gives the linker its arguments.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs, process};

const TABLE: &str = "qemu/targets";
/// Code longer than this is no exit, and every row would pay for it.
const LONGEST: usize = 32;
const SCRIPT: &str = "src/link.ld";

/// The address a probe is loaded at: a multiple of every page size in use, and at least the usual `mmap_min_addr`.
const BASE: u64 = 0x10000;

struct Row {
    name: String,
    aliases: Vec<String>,
    family: String,
    wide: bool,
    big: bool,
    machine: u16,
    flags: u32,
    flags_mask: u8,
    code: Vec<u8>,
}

fn main() {
    println!("cargo:rerun-if-changed={TABLE}");
    let text = fs::read_to_string(TABLE).unwrap_or_else(|error| fail(&format!("{TABLE}: {error}")));
    let mut rows: Vec<Row> = Vec::new();
    let mut names: HashSet<String> = HashSet::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let row = parse(line).unwrap_or_else(|why| fail(&format!("{TABLE}:{}: {why}", number + 1)));
        let own: HashSet<String> = row.aliases.iter().chain([&row.name]).cloned().collect();
        if let Some(taken) = own.iter().find(|name| names.contains(*name)) {
            fail(&format!("{TABLE}:{}: '{taken}' is taken by a row above", number + 1));
        }
        names.extend(own);
        if let Some(twin) = rows.iter().find(|other| overlap(other, &row)) {
            fail(&format!("{TABLE}:{}: '{}' cannot be told from '{}'", number + 1, row.name, twin.name));
        }
        rows.push(row);
    }
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let code_max = rows.iter().map(|row| row.code.len()).max().unwrap_or(0);
    fs::write(Path::new(&out).join("headers.rs"), headers(code_max)).expect("OUT_DIR is writable");
    fs::write(Path::new(&out).join("targets.rs"), targets(&rows, code_max)).expect("OUT_DIR is writable");

    // The binary brings its own entry point and needs nothing of the C library.
    for argument in [
        "-nostdlib",
        "-nostartfiles",
        "-static",
        "-no-pie",
        "-Wl,--build-id=none",
        "-Wl,--no-eh-frame-hdr",
        "-Wl,-z,norelro",
        "-Wl,-z,max-page-size=4096",
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
    println!("cargo:rerun-if-changed={SCRIPT}");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    println!("cargo:rustc-link-arg-bins=-Wl,-T,{root}/{SCRIPT}");
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    process::exit(1)
}

/// One row: name, class, order, machine, e_flags, mask of e_flags, family, aliases, code.
fn parse(line: &str) -> Result<Row, String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [name, class, order, machine, flags, flags_mask, family, aliases, code] = fields[..] else {
        return Err(format!("{} columns, 9 expected", fields.len()));
    };
    let hex = |what: &str, text: &str| {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let clean = digits.bytes().all(|digit| digit.is_ascii_hexdigit()); // no sign
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| clean);
        number.ok_or(format!("{what} '{text}' is not a hexadecimal number of 32 bits"))
    };
    let wide = match class {
        "32" => false,
        "64" => true,
        _ => return Err(format!("class '{class}', 32 or 64 expected")),
    };
    let big = match order {
        "le" => false,
        "be" => true,
        _ => return Err(format!("byte order '{order}', le or be expected")),
    };
    let machine = (machine.parse().ok().filter(|_| !machine.starts_with('+')))
        .ok_or(format!("machine '{machine}' is not a number below 65536"))?;
    let flags_mask = u8::try_from(hex("mask of e_flags", flags_mask)?)
        .map_err(|_| format!("mask of e_flags '{flags_mask}' is above 0xff, the most there is room for"))?;
    let flags = hex("e_flags", flags)?;
    if code.len() % 2 != 0 || !code.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(format!("code '{code}' is not pairs of hexadecimal digits"));
    }
    let code: Vec<u8> =
        (0..code.len()).step_by(2).map(|at| u8::from_str_radix(&code[at..at + 2], 16).unwrap()).collect();
    if code.is_empty() || code.len() > LONGEST {
        return Err(format!("{} bytes of code, 1 to {LONGEST} expected", code.len()));
    }
    let aliases: Vec<String> = match aliases {
        "-" => Vec::new(),
        list => list.split(',').map(String::from).collect(),
    };
    // Names are parts of file names and of lists, in which `all` has a meaning of its own.
    let fits = |name: &str| {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        !name.is_empty() && name != "all" && name.bytes().all(letter)
    };
    if let Some(name) = [name].into_iter().chain(aliases.iter().map(String::as_str)).find(|name| !fits(name)) {
        return Err(format!("name '{name}', lower-case letters, digits and '_' expected, and not 'all'"));
    }
    Ok(Row { name: name.into(), aliases, family: family.into(), wide, big, machine, flags, flags_mask, code })
}

/// Whether one program could be of both kinds.
fn overlap(a: &Row, b: &Row) -> bool {
    let common = u32::from(a.flags_mask & b.flags_mask);
    (a.wide, a.big, a.machine) == (b.wide, b.big, b.machine) && (a.flags ^ b.flags) & common == 0
}

/// A number as `length` bytes of the target.
fn bytes(value: u64, length: usize, big: bool) -> Vec<u8> {
    let mut bytes = value.to_le_bytes()[..length].to_vec();
    if big {
        bytes.reverse();
    }
    bytes
}

/// The headers of a probe with `code` bytes of code: the file's and that of one `PT_LOAD` segment, which is the whole
/// file. `e_machine` and `e_flags` are left 0.
fn header(wide: bool, big: bool, code: usize) -> Vec<u8> {
    let (file, segment, word) = if wide { (64, 56, 8) } else { (52, 32, 4) };
    let size = file + segment + code as u64;
    const READ_EXECUTE: u64 = 4 | 1;
    let mut header = vec![0x7f, b'E', b'L', b'F', wide as u8 + 1, big as u8 + 1, 1];
    header.resize(16, 0);
    for (length, value) in [
        (2, 2),                                   // e_type: ET_EXEC
        (2, 0),                                   // e_machine
        (4, 1),                                   // e_version
        (word, BASE + file + segment),            // e_entry
        (word, file),                             // e_phoff
        (word, 0),                                // e_shoff
        (4, 0),                                   // e_flags
        (2, file),                                // e_ehsize
        (2, segment),                             // e_phentsize
        (2, 1),                                   // e_phnum
        (2, 0),                                   // e_shentsize
        (2, 0),                                   // e_shnum
        (2, 0),                                   // e_shstrndx
        (4, 1),                                   // p_type: PT_LOAD
        (if wide { 4 } else { 0 }, READ_EXECUTE), // p_flags, in ELF64 here
        (word, 0),                                // p_offset
        (word, BASE),                             // p_vaddr
        (word, BASE),                             // p_paddr
        (word, size),                             // p_filesz
        (word, size),                             // p_memsz
        (if wide { 0 } else { 4 }, READ_EXECUTE), // p_flags, in ELF32 here
        (word, BASE),                             // p_align
    ] {
        header.extend(bytes(value, length, big));
    }
    assert_eq!(header.len() as u64, file + segment);
    header
}

/// The four headers there are, as Rust.
fn headers(code_max: usize) -> String {
    let mut text = String::new();
    writeln!(text, "/// The longest code of a probe, and the length of all: the others are padded with zeros.")
        .unwrap();
    writeln!(text, "pub const CODE_MAX: usize = {code_max};").unwrap();
    writeln!(text, "/// The longest probe.\npub const PROGRAM_MAX: usize = 120 + CODE_MAX;").unwrap();
    writeln!(text, "/// By class and byte order.\nstatic HEADERS: [[u8; 120]; 4] = [").unwrap();
    for (wide, big) in [(false, false), (false, true), (true, false), (true, true)] {
        writeln!(text, "{},", padded(&header(wide, big, code_max), 120)).unwrap();
    }
    writeln!(text, "];").unwrap();
    text
}

/// Bytes as an array of `length`, with zeros behind.
fn padded(bytes: &[u8], length: usize) -> String {
    let mut bytes = bytes.to_vec();
    bytes.resize(length, 0);
    format!("{bytes:?}")
}

/// The table as Rust. Texts and code are arrays padded with zeros: without pointers a row is small, and needs nothing
/// done to it at run time.
fn targets(rows: &[Row], code_max: usize) -> String {
    let mut families: Vec<&str> = Vec::new();
    let mut text = String::new();
    let names = |row: &Row| [std::slice::from_ref(&row.name), &row.aliases[..]].concat().join(",");
    let names_max = rows.iter().map(|row| names(row).len()).max().unwrap_or(0);
    writeln!(text, "const NAMES_MAX: usize = {names_max};").unwrap();
    writeln!(text, "/// All targets, in the order of their names.").unwrap();
    writeln!(text, "pub static TARGETS: [Target; {}] = [", rows.len()).unwrap();
    for row in rows {
        let family = families.iter().position(|family| *family == row.family).unwrap_or_else(|| {
            families.push(&row.family);
            families.len() - 1
        });
        writeln!(
            text,
            "Target {{ kind: Kind {{ class: {}, order: {}, machine: {:?}, flags: {:?}, flags_mask: {} }}, \
             family: {family}, names: {}, code: {} }},",
            row.wide as u8 + 1,
            row.big as u8 + 1,
            bytes(row.machine.into(), 2, row.big),
            bytes(row.flags.into(), 4, row.big),
            row.flags_mask,
            padded(names(row).as_bytes(), names_max),
            padded(&row.code, code_max),
        )
        .unwrap();
    }
    writeln!(text, "];").unwrap();
    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    let little = env::var("CARGO_CFG_TARGET_ENDIAN").expect("cargo sets it") == "little";
    let host = match arch.as_str() {
        "x86" => "i386",
        "powerpc64" if little => "ppc64le",
        "powerpc64" => "ppc64",
        "aarch64" if !little => "aarch64_be",
        other => other,
    };
    let host = rows.iter().position(|row| row.name == host).unwrap_or_else(|| {
        fail(&format!("{TABLE}: no row for this machine's own architecture '{host}'"));
    });
    writeln!(text, "/// The target this binary itself is a program of.\npub static HOST: &Target = &TARGETS[{host}];")
        .unwrap();
    text
}

//! Turns `qemu/targets` into the table of `src/target.rs`, and gives the linker its arguments.

#[path = "build/messages.rs"]
mod messages;

use std::collections::HashSet;
use std::path::Path;
use std::{env, fs, process};

const TABLE: &str = "qemu/targets";
/// Code longer than this is no exit, and every row would pay for it.
const LONGEST: usize = 32;
const SCRIPT: &str = "src/link.ld";
const MESSAGES: &str = "src/messages";

/// What an indented line may begin with. These lines are for the tests (`tests/common/targets.rs`).
const KEYWORDS: [&str; 5] = ["program", "vdso", "header", "suite", "debian"];

/// The OCI platforms that `tonistiigi/binfmt` knows, in its order.
const PLATFORMS: &str = "amd64 amd64/v2 amd64/v3 amd64/v4 arm64 riscv64 ppc64 ppc64le s390x 386 mips64le mips64 loong64 \
                         arm/v7 arm/v6";

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
        let indented = line.starts_with(char::is_whitespace);
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if indented {
            let keyword = line.split_whitespace().next().unwrap_or_default();
            if rows.is_empty() {
                fail(&format!("{TABLE}:{}: an indented line, and no row above", number + 1));
            }
            if !KEYWORDS.contains(&keyword) {
                fail(&format!("{TABLE}:{}: keyword '{keyword}', one of {KEYWORDS:?} expected", number + 1));
            }
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
    fs::write(Path::new(&out).join("headers.rs"), headers()).expect("OUT_DIR is writable");
    fs::write(Path::new(&out).join("targets.rs"), targets(&rows)).expect("OUT_DIR is writable");

    println!("cargo:rerun-if-changed={MESSAGES}");
    let text = fs::read_to_string(MESSAGES).unwrap_or_else(|error| fail(&format!("{MESSAGES}: {error}")));
    let rust = messages::rust(&text).unwrap_or_else(|why| fail(&format!("{MESSAGES}:{why}")));
    fs::write(Path::new(&out).join("messages.rs"), rust).expect("OUT_DIR is writable");

    // The binary brings its own entry point and needs nothing of the C library. cargo calls the linker by way of a C
    // compiler, or, where it was told to (`make hosts` does), lld itself.
    let linker = env::var("RUSTC_LINKER").unwrap_or_default();
    let direct = linker.ends_with("lld");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    println!("cargo:rerun-if-changed={SCRIPT}");
    if !direct {
        for argument in ["-nostdlib", "-nostartfiles", "-static", "-no-pie"] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
    let script = format!("-T{root}/{SCRIPT}");
    for argument in ["--build-id=none", "--no-eh-frame-hdr", "-znorelro", "-zmax-page-size=4096", &script] {
        println!("cargo:rustc-link-arg-bins={}{argument}", if direct { "" } else { "-Wl," });
    }
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

/// Where a probe has its program header and its code, be it of 32 or 64 bits.
const SEGMENT: u8 = 64;
const CODE: u8 = SEGMENT + 56;

/// What is in the headers of every probe, as Rust: the bytes other than 0, and for each kind of header (see
/// `src/elf.rs`) where they are. Not among them are `e_ident`, `e_machine` and `e_flags`.
///
/// The file is mapped as a whole, 0x100 bytes, at 0x10000: a multiple of every page size in use, and at least the usual
/// `mmap_min_addr`.
fn headers() -> String {
    // The length of a field: that of an address is the word of the class.
    const HALF: u8 = 2;
    const WORD: u8 = 4;
    const ADDRESS: u8 = 0;
    // A field with another value in each class is there twice, once where e_type is, which comes last.
    const TYPE: u8 = 16;
    // A byte; which one of its field, from the lowest on; the length of the field; where it is in ELF32; in ELF64
    let bytes = [
        (1, 0, WORD, 20, 20),                        // e_version: EV_CURRENT
        (CODE, 0, ADDRESS, 24, 24),                  // e_entry
        (1, 2, ADDRESS, 24, 24),                     // e_entry
        (SEGMENT, 0, ADDRESS, 28, 32),               // e_phoff
        (52, 0, HALF, 40, TYPE),                     // e_ehsize
        (64, 0, HALF, TYPE, 52),                     // e_ehsize
        (32, 0, HALF, 42, TYPE),                     // e_phentsize
        (56, 0, HALF, TYPE, 54),                     // e_phentsize
        (1, 0, HALF, 44, 56),                        // e_phnum
        (1, 0, WORD, SEGMENT, SEGMENT),              // p_type: PT_LOAD
        (4 | 1, 0, WORD, SEGMENT + 24, SEGMENT + 4), // p_flags: PF_R | PF_X
        (1, 2, ADDRESS, SEGMENT + 8, SEGMENT + 16),  // p_vaddr
        (1, 1, ADDRESS, SEGMENT + 16, SEGMENT + 32), // p_filesz
        (1, 1, ADDRESS, SEGMENT + 20, SEGMENT + 40), // p_memsz
        (1, 2, ADDRESS, SEGMENT + 28, SEGMENT + 48), // p_align
        (2, 0, HALF, TYPE, TYPE),                    // e_type: ET_EXEC
    ];
    let values = bytes.map(|(value, ..)| value);
    let places = [(false, false), (true, false), (false, true), (true, true)].map(|(wide, big)| {
        bytes.map(|(_, byte, length, narrow_field, wide_field)| {
            let (field, word) = if wide { (wide_field, 8) } else { (narrow_field, 4) };
            let length = if length == ADDRESS { word } else { length };
            field + if big { length - 1 - byte } else { byte }
        })
    });
    let count = bytes.len();
    format!(
        "/// Where the code of a program is.\npub const CODE: usize = {CODE};\n\
         /// Where its program header is.\npub const SEGMENT: usize = {SEGMENT};\n\
         /// The bytes other than 0 in its headers.\nstatic VALUES: [u8; {count}] = {values:?};\n\
         /// Where they are, in each kind of header.\nstatic PLACES: [[u8; {count}]; 4] = {places:?};\n"
    )
}

/// The place of `bytes` in `all`, a multiple of `step`; what is not there of them is appended.
fn place(all: &mut Vec<u8>, bytes: &[u8], step: usize) -> usize {
    let fits = |at: &usize| all.iter().skip(*at).zip(bytes).all(|(one, other)| one == other);
    let at = (0..=all.len() + 1).step_by(step).find(fits).expect("at the end everything fits");
    all.resize(all.len().max(at), 0);
    let known = bytes.len().min(all.len() - at);
    all.extend(&bytes[known..]);
    at
}

/// The place of this machine's own architecture among the rows.
fn host(rows: &[Row]) -> usize {
    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    let little = env::var("CARGO_CFG_TARGET_ENDIAN").expect("cargo sets it") == "little";
    let host = match arch.as_str() {
        "x86" => "i386",
        "powerpc64" if little => "ppc64le",
        "powerpc64" => "ppc64",
        "aarch64" if !little => "aarch64_be",
        other => other,
    };
    rows.iter().position(|row| row.name == host).unwrap_or_else(|| {
        fail(&format!("{TABLE}: no row for this machine's own architecture '{host}'"));
    })
}

/// The table as Rust. A row is a few bytes; what is longer is in one array, where rows may share it. Every place that a
/// row could hold is one in that array, so that nothing has to be checked at run time.
fn targets(rows: &[Row]) -> String {
    let host = host(rows);
    let code_max = rows.iter().map(|row| row.code.len()).max().unwrap_or(0);
    let mut data = Vec::new();
    let flags = |row: &Row| [vec![row.flags_mask], bytes(row.flags.into(), 4, row.big)].concat();
    let mut left: Vec<Vec<u8>> = rows.iter().map(flags).collect();
    while !left.is_empty() {
        // The one next that adds the least.
        left.sort_by_key(|flags| place(&mut data.clone(), flags, 1) + flags.len());
        place(&mut data, &left.remove(0), 1);
    }
    let flags: Vec<usize> = rows.iter().map(|row| place(&mut data, &flags(row), 1)).collect();
    let code: Vec<usize> = rows.iter().map(|row| place(&mut data, &row.code, 2) / 2).collect();
    let all_names = data.len();
    let mut names = Vec::new();
    for row in rows {
        names.push(data.len() - all_names);
        let others = row.aliases.iter().filter(|alias| **alias != row.name);
        data.extend(others.fold(row.name.clone(), |line, alias| line + "\0" + alias).into_bytes());
        data.extend([0, 0]);
        data.resize(all_names + (data.len() - all_names).next_multiple_of(2), 0);
    }
    let small = |place| u8::try_from(place).unwrap_or_else(|_| fail(&format!("{TABLE}: more than there is room for")));
    let base = 255 - small((data.len() - all_names) / 2);
    // Those of this machine's own architecture come first.
    let own = |platform: &&str| rows[host].aliases.iter().any(|alias| platform.split('/').next() == Some(alias));
    let (own, others): (Vec<&str>, Vec<&str>) = PLATFORMS.split(' ').partition(own);
    let platforms = [own, others].concat();
    let mut text = format!(
        "/// `e_flags` in the order of the target's bytes, behind a mask of their lowest 8 bits; the code of probes; names, a\n\
         /// list for each target.\n\
         static DATA: [u8; {}] = {data:?};\n\
         /// The longest code. What follows a shorter one is never reached.\n\
         const CODE_MAX: usize = {code_max};\n\
         /// What the places of names are counted from.\n\
         const NAMES: usize = DATA.len() - 2 * u8::MAX as usize;\n\
         /// The place of the target that this binary itself is a program of.\n\
         pub const HOST: usize = {host};\n\
         /// The platforms of `--status`, in its order.\n\
         pub const PLATFORMS: List = List::new(b\"{}\\0\\0\");\n\
         /// Which of them is `amd64/v2`, the second level of x86-64; the higher ones follow.\n\
         pub const LEVELS: usize = {};\n\
         /// All targets, in the order of their names.\n\
         pub static TARGETS: [Target; {}] = [\n",
        data.len(),
        platforms.join("\\x00"),
        platforms.iter().position(|platform| *platform == "amd64/v2").expect("it is one of them"),
        rows.len(),
    );
    for (place, row) in rows.iter().enumerate() {
        text += &format!(
            "Target {{ kind: {}, machine: {:?}, flags: {}, code: {}, names: {} }},\n",
            row.wide as u8 | (row.big as u8) << 1 | ((row.family == rows[host].family) as u8) << 2,
            bytes(row.machine.into(), 2, row.big),
            small(flags[place]),
            small(code[place]),
            base + small(names[place] / 2),
        );
    }
    text + "];\n"
}

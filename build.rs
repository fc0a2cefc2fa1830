//! Turns `qemu/targets` into the table of `src/architecture`, says what `--version` prints, and gives the linker its arguments.

use std::collections::HashSet;
use std::path::Path;
use std::{env, fs, process};

const TABLE: &str = "qemu/targets";
/// The longest machine code of `exit(0)` in bytes. With it a probe fits into what the kernel looks at of a file.
const LONGEST_CODE: usize = 32;
/// The first words of notes: indented lines that follow a row, which are for the tests only.
const NOTES: [&str; 5] = ["program", "vdso", "header", "suite", "debian"];

/// A row; see the head of the table for the columns.
struct Row {
    name: String,
    class: u8,
    byte_order: &'static str,
    machine: u16,
    flags: u32,
    flags_mask: u32,
    family: String,
    aliases: Vec<String>,
    code: Vec<u8>,
}

fn main() {
    println!("cargo:rerun-if-changed={TABLE}");
    let text = fs::read_to_string(TABLE).unwrap_or_else(|error| fail(&format!("{TABLE}: {error}")));
    let mut rows: Vec<Row> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let fail = |why: &str| -> ! { fail(&format!("{TABLE}:{}: {why}", number + 1)) };
        let fields = line.split('#').next().unwrap_or_default();
        match fields.split_whitespace().next() {
            None => continue,
            Some(word) if fields.starts_with(char::is_whitespace) => match NOTES.contains(&word) {
                true if !rows.is_empty() => continue,
                true => fail("an indented line, and no row above"),
                false => fail(&format!("keyword '{word}' of an indented line is unknown")),
            },
            Some(_) => {}
        }
        let row = parse(fields).unwrap_or_else(|why| fail(&why));
        if let Some(taken) = row.names().find(|name| rows.iter().any(|other| other.names().any(|own| own == *name))) {
            fail(&format!("'{taken}' is taken by a row above"));
        }
        if let Some(twin) = rows.iter().find(|other| other.overlaps(&row)) {
            fail(&format!("'{}' cannot be told from '{}'", row.name, twin.name));
        }
        rows.push(row);
    }
    let directory = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&directory).join("architectures.rs"), table(&rows)).expect("OUT_DIR is writable");
    version();
    link();
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    process::exit(1)
}

fn parse(line: &str) -> Result<Row, String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [name, class, order, machine, flags, flags_mask, family, aliases, code] = fields[..] else {
        return Err(format!("{} columns, 9 expected", fields.len()));
    };
    let is_hex = |text: &str| text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let word = |what: &str, text: &str| {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex(digits)); // no sign
        number.ok_or(format!("{what} '{text}' is not a hexadecimal number of 32 bits"))
    };
    if code.len() % 2 != 0 || !is_hex(code) {
        return Err(format!("code '{code}' is not pairs of hexadecimal digits"));
    }
    let pairs = code.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("these are digits"));
    let row = Row {
        name: name.into(),
        class: match class {
            "32" => 32,
            "64" => 64,
            _ => return Err(format!("class '{class}', 32 or 64 expected")),
        },
        byte_order: match order {
            "le" => "Little",
            "be" => "Big",
            _ => return Err(format!("byte order '{order}', le or be expected")),
        },
        machine: (machine.parse().ok().filter(|_| !machine.starts_with('+')))
            .ok_or(format!("machine '{machine}' is not a number below 65536"))?,
        flags: word("e_flags", flags)?,
        flags_mask: word("mask of e_flags", flags_mask)?,
        family: family.into(),
        aliases: if aliases == "-" { Vec::new() } else { aliases.split(',').map(String::from).collect() },
        code: pairs.map(|pair| u8::from_str_radix(pair, 16).expect("these are digits")).collect(),
    };
    if row.code.len() > LONGEST_CODE {
        return Err(format!("{} bytes of code, 1 to {LONGEST_CODE} expected", row.code.len()));
    }
    // Names are parts of file names, and words of lists in which `all` has a meaning of its own.
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_name = |name: &str| !name.is_empty() && name != "all" && name.bytes().all(is_letter);
    if let Some(name) = row.names().find(|name| !is_name(name)) {
        return Err(format!("name '{name}', lower-case letters, digits and '_' expected, and not 'all'"));
    }
    Ok(row)
}

impl Row {
    /// All names, each once.
    fn names(&self) -> impl Iterator<Item = &str> {
        let names: HashSet<&str> = self.aliases.iter().chain([&self.name]).map(String::as_str).collect();
        names.into_iter()
    }

    /// Whether one program could be of both architectures.
    fn overlaps(&self, other: &Self) -> bool {
        let common = self.flags_mask & other.flags_mask;
        (self.class, self.byte_order, self.machine) == (other.class, other.byte_order, other.machine)
            && (self.flags ^ other.flags) & common == 0
    }
}

/// The table as Rust.
fn table(rows: &[Row]) -> String {
    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    let little = env::var("CARGO_CFG_TARGET_ENDIAN").expect("cargo sets it") == "little";
    let host = match (arch.as_str(), little) {
        ("x86", _) => "i386",
        ("powerpc64", true) => "ppc64le",
        ("powerpc64", false) => "ppc64",
        (other, _) => other,
    };
    let Some(place) = rows.iter().position(|row| row.name == host) else {
        fail(&format!("{TABLE}: no row for the host '{host}'"));
    };
    let mut text = format!(
        "/// All architectures, in the order of the table.\n\
         pub static ARCHITECTURES: [Architecture; {}] = [\n",
        rows.len()
    );
    for (index, row) in rows.iter().enumerate() {
        let Row { name, class, byte_order, machine, flags, flags_mask, code, .. } = row;
        // Its own name first. It may be among those of OCI.
        let others = row.aliases.iter().filter(|alias| *alias != name);
        let names = [name].into_iter().chain(others).map(String::as_str).collect::<Vec<_>>().join(",");
        let relation = match index {
            _ if index == place => "Host",
            _ if row.family == rows[place].family => "Related",
            _ => "Foreign",
        };
        text += &format!(
            "Architecture {{ names: {names:?}, class: Class::Elf{class}, \
             byte_order: ByteOrder::{byte_order}, machine: {machine}, flags: {flags:#x}, flags_mask: {flags_mask:#x}, \
             relation: Relation::{relation}, exit_code: &{code:?} }},\n"
        );
    }
    text + &format!("];\n/// The host's own.\npub static HOST: &Architecture = &ARCHITECTURES[{place}];\n")
}

/// What `--version` prints. An image's build says by `QEMU_VERSION` which QEMU is beside the tool.
fn version() {
    println!("cargo:rerun-if-env-changed=QEMU_VERSION");
    let own = env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    let qemu = env::var("QEMU_VERSION").unwrap_or_default();
    let with_qemu = |separator: &str| if qemu.is_empty() { String::new() } else { format!("{separator}{qemu}") };
    println!("cargo:rustc-env=VERSION_LINE=binfmt_register {own}{}", with_qemu(" qemu "));
    println!("cargo:rustc-env=BINFMT_VERSION_LINE=binfmt/{own}{}", with_qemu(" qemu/v"));
}

/// The binary has its own entry point and needs no C library. cargo calls the linker through a C compiler, or calls lld
/// itself where it was told to (`make hosts` does).
fn link() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let x86 = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86");
    let script = if x86 { "src/sys/link-x86.ld" } else { "src/sys/link.ld" };
    println!("cargo:rerun-if-changed={script}");
    println!("cargo:rustc-link-arg-bins=-T{root}/{script}");
    // cargo takes another linker from here, and does not run this again by itself.
    let target = env::var("TARGET").expect("cargo sets TARGET").to_uppercase().replace('-', "_");
    println!("cargo:rerun-if-env-changed=CARGO_TARGET_{target}_LINKER");
    let direct = env::var("RUSTC_LINKER").is_ok_and(|linker| linker.ends_with("lld"));
    if !direct {
        for argument in ["-nostdlib", "-nostartfiles", "-static", "-no-pie"] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
    for argument in ["--build-id=none", "--no-eh-frame-hdr", "-znorelro", "-zmax-page-size=4096"] {
        println!("cargo:rustc-link-arg-bins={}{argument}", if direct { "" } else { "-Wl," });
    }
}

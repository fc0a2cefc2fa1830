//! `qemu/targets`, as the tests read it: by code of their own, and with the lines below a row, which `build.rs` skips.

use super::TOP;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

/// A row, and what is known about the architecture from others.
#[derive(Debug, Default)]
pub struct Row {
    pub name: String,
    pub family: String,
    pub programs: Vec<Program>,
    /// Files in QEMU's archive of what it maps into programs.
    pub vdsos: Vec<String>,
    pub header: Option<Header>,
    /// The Debian release whose QEMU still has the target, where that of Debian 13 does not.
    pub suite: Option<String>,
    pub differences: Vec<Difference>,
}

/// A file below `/usr` of a Debian package.
#[derive(Clone, Debug)]
pub struct Program {
    pub package: String,
    pub file: String,
}

/// An ELF header, as LLVM's `yaml2obj` calls its parts.
#[derive(Debug)]
pub struct Header {
    pub class: String,
    pub data: String,
    pub machine: String,
    pub flags: Option<String>,
}

/// Where the rule of Debian and ours do not ask the same.
#[derive(Debug)]
pub struct Difference {
    pub bytes: RangeInclusive<usize>,
    pub debian: Vec<Asked>,
    pub ours: Vec<Asked>,
}

/// What is asked of one byte of a program: the bits that count, and which these are.
pub type Asked = (u8, u8);

/// All rows, in their order.
pub fn rows() -> Vec<Row> {
    let table = fs::read_to_string(Path::new(TOP).join("qemu/targets")).unwrap();
    parse(&table).unwrap_or_else(|why| panic!("qemu/targets:{why}"))
}

/// An error begins with the number of its line.
fn parse(table: &str) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    for (number, line) in (1..).zip(table.lines()) {
        let at = |why: &str| format!("{number}: {why}");
        let text = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        if text.starts_with(char::is_whitespace) {
            let row = rows.last_mut().ok_or_else(|| at("an indented line, and no row above"))?;
            row.detail(&words).map_err(|why| at(&why))?;
        } else {
            let [name, _, _, _, _, _, family, _, _] = words[..] else { return Err(at("not nine columns")) };
            rows.push(Row { name: name.into(), family: family.into(), ..Row::default() });
        }
    }
    Ok(rows)
}

impl Row {
    /// Takes in an indented line.
    fn detail(&mut self, words: &[&str]) -> Result<(), String> {
        match *words {
            ["program", package, file] => {
                self.programs.push(Program { package: package.into(), file: file.into() });
            }
            ["vdso", file] => self.vdsos.push(file.into()),
            ["header", class, data, machine, ref flags @ ..] if flags.len() < 2 && self.header.is_none() => {
                let flags = flags.first().map(|flags| flags.to_string());
                self.header = Some(Header { class: class.into(), data: data.into(), machine: machine.into(), flags });
            }
            ["suite", suite] if self.suite.is_none() => self.suite = Some(suite.into()),
            ["debian", bytes, debian, ours, _, ..] => {
                let (first, last) = bytes.split_once('-').unwrap_or((bytes, bytes));
                let number = |text: &str| text.parse::<usize>().map_err(|error| format!("byte '{text}': {error}"));
                let bytes = number(first)?..=number(last)?;
                let length = bytes.clone().count();
                let (debian, ours) = (asked(debian, length)?, asked(ours, length)?);
                self.differences.push(Difference { bytes, debian, ours });
            }
            ["debian", ..] => return Err("not 'debian BYTES THEIRS OURS REASON'".into()),
            _ => return Err(format!("no such line, or not a second time, below a row: {}", words.join(" "))),
        }
        Ok(())
    }
}

/// Reads `VALUE/MASK`, each of so many bytes.
fn asked(text: &str, length: usize) -> Result<Vec<Asked>, String> {
    let wrong = || format!("'{text}' is not VALUE/MASK of {length} bytes each, hexadecimal");
    let bytes = |digits: &str| -> Option<Vec<u8>> {
        let fits = digits.len() == 2 * length && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let byte = |place| u8::from_str_radix(&digits[place..place + 2], 16).ok();
        fits.then(|| (0..digits.len()).step_by(2).map(byte).collect()).flatten()
    };
    let (value, mask) = text.split_once('/').ok_or_else(wrong)?;
    let asked: Vec<Asked> =
        bytes(value).zip(bytes(mask)).map(|(value, mask)| value.into_iter().zip(mask).collect()).ok_or_else(wrong)?;
    if asked.iter().all(|(value, mask)| value & !mask == 0) {
        Ok(asked)
    } else {
        Err(format!("'{text}': a value beyond the mask"))
    }
}

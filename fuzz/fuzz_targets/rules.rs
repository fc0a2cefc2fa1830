//! A rule of the user's, against the kernel's own reading of it, and what it says of the entry then.
//!
//! The input is the line, a newline, which no line has in it, and the start of a file.
#![no_main]

use binfmt_register::binfmt::{Entry, Malformed, PatternBuffer, UserRule};
use binfmt_register::machine::{Place, Version};
use libfuzzer_sys::fuzz_target;

/// What `create_entry()` in the kernel's `fs/binfmt_misc.c` makes of a line.
struct Made {
    name: Vec<u8>,
    kind: Kind,
    interpreter: Vec<u8>,
    flags: Vec<u8>,
}

enum Kind {
    Magic { offset: usize, magic: Vec<u8>, mask: Option<Vec<u8>> },
    Extension(Vec<u8>),
}

/// The letters of Linux 7.3.
const FLAGS: &[u8] = b"POCFTLD";

/// The kernel's reading: from the start on, field by field, with the delimiter after the end.
fn create_entry(line: &[u8]) -> Option<Made> {
    if !(11..=1920).contains(&line.len()) {
        return None;
    }
    let delimiter = line[0];
    let padded = [line, &[delimiter; 8]].concat();
    let mut at = 1;
    let field = |at: &mut usize| {
        let length = padded[*at..].iter().position(|&byte| byte == delimiter)?;
        let field = padded[*at..*at + length].to_vec();
        *at += length + 1;
        Some(field)
    };
    let name = field(&mut at)?;
    if name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') {
        return None;
    }
    let kind = *padded.get(at)?;
    if !b"EM".contains(&kind) || padded.get(at + 1) != Some(&delimiter) {
        return None;
    }
    at += 2;
    let offset = field(&mut at)?;
    let kind = if kind == b'M' {
        let offset = match &offset[..] {
            b"" => 0,
            digits => str::from_utf8(digits).ok()?.parse::<i32>().ok().filter(|offset| *offset >= 0)?,
        };
        let magic = scan(&padded, &mut at, delimiter)?;
        let mask = scan(&padded, &mut at, delimiter)?;
        let (magic, mask) = (unescape(&magic), (!mask.is_empty()).then(|| unescape(&mask)));
        if magic.is_empty() || mask.as_ref().is_some_and(|mask| mask.len() != magic.len()) {
            return None;
        }
        let offset = offset as usize;
        if magic.len() > 256 || 256 - magic.len() < offset {
            return None;
        }
        Kind::Magic { offset, magic, mask }
    } else {
        let extension = field(&mut at)?;
        if extension.is_empty() || extension.contains(&b'/') {
            return None;
        }
        field(&mut at)?;
        Kind::Extension(extension)
    };
    let interpreter = field(&mut at)?;
    if interpreter.is_empty() || at > line.len() {
        return None;
    }
    let flags = line[at..].to_vec();
    flags.iter().all(|letter| FLAGS.contains(letter)).then_some(Made { name, kind, interpreter, flags })
}

/// `scanarg()`: up to the delimiter, past the digits of each `\x`.
fn scan(text: &[u8], at: &mut usize, delimiter: u8) -> Option<Vec<u8>> {
    let start = *at;
    while *text.get(*at)? != delimiter {
        let digits = if text[*at..].starts_with(b"\\x") { 2 } else { 0 };
        *at += 1;
        if digits != 0 {
            let two = text.get(*at + 1..*at + 3)?;
            if !two.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            *at += 3;
        }
    }
    *at += 1;
    Some(text[start..*at - 1].to_vec())
}

/// `string_unescape_inplace()`, of `\xHH` only.
fn unescape(text: &[u8]) -> Vec<u8> {
    let (mut bytes, mut at) = (Vec::new(), 0);
    while at < text.len() {
        if text[at..].starts_with(b"\\x") {
            bytes.push(u8::from_str_radix(str::from_utf8(&text[at + 2..at + 4]).unwrap(), 16).unwrap());
            at += 4;
        } else {
            bytes.push(text[at]);
            at += 1;
        }
    }
    bytes
}

/// `entry_status()`: what the kernel shows of it.
fn status(made: &Made) -> Vec<u8> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes();
    let mut flags: Vec<u8> = b"POCF".iter().copied().filter(|letter| made.flags.contains(letter)).collect();
    if flags.contains(&b'C') && !flags.contains(&b'O') {
        flags.push(b'O');
    }
    flags.extend(made.flags.contains(&b'L').then_some(b'L'));
    let start = [b"enabled\ninterpreter ".as_slice(), &made.interpreter, b"\nflags: ", &flags, b"\n"].concat();
    match &made.kind {
        Kind::Extension(extension) => [&start[..], b"extension .", extension, b"\n"].concat(),
        Kind::Magic { offset, magic, mask } => {
            let mask = mask.as_ref().map_or(vec![], |mask| [b"\nmask ".as_slice(), &hex(mask)].concat());
            [&start[..], format!("offset {offset}\nmagic ").as_bytes(), &hex(magic), &mask, b"\n"].concat()
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let (line, file) = input.split_at(input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len()));
    let (line, file) = (line.trim_ascii(), file.get(1..).unwrap_or_default());
    let mut digits = PatternBuffer::new();
    let rule = UserRule::parse(line, Place { file: b"f", line: 1 }, Version::new(6, 12), &mut digits);
    if line.contains(&0) {
        return assert!(rule.is_err());
    }
    let made = create_entry(line);
    let rule = match (rule, &made) {
        (Ok(rule), Some(_)) => rule,
        (Ok(_), None) => panic!("the kernel does not take it"),
        (Err(_), None) => return,
        // What the kernel takes, and is of no use.
        (Err(error), Some(made)) => {
            let path = &made.interpreter;
            return assert!(match error {
                Malformed::Delimiter => line[0].is_ascii_alphanumeric() || b"/\\".contains(&line[0]),
                Malformed::LongName => made.name.len() > 251,
                Malformed::NameTaken => [&b"register"[..], b"status", b"binfmt_register"].contains(&&*made.name),
                Malformed::Offset =>
                    !line.split(|byte| *byte == line[0]).nth(3).unwrap().iter().all(u8::is_ascii_digit),
                Malformed::Extension => matches!(&made.kind, Kind::Extension(text) if text.contains(&b'.')),
                Malformed::Interpreter => !path.starts_with(b"/") || path.ends_with(b"/"),
                _ => false,
            });
        }
    };
    let made = made.unwrap();
    assert_eq!((rule.name, rule.letters, rule.entry.interpreter), (&*made.name, &*made.flags, &*made.interpreter));
    let (directory, name) = rule.path();
    assert_eq!([directory, name].concat(), made.interpreter);
    assert!(directory.ends_with(b"/") && !name.contains(&b'/'));
    // A rule that is read twice is the same one, and what the kernel shows of it is.
    let text = status(&made);
    let shown = Entry::parse(&text);
    assert!(rule.entry.matches_the_same_as(&rule.entry));
    if !made.interpreter.windows(8).any(|window| window == b"\nflags: ") {
        assert!(rule.entry.matches_the_same_as(&shown) && shown.matches_the_same_as(&rule.entry));
        assert_eq!((rule.entry.flags, rule.entry.matches(file)), (shown.flags, shown.matches(file)));
    }
});

//! Turns `src/messages` into what `src/message.rs` includes: the names as Rust, the texts packed.
//!
//! Packing is byte pair encoding: again and again, the pair of bytes that is there most often gets a byte of its own,
//! from 128 on, where no ASCII text has any. It halves the texts, and all it takes to unpack them is the list of pairs.

use std::collections::BTreeMap;
use std::fmt::Write;

const FIRST: usize = 128;

struct Section<'a> {
    name: &'a str,
    /// Name and text.
    rows: Vec<(&'a str, String)>,
}

/// What `source` means, as Rust.
///
/// # Errors
/// What is wrong with it, with the number of the line.
pub fn rust(source: &str) -> Result<String, String> {
    let sections = read(source)?;
    let texts = sections.iter().flat_map(|section| &section.rows).map(|(_, text)| text.as_bytes().to_vec());
    let (texts, pairs) = pack(texts.collect());
    let mut texts = texts.iter();
    let mut rust = String::new();
    writeln!(rust, "/// What the bytes from {FIRST} on stand for.").unwrap();
    writeln!(rust, "pub static PAIRS: [[u8; 2]; {}] = {pairs:?};", pairs.len()).unwrap();
    for Section { name, rows } in &sections {
        match *name {
            "Say" => {
                writeln!(
                    rust,
                    "/// A line.\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]\n#[repr(u8)]\npub enum Say {{"
                )
                .unwrap();
                rows.iter().for_each(|(row, text)| writeln!(rust, "/// `{text}`\n{row},").unwrap());
                writeln!(rust, "}}").unwrap();
            }
            "Reason" => {
                writeln!(rust, "impl Reason {{").unwrap();
                for (number, (row, text)) in rows.iter().enumerate() {
                    writeln!(rust, "/// `{text}`\npub const {row}: Self = Self({number});").unwrap();
                }
                writeln!(rust, "}}").unwrap();
            }
            "Help" => {}
            _ => {
                let names: String = rows.iter().map(|(row, _)| format!("{row}\\x00")).collect();
                writeln!(
                    rust,
                    "/// The names in the section.\npub const {}S: List = List::new(b\"{names}\\0\");",
                    name.to_uppercase()
                )
                .unwrap();
            }
        }
        let list: String = texts
            .by_ref()
            .take(rows.len())
            .flat_map(|text| [text.escape_ascii().to_string(), "\\x00".into()])
            .collect();
        writeln!(
            rust,
            "/// The texts in the section, packed.\npub const {}_TEXTS: List = List::new(b\"{list}\\0\");",
            name.to_uppercase()
        )
        .unwrap();
    }
    Ok(rust)
}

/// The sections of `source`.
fn read(source: &str) -> Result<Vec<Section<'_>>, String> {
    let mut sections: Vec<Section> = Vec::new();
    for (number, line) in source.lines().enumerate() {
        let wrong = |what: &str| format!("{}: {what}", number + 1);
        let line = line.trim_end();
        if !line.is_ascii() {
            return Err(wrong("a character that is not ASCII"));
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            sections.push(Section { name, rows: Vec::new() });
            continue;
        }
        let section = sections.last_mut().ok_or_else(|| wrong("a row before the first [section]"))?;
        match (line.strip_prefix('|'), section.rows.last_mut()) {
            // A blank line belongs to the text before it: none in a list may be blank.
            (Some(""), Some((_, text))) => text.push('\n'),
            (Some(text), _) => section.rows.push(("|", text.strip_prefix(' ').unwrap_or(text).into())),
            (None, _) => {
                let (name, text) = line.split_once(' ').unwrap_or((line, line));
                section.rows.push((name, text.trim_start().into()));
            }
        }
    }
    Ok(sections)
}

/// Packs the texts; what the bytes from [`FIRST`] on stand for.
fn pack(mut texts: Vec<Vec<u8>>) -> (Vec<Vec<u8>>, Vec<[u8; 2]>) {
    let mut pairs = Vec::new();
    for byte in FIRST..=255 {
        let mut counts: BTreeMap<[u8; 2], usize> = BTreeMap::new();
        for text in &texts {
            // A place to be filled in is looked for before the text is unpacked: no pair may hide one.
            for (at, pair) in text.windows(2).enumerate() {
                if !pair.contains(&b'%') && (at == 0 || text[at - 1] != b'%') {
                    *counts.entry([pair[0], pair[1]]).or_default() += 1;
                }
            }
        }
        let Some((&pair, count)) = counts.iter().max_by_key(|(_, count)| **count) else { break };
        // The pair itself takes two bytes.
        if *count < 4 {
            break;
        }
        for text in &mut texts {
            let mut at = 0;
            while at + 1 < text.len() {
                if text[at..at + 2] == pair && (at == 0 || text[at - 1] != b'%') {
                    text.splice(at..at + 2, [byte as u8]);
                }
                at += 1;
            }
        }
        pairs.push(pair);
    }
    (texts, pairs)
}

//! The text of an entry, against a reading of the whole text at once, and the kernel's own comparison.
//!
//! The input is the text, a NUL byte, which no text has in it, and the start of a file.
#![no_main]

use binfmt_register::architecture::{ARCHITECTURES, ByteOrder};
use binfmt_register::binfmt::Entry;
use libfuzzer_sys::fuzz_target;
use regex::bytes::Regex;
use std::sync::LazyLock;

/// `entry_status()` in the kernel's `fs/binfmt_misc.c`. The path of the interpreter may have lines that look like ours,
/// so it takes all it can get.
static TEXT: LazyLock<Regex> = LazyLock::new(|| {
    let text = r"(?s-u)\A(enabled|disabled)\ninterpreter .+\nflags: ([A-Z]*)\n(?:extension \.[^\n/]+\n|offset ([0-9]+)\nmagic ((?:[0-9a-f]{2})+)\n(?:mask ((?:[0-9a-f]{2})+)\n)?)\z";
    Regex::new(text).unwrap()
});

/// As much of a file as the kernel looks at.
type Start = [u8; 256];

/// A program of each architecture, and the same as a position-independent one.
static PROGRAMS: LazyLock<Vec<[Start; 2]>> = LazyLock::new(|| {
    let programs = ARCHITECTURES.iter().map(|architecture| {
        [2, 3].map(|e_type| {
            let mut program = start(&architecture.probe());
            program[16..18].copy_from_slice(&match architecture.byte_order {
                ByteOrder::Little => [e_type, 0],
                ByteOrder::Big => [0, e_type],
            });
            program
        })
    });
    programs.collect()
});

/// An entry that matches by magic.
struct Magic {
    offset: usize,
    magic: Vec<u8>,
    mask: Option<Vec<u8>>,
}

impl Magic {
    /// `search_binfmt_handler()`, in the kernel's words.
    fn matches(&self, file: &Start) -> bool {
        let s = &file[self.offset..];
        let mut j = 0;
        while j < self.magic.len() {
            let difference = s[j] ^ self.magic[j];
            if difference & self.mask.as_ref().map_or(0xff, |mask| mask[j]) != 0 {
                break;
            }
            j += 1;
        }
        j == self.magic.len()
    }
}

fuzz_target!(|input: &[u8]| {
    let (text, file) = input.split_at(input.iter().position(|&byte| byte == 0).unwrap_or(input.len()));
    let file = file.get(1..).unwrap_or_default();
    let entry = Entry::parse(text);
    let (matches, matches_programs) = (entry.matches(file), handled(&entry));

    // Of a text that the kernel does not write, it is enough that it is read.
    let Some(groups) = TEXT.captures(text) else { return };
    let magic = groups.get(4).map(|magic| Magic {
        offset: str::from_utf8(&groups[3]).unwrap().parse().unwrap_or(usize::MAX),
        magic: bytes(magic.as_bytes()),
        mask: groups.get(5).map(|mask| bytes(mask.as_bytes())),
    });
    if let Some(Magic { offset, magic, mask }) = &magic {
        // What create_entry() asks for.
        let is_within = magic.len().checked_add(*offset).is_some_and(|end| end <= 256);
        let fits = mask.as_ref().is_none_or(|mask| mask.len() == magic.len());
        if !is_within || !fits {
            return;
        }
    }
    assert_eq!(entry.enabled, &groups[1] == b"enabled");
    assert_eq!(matches, magic.as_ref().is_some_and(|magic| magic.matches(&start(file))));
    // A letter that nobody knows may mean that the entry does not get all programs that match.
    let flags_are_known = groups[2].iter().all(|letter| b"POCFTD".contains(letter));
    let expected = PROGRAMS.iter().map(|programs| {
        let either = |magic: &Magic| programs.iter().any(|program| magic.matches(program));
        flags_are_known && magic.as_ref().is_some_and(either)
    });
    assert!(matches_programs.into_iter().eq(expected));
});

/// Whether the entry handles each of the architectures.
fn handled(entry: &Entry) -> Vec<bool> {
    ARCHITECTURES.iter().map(|architecture| entry.handles(architecture)).collect()
}

/// What the kernel has in memory of a file that starts so.
fn start(file: &[u8]) -> Start {
    let mut start = [0; 256];
    let length = file.len().min(256);
    start[..length].copy_from_slice(&file[..length]);
    start
}

/// The bytes that pairs of hexadecimal digits stand for.
fn bytes(digits: &[u8]) -> Vec<u8> {
    let digits = str::from_utf8(digits).unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

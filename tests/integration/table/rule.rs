//! Rules: what they say, read as the kernel reads them, and what they match.

use super::library;
use crate::common::targets::Asked;
use crate::common::{debian, fetch, host, run, skip};
use std::process::Command;
use std::{fs, str};

/// A line in the format of `binfmt.d(5)`, read as the kernel reads it, independently of how ours are written.
pub struct Rule {
    pub name: String,
    offset: usize,
    magic: Vec<u8>,
    pub mask: Vec<u8>,
}

impl Rule {
    pub fn parse(line: &str) -> Self {
        let delimiter = line.chars().next().expect("not an empty line");
        let fields: Vec<&str> = line[delimiter.len_utf8()..].split(delimiter).collect();
        let [name, "M", offset, magic, mask, interpreter, flags] = fields[..] else {
            panic!("not seven fields of type M: {line}")
        };
        assert!(!name.is_empty() && interpreter.starts_with('/'), "{line}");
        assert!(flags.chars().all(|flag| "POCF".contains(flag)), "{line}");
        assert!(line.len() < 1920, "{} bytes, more than the kernel takes: {line}", line.len());
        let name = name.strip_prefix("qemu-").expect("named as QEMU's").into();
        let offset = if offset.is_empty() { 0 } else { offset.parse().unwrap() };
        let rule = Rule { name, offset, magic: unescape(magic), mask: unescape(mask) };
        assert_eq!(rule.magic.len(), rule.mask.len(), "{line}");
        rule
    }

    /// `search_binfmt_handler` in `fs/binfmt_misc.c`.
    fn matches(&self, start: &[u8; 256]) -> bool {
        let wrong = |at: usize| (start[self.offset + at] ^ self.magic[at]) & self.mask[at] != 0;
        !(0..self.magic.len()).any(wrong)
    }

    /// What binfmt_misc shows of the entry.
    fn shown(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (magic, mask) = (hex(&self.magic), hex(&self.mask));
        let offset = self.offset;
        format!("enabled\ninterpreter /qemu\nflags: POCF\noffset {offset}\nmagic {magic}\nmask {mask}\n")
    }

    /// Whether the tool takes the entry for one that handles an architecture.
    pub fn handles(&self, architecture: &str) -> bool {
        library::entry_handles(&self.shown(), architecture)
    }

    /// What is asked of byte `at` of a program: the bits that count, and which these are.
    pub fn asks(&self, at: usize) -> Asked {
        assert_eq!(self.offset, 0);
        self.mask.get(at).map_or((0, 0), |mask| (self.magic[at] & mask, *mask))
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::new();
    while let [first, following @ ..] = rest {
        (rest, bytes) = match following {
            [b'x', high, low, following @ ..] if *first == b'\\' => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap());
                (following, bytes)
            }
            _ => {
                assert!(*first != b'\\', "an escape that the kernel does not know: {text}");
                bytes.push(*first);
                (following, bytes)
            }
        };
    }
    bytes
}

/// The names of the rules that match `program`: the same by what the kernel does and by what the tool reads of an entry.
pub fn matching<'a>(rules: &'a [Rule], program: &[u8]) -> Vec<&'a str> {
    let mut start = [0; 256]; // BINPRM_BUF_SIZE; zeros beyond the end of the file
    let length = program.len().min(start.len());
    start[..length].copy_from_slice(&program[..length]);
    let names = rules.iter().filter(|rule| {
        let matches = rule.matches(&start);
        assert_eq!(library::entry_matches(&rule.shown(), &start), matches, "{}", rule.name);
        matches
    });
    names.map(|rule| rule.name.as_str()).collect()
}

/// Our rules: those `--print` prints, and from the library those of this machine's own family that it leaves out.
pub fn ours() -> Vec<Rule> {
    let mut rules: Vec<Rule> = printed().lines().filter(|line| !line.starts_with('#')).map(Rule::parse).collect();
    for name in library::names() {
        if !rules.iter().any(|rule| rule.name == name) {
            rules.push(Rule::parse(&library::rule(&name)));
        }
    }
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(rules.iter().map(|rule| rule.name.clone()).eq(library::names()));
    rules
}

/// What `--print` prints of all architectures.
pub fn printed() -> String {
    let mut print = Command::new(host::binary());
    print.env_clear().envs([("ARCHES", "all"), ("MODE", "execution"), ("QEMU_BINARY_PATH", "/nonexistent")]);
    run(print.arg("--print")).unwrap()
}

/// Debian's rules; `None` after having said that these are not there.
pub fn debians(test: &str) -> Option<Vec<Rule>> {
    if let Err(why) = fetch("amd64", "qemu-user-binfmt") {
        skip(test, &why);
        return None;
    }
    // In /usr/lib/binfmt.d is the same but for the machine's own family.
    let files = fs::read_dir(debian("amd64", "/usr/share/qemu/binfmt.d")).unwrap();
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let mut rules: Vec<Rule> = texts.map(|text| Rule::parse(text.trim())).collect();
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    Some(rules)
}

//! Names of architectures and entries, against all that there are; patterns, against the crate `wildmatch`.
//!
//! The input is a word as `ARCHES` and `--uninstall` take it, a NUL byte, and the name of an entry.
#![no_main]

use binfmt_register::architecture::Architecture;
use binfmt_register::binfmt::{OwnName, name_of, recognize};
use binfmt_register::jobs::matches;
use binfmt_register::machine::PathBuffer;
use binfmt_register_fuzz::{ENTRIES, SPELLINGS, text};
use libfuzzer_sys::fuzz_target;
use wildmatch::WildMatch;

fuzz_target!(|input: &[u8]| {
    let (word, name) = input.split_at(input.iter().position(|&byte| byte == 0).unwrap_or(input.len()));
    let name = name.get(1..).unwrap_or_default();

    let found = Architecture::find(word).map(|architecture| text(architecture.name()));
    assert_eq!(found, SPELLINGS.get(text(word)).copied());

    for entry in [word, name] {
        let recognized = recognize(entry);
        let own = recognized.map(|(architecture, own)| (text(architecture.name()), own == OwnName::StandIn));
        assert_eq!(own, ENTRIES.get(text(entry)).copied());
        if let Some((architecture, own)) = recognized {
            assert_eq!(name_of(architecture, own, &mut PathBuffer::new()).to_bytes(), entry);
        }
    }

    for (pattern, name) in [(word, name), (name, word)] {
        assert_eq!(matches(pattern, name), WildMatch::new(&characters(pattern)).matches(&characters(name)));
    }
});

/// A character for each byte: ours are patterns of bytes.
fn characters(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

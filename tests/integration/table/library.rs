//! All that the tests of the table use of the library.

use binfmt_register::architecture::{ARCHITECTURES, Architecture};
use binfmt_register::binfmt::{Entry, Flags, OwnName, Rule, RuleBuffer, name_of};
use binfmt_register::machine::PathBuffer;
use std::collections::BTreeMap;

/// The names of all architectures, in the order of the table.
pub fn names() -> Vec<String> {
    ARCHITECTURES.iter().map(own_name).collect()
}

/// Every probe, by the name of its architecture.
pub fn probes() -> BTreeMap<String, Vec<u8>> {
    ARCHITECTURES.iter().map(|architecture| (own_name(architecture), architecture.probe().to_vec())).collect()
}

/// The line that registers an architecture, named as QEMU's, though this machine may execute its programs by itself.
pub fn rule(architecture: &str) -> String {
    let architecture = find(architecture);
    let mut buffer = PathBuffer::new();
    let name = name_of(architecture, OwnName::Entry, &mut buffer);
    let mut buffer = RuleBuffer::new();
    let rule = Rule::new(name, architecture, &[b"/nonexistent"], Flags::OPEN_BINARY, &mut buffer).unwrap();
    String::from_utf8(rule.as_bytes().into()).unwrap()
}

/// Whether the entry of which binfmt_misc shows this text matches a file that starts so.
pub fn entry_matches(text: &str, start: &[u8; 256]) -> bool {
    Entry::parse(text.as_bytes()).matches(start)
}

/// Whether it handles programs of that architecture.
pub fn entry_handles(text: &str, architecture: &str) -> bool {
    Entry::parse(text.as_bytes()).handles(find(architecture))
}

fn find(architecture: &str) -> &'static Architecture {
    ARCHITECTURES.iter().find(|other| other.name() == architecture.as_bytes()).unwrap()
}

fn own_name(architecture: &Architecture) -> String {
    String::from_utf8(architecture.name().into()).unwrap()
}

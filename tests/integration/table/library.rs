//! All that the tests of the table use of the library.

use binfmt_register::handler::Handler;
use binfmt_register::output::Output;
use binfmt_register::rule;
use binfmt_register::target::{TARGETS, Target};
use binfmt_register::text::{BLANK, Text};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::mem::MaybeUninit;

/// The names of all architectures, in the order of the table.
pub fn names() -> Vec<String> {
    TARGETS.iter().map(name).collect()
}

/// Every probe, by the name of its architecture.
pub fn probes() -> BTreeMap<String, Vec<u8>> {
    let probe = |target: &Target| target.probe(&mut MaybeUninit::uninit()).to_vec();
    TARGETS.iter().map(|target| (name(target), probe(target))).collect()
}

/// The line that registers an architecture, named as QEMU's, though this machine may execute its programs by itself.
pub fn rule(architecture: &str) -> String {
    let mut line = Output::text_only();
    let mut values = [BLANK; 10];
    let target = find(architecture);
    [values[0], values[1], values[2]] = [target.name(), Text::new(c"/nonexistent"), Text::new(c"O")];
    assert!(rule::write(&mut line, Text::new(c"qemu-%0"), target, &values, true));
    String::from_utf8(line.bytes().to_vec()).unwrap()
}

/// Whether the entry of which binfmt_misc shows this text matches a file that starts so.
pub fn entry_matches(text: &str, start: &[u8; 256]) -> bool {
    entry(text).matches(start)
}

/// Whether it handles programs of that architecture.
pub fn entry_handles(text: &str, architecture: &str) -> bool {
    entry(text).handles(find(architecture))
}

fn entry(text: &str) -> Handler {
    Handler::parse(Text::new(&CString::new(text).unwrap()), &mut MaybeUninit::uninit()).clone()
}

fn find(architecture: &str) -> &'static Target {
    TARGETS.iter().find(|target| name(target) == architecture).unwrap()
}

fn name(target: &Target) -> String {
    String::from_utf8(target.name().collect()).unwrap()
}

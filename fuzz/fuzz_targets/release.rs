//! Release strings, against a regular expression and the standard library's numbers.
#![no_main]

use binfmt_register::machine::Version;
use libfuzzer_sys::fuzz_target;
use regex::bytes::Regex;
use std::num::IntErrorKind;
use std::sync::LazyLock;

static RELEASE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?-u)\A([0-9]*)(?:\.([0-9]*))?").unwrap());

fuzz_target!(|release: &[u8]| {
    let groups = RELEASE.captures(release).unwrap();
    let number = |group| {
        let digits = groups.get(group).map_or("", |digits| str::from_utf8(digits.as_bytes()).unwrap());
        digits.parse().unwrap_or_else(|error: std::num::ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow => u16::MAX,
            _ => 0, // there is no digit
        })
    };
    let (major, minor) = (number(1), number(2));
    let version = Version::parse(release);
    assert_eq!(version, Version::new(major, minor));
    // Versions are in the order of their numbers.
    for (other_major, other_minor) in [(4, 8), (5, 12), (6, 7)] {
        let expected = (major, minor).cmp(&(other_major, other_minor));
        assert_eq!(version.cmp(&Version::new(other_major, other_minor)), expected);
    }
});

//! The rules against Debian's, an independent table of the same.

use super::library;
use super::rule::{debians, matching, ours};
use crate::common::targets::{Asked, Row, rows};
use std::collections::BTreeMap;
use std::ops::Range;

const ANY: Asked = (0, 0);

/// `EI_ABIVERSION` and `EI_PAD`, and what Debian's rules ask of each where nothing else is said beside the row.
const PADDING: Range<usize> = 8..16;
const ZERO: Asked = (0, 0xff);

impl Row {
    /// What is said beside the row about some bytes: what the rule of Debian asks of each, and ours.
    fn said(&self) -> BTreeMap<usize, (Asked, Asked)> {
        let mut said = BTreeMap::new();
        for difference in &self.differences {
            let asked = difference.debian.iter().copied().zip(difference.ours.iter().copied());
            for (at, both) in difference.bytes.clone().zip(asked) {
                let usual = if PADDING.contains(&at) { both == (ZERO, ANY) } else { both.0 == both.1 };
                assert!(!usual, "{}, byte {at}: that needs no saying", self.name);
                assert!(said.insert(at, both).is_none(), "{}, byte {at}: said twice", self.name);
            }
        }
        said
    }

    /// Whether Debian's rule is, by what is said, for other programs than the probe.
    fn is_other_in_debian(&self, probe: &[u8]) -> bool {
        self.said().into_iter().any(|(at, ((value, mask), _))| probe[at] & mask != value)
    }
}

/// The rows of which Debian has a rule: its QEMU knows them.
fn of_debian() -> impl Iterator<Item = Row> {
    rows().into_iter().filter(|row| row.suite.is_none())
}

#[test]
fn debians_rules_match_the_probe_they_should() {
    let Some(debians) = debians("debians_rules_match_the_probe_they_should") else { return };
    let names: Vec<&str> = debians.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, of_debian().map(|row| row.name).collect::<Vec<_>>());
    let probes = library::probes();
    for row in rows() {
        let none = row.suite.is_some() || row.is_other_in_debian(&probes[&row.name]);
        let expected: &[&str] = if none { &[] } else { &[&row.name] };
        assert_eq!(matching(&debians, &probes[&row.name]), expected);
    }
    // What is asked of an entry that is there already: whether the architecture is handled.
    for (rule, row) in debians.iter().zip(of_debian()) {
        let mut handled = library::names();
        handled.retain(|name| rule.handles(name));
        let expected: &[&str] = if row.is_other_in_debian(&probes[&row.name]) { &[] } else { &[&rule.name] };
        assert_eq!(handled, expected);
    }
}

#[test]
fn each_difference_from_debians_rules_is_known() {
    let Some(debians) = debians("each_difference_from_debians_rules_is_known") else { return };
    let ours = ours();
    let mut wrong = Vec::new();
    for row in rows() {
        let said = row.said();
        let find = |name: &str| debians.iter().find(|rule| rule.name == name);
        let Some(theirs) = find(&row.name) else {
            assert!(row.suite.is_some() && said.is_empty(), "Debian has no rule for {}", row.name);
            continue;
        };
        let ours = ours.iter().find(|rule| rule.name == row.name).unwrap();
        let length = theirs.mask.len().max(ours.mask.len());
        assert!(said.keys().all(|at| *at < length), "{}: no rule is so long", row.name);
        for at in 0..length {
            let both = (theirs.asks(at), ours.asks(at));
            let known = match said.get(&at) {
                Some(said) => both == *said,
                None if PADDING.contains(&at) => both == (ZERO, ANY),
                None => both.0 == both.1,
            };
            if !known {
                let known = said.get(&at);
                wrong.push(format!("{}, byte {at}: Debian's and ours {both:02x?}, known {known:02x?}", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

//! The names of this tool's entries.

use super::entry::Entry;
use crate::architecture::{ARCHITECTURES, Architecture};
use crate::machine::{PathBuffer, join};
use core::ffi::CStr;

/// What an entry of this tool is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnName {
    /// It handles an architecture: `qemu-ARCH`.
    Entry,
    /// It stands in for one that is being replaced: `qemu-ARCH.new`.
    StandIn,
}

/// The name of an entry of this tool for the architecture, in the buffer.
pub fn name_of<'a>(architecture: &Architecture, own: OwnName, buffer: &'a mut PathBuffer) -> &'a CStr {
    // There is room for every name of the table, and no NUL byte in it: see the test.
    join(buffer, &[b"qemu-", architecture.name(), ending(own)]).unwrap_or_default()
}

/// What the name of an entry ends with.
pub(super) fn ending(own: OwnName) -> &'static [u8] {
    if own == OwnName::StandIn { b".new" } else { b"" }
}

/// For which architecture, and for what, this tool gives the name to an entry; `None` if it does not.
pub fn recognize(name: &[u8]) -> Option<(&'static Architecture, OwnName)> {
    let rest = name.strip_prefix(b"qemu-")?;
    let (rest, own) = match rest.strip_suffix(b".new") {
        Some(rest) => (rest, OwnName::StandIn),
        None => (rest, OwnName::Entry),
    };
    let architecture = ARCHITECTURES.iter().find(|architecture| architecture.name() == rest)?;
    Some((architecture, own))
}

/// For which architecture, and for what, this tool has registered the entry; `None` if it is somebody else's: the magic and
/// the mask are not those of the table. Others use the same names (Debian's `qemu-user-binfmt`), but not these.
pub fn owner(name: &[u8], entry: &Entry) -> Option<(&'static Architecture, OwnName)> {
    recognize(name).filter(|(architecture, _)| {
        let pattern = architecture.pattern();
        entry.has_pattern(&pattern.magic, &pattern.mask)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_recognized() {
        for architecture in &ARCHITECTURES {
            for own in [OwnName::Entry, OwnName::StandIn] {
                let mut buffer = PathBuffer::new();
                let name = name_of(architecture, own, &mut buffer);
                assert_eq!(recognize(name.to_bytes()), Some((architecture, own)), "{name:?}");
            }
        }
        let arm64 = Architecture::find(b"arm64").unwrap();
        assert_eq!(name_of(arm64, OwnName::StandIn, &mut PathBuffer::new()), c"qemu-aarch64.new");
        for name in ["qemu-", "qemu-aarch64-mine", "qemu-aarch64.newer", "aarch64", "rosetta", ""] {
            assert_eq!(recognize(name.as_bytes()), None, "{name}");
        }
    }
}

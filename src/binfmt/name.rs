//! The names of this tool's entries.

use crate::architecture::Architecture;
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
    let ending: &[u8] = if own == OwnName::StandIn { b".new" } else { b"" };
    // There is room for every name of the table, and no NUL byte in it: see the test.
    join(buffer, &[b"qemu-", architecture.name.as_bytes(), ending]).unwrap_or_default()
}

/// Whether this tool gives the name to entries for the architecture, and for what.
pub fn recognize(architecture: &Architecture, name: &[u8]) -> Option<OwnName> {
    match name.strip_prefix(b"qemu-")?.strip_prefix(architecture.name.as_bytes())? {
        b"" => Some(OwnName::Entry),
        b".new" => Some(OwnName::StandIn),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::ARCHITECTURES;

    #[test]
    fn each_name_is_recognized_for_its_architecture_only() {
        for architecture in &ARCHITECTURES {
            for own in [OwnName::Entry, OwnName::StandIn] {
                let mut buffer = PathBuffer::new();
                let name = name_of(architecture, own, &mut buffer);
                for other in &ARCHITECTURES {
                    let expected = (other.name == architecture.name).then_some(own);
                    assert_eq!(recognize(other, name.to_bytes()), expected, "{name:?} for {}", other.name);
                }
            }
        }
        let arm64 = Architecture::find(b"arm64").unwrap();
        assert_eq!(name_of(arm64, OwnName::StandIn, &mut PathBuffer::new()), c"qemu-aarch64.new");
        for name in ["qemu-", "qemu-aarch64-mine", "qemu-aarch64.newer", "aarch64", "rosetta", ""] {
            assert!(ARCHITECTURES.iter().all(|other| recognize(other, name.as_bytes()).is_none()), "{name}");
        }
    }
}

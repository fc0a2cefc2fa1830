//! The architectures: the rows of `qemu/targets`, as the build script hands them over.

use crate::elf::{CODE_MAX, Kind, PROGRAM_MAX};
use crate::text::{position, word};
use heapless::Vec;

include!(concat!(env!("OUT_DIR"), "/targets.rs"));

/// One architecture of QEMU's user-mode emulation.
#[derive(Debug)]
pub struct Target {
    /// What its programs look like.
    pub kind: Kind,
    /// One CPU may run all members of a family; whether it does, only a probe can tell.
    pub family: u8,
    /// QEMU's name, the OCI one, and others, separated by commas and followed by zeros.
    names: [u8; NAMES_MAX],
    code: [u8; CODE_MAX],
}

impl Target {
    /// QEMU's name, as in `qemu-NAME`.
    pub fn name(&self) -> &[u8] {
        word(&self.names, 0)
    }

    /// The architecture's name in an OCI platform (`arm64` of `linux/arm64`), which is Go's `GOARCH`; blank if it has
    /// none.
    pub fn oci(&self) -> &[u8] {
        word(&self.names, 1)
    }

    /// Whether `name` means this target: QEMU's name (`aarch64`) or an OCI platform (`arm64`, `linux/arm/v7`).
    pub fn is_called(&self, name: &[u8]) -> bool {
        let name = name.strip_prefix(b"linux/").unwrap_or(name);
        let name = match name {
            [plain @ .., b'/', b'v', b'1'..=b'9'] => plain,
            _ => name,
        };
        position(&self.names, name).is_some()
    }

    /// A complete program of this architecture that exits with status 0.
    pub fn probe(&self) -> Vec<u8, PROGRAM_MAX> {
        self.kind.program(&self.code)
    }

    /// Whether this is the architecture of this binary.
    pub fn is_host(&self) -> bool {
        core::ptr::eq(self, HOST)
    }
}

/// A set of targets, by their places in [`TARGETS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(u64);

const _: () = assert!(TARGETS.len() <= u64::BITS as usize);

impl Set {
    /// Whether the target at `place` is in the set.
    pub fn has(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }

    /// Puts every target in that `name` means; `false` if it means none.
    pub fn add(&mut self, name: &[u8]) -> bool {
        let mut added = 0;
        for (place, target) in TARGETS.iter().enumerate() {
            added |= u64::from(target.is_called(name)) << place;
        }
        self.0 |= added;
        added != 0
    }
}

//! The architectures: the rows of `qemu/targets`, as the build script hands them over.

use crate::elf::{BIG, CODE, MACHINE, PT_INTERP, SEGMENT, Start, TYPE, WIDE, flags_at, headers, set};
use crate::text::{List, Text};
use core::mem::MaybeUninit;

include!(concat!(env!("OUT_DIR"), "/targets.rs"));

/// One architecture of QEMU's user-mode emulation. What is longer than a byte or two is in `DATA`.
#[derive(Debug)]
pub struct Target {
    /// [`WIDE`], [`BIG`], [`KIN`]
    kind: u8,
    /// `e_machine`
    machine: [u8; 2],
    /// The place of its `e_flags`.
    flags: u8,
    /// Half the place of its code.
    code: u8,
    /// Half the distance of its names from [`NAMES`].
    names: u8,
}

/// The bit in `kind` for targets that the CPU of this binary may run by itself; whether it does, only a probe can tell.
const KIN: u8 = 4;

/// What rows hold places of.
fn data<const N: usize>(at: usize) -> [u8; N] {
    DATA.get(at..).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; N])
}

impl Target {
    /// QEMU's name, as in `qemu-NAME`, then the one in an OCI platform, if there is one that differs, and others.
    pub fn names(&self) -> List {
        // SAFETY: where the build script says that names are, there is a list of texts.
        unsafe { List::of(DATA.get(NAMES + 2 * usize::from(self.names)..).unwrap_or(b"\0")) }
    }

    /// QEMU's name, as in `qemu-NAME`.
    pub fn name(&self) -> Text<'static> {
        self.names().at(0)
    }

    /// Makes a complete program of this architecture that exits with status 0.
    pub fn probe<'a>(&self, room: &'a mut MaybeUninit<Start>) -> &'a mut Start {
        let start = room.write([0; 256]);
        headers(start, self.kind);
        set(start, MACHINE, self.machine);
        set::<4>(start, flags_at(self.kind), data(usize::from(self.flags) + 1));
        set::<CODE_MAX>(start, CODE, data(2 * usize::from(self.code)));
        start
    }

    /// Makes a program that says it has a dynamic linker, with a name that the file is too short for.
    pub fn cut_off<'a>(&self, room: &'a mut MaybeUninit<Start>) -> &'a [u8] {
        let start = self.probe(room);
        set(start, SEGMENT + self.lowest(4), [PT_INTERP as u8]);
        let [shorter @ .., _] = start;
        shorter
    }

    /// Which byte of a field of so many is the one of the lowest value.
    fn lowest(&self, bytes: usize) -> usize {
        usize::from(self.kind / BIG % 2) * (bytes - 1)
    }

    /// The byte in its header in which `ET_EXEC` (2) and `ET_DYN` (3) differ.
    pub fn type_at(&self) -> usize {
        TYPE + self.lowest(2)
    }

    /// The byte of its `e_flags` in which some bits may tell it from others, and the mask of these bits.
    #[inline(always)]
    pub fn flags_mask(&self) -> (usize, u8) {
        let [mask] = data(usize::from(self.flags));
        (flags_at(self.kind) + self.lowest(4), mask)
    }

    /// Bytes of the header the kernel has to look at: up to `e_machine`, or up to `e_flags` where these decide.
    pub fn magic_len(&self) -> usize {
        let (_, mask) = self.flags_mask();
        if mask == 0 { MACHINE + 2 } else { flags_at(self.kind) + 4 }
    }

    /// Whether the CPU of this binary may run it.
    pub fn is_kin(&self) -> bool {
        self.kind & KIN != 0
    }

    /// Whether this is the architecture of this binary.
    pub fn is_host(&self) -> bool {
        core::ptr::eq(self, &TARGETS[HOST])
    }
}

/// Whether a file that starts with `start` is a program of the architecture of this binary, be it position-independent
/// or not.
pub fn is_own(start: &[u8; 20]) -> bool {
    let Target { kind, machine: [low, high], .. } = TARGETS[HOST];
    let number = u32::from_ne_bytes;
    let [e0, e1] = 2_u16.to_ne_bytes(); // ET_EXEC
    let [b0, b1] = (!1_u16).to_ne_bytes(); // but ET_DYN, 3, will do
    let &[_, _, _, _, class, order, version, os, _, _, _, _, _, _, _, _, t0, t1, m0, m1] = start;
    number([class, order, version, os]) & number([0xff, 0xff, 0xff, 0])
        == number([1 + (kind & WIDE), 1 + kind / BIG % 2, 1, 0])
        && number([t0, t1, m0, m1]) & number([b0, b1, 0xff, 0xff]) == number([e0, e1, low, high])
}

/// The place of the target that `name` means, QEMU's name (`aarch64`) or an OCI platform (`arm64`, `linux/arm/v7`);
/// one behind the last if it means none.
pub fn find(name: Text) -> usize {
    let name = name.after(Text::new(c"linux/")).unwrap_or(name);
    let is_version = |rest: Text| {
        let version = rest.after(Text::new(c"/v")).unwrap_or(rest);
        version.behind().is_blank() && matches!(version.first(), 0 | b'1'..=b'9')
    };
    let is_called = |target: &Target| target.names().any(|own| name.after(own).is_some_and(is_version));
    TARGETS.iter().position(is_called).unwrap_or(TARGETS.len())
}

/// A set of targets, by their places in [`TARGETS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(u64);

const _: () = assert!(TARGETS.len() < u64::BITS as usize);

impl Set {
    /// All there are.
    pub const ALL: Self = Self(u64::MAX);

    /// Whether the target at `place` is in the set.
    pub fn has(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }

    /// Puts the target in that `name` means; `false` if it means none.
    pub fn add(&mut self, name: Text) -> bool {
        let place = find(name);
        self.0 |= 1 << place; // the place behind the last is nobody's
        place < TARGETS.len()
    }
}

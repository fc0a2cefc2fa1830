//! What the running kernel can do, learnt from the release that `uname(2)` reports.

use crate::arch::call;
use crate::text::{BLANK, Text};
use core::mem::MaybeUninit;
use linux_raw_sys::general as sys;

/// A kernel's version, without what follows the first two numbers. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32);

/// The first version with the flag `F`: the interpreter is opened when it is registered, not when it is needed
/// (Linux commit 948b701a607f, "binfmt_misc: add persistent opened binary handler for containers").
pub const FIX_BINARY: Version = Version::new(4, 8);

/// The first version with `fsopen(2)` and its like (Linux commit 24dcb3d90a1f, "vfs: syscall: Add fsopen() to prepare
/// for superblock creation"). In one that lacks them, entries keep themselves; in a later one, a filter says so.
pub const FSOPEN: Version = Version::new(5, 2);

/// The first version that tells the interpreter, in `AT_FLAGS`, that the flag `P` preserved `argv[0]` (Linux commit
/// 2347961b11d4, "binfmt_misc: pass binfmt_misc flags to the interpreter"). Before, QEMU would have to guess.
pub const TELLS_ARGV0: Version = Version::new(5, 12);

/// The first version in which each user namespace may have a binfmt_misc of its own (Linux commit 21ca59b365c0,
/// "binfmt_misc: enable sandboxed mounts").
pub const NAMESPACED: Version = Version::new(6, 7);

/// Room for what `uname(2)` tells: system, node, release, version, machine, domain, each with the NUL byte that ends
/// it.
pub type Names = MaybeUninit<[[u8; 65]; 6]>;

/// What the running kernel calls its release, as `uname -r` prints it; blank if it does not tell.
pub fn release(room: &mut Names) -> Text<'_> {
    // SAFETY: the kernel fills in the room if it succeeds, and ends each name with a NUL byte.
    unsafe {
        if call!(sys::__NR_uname, room.as_mut_ptr()) < 0 {
            return BLANK;
        }
        let [_, _, release, ..] = room.assume_init_ref();
        Text::from_ptr(release.as_ptr().cast())
    }
}

impl Version {
    /// The version `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self((major as u32) << 16 | minor as u32)
    }

    /// Reads the start of a release, such as `6.18.44-fc-v595` or `5.10.0-rc3+`; a number that is missing is 0.
    ///
    /// So one that does not start with a number is 0.0: such a kernel is taken to be too old for everything.
    pub fn parse(mut release: Text) -> Self {
        let mut numbers = [0u32; 2];
        for number in &mut numbers {
            for byte in release.by_ref() {
                match byte {
                    b'0'..=b'9' => *number = (*number * 10 + u32::from(byte & 15)).min(0xffff),
                    b'.' => break,
                    _ => {
                        release = BLANK; // what follows belongs to no number
                        break;
                    }
                }
            }
        }
        let [major, minor] = numbers;
        Self(major << 16 | minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_as_they_are_in_the_wild() {
        for (release, (major, minor)) in [
            (c"4.19.0-27-amd64", (4, 19)),
            (c"5.10.0-rc3+", (5, 10)),
            (c"6.18.44-fc-v595", (6, 18)),
            (c"2.6.32-754.el6", (2, 6)),
            (c"3.10.0-1160.el7", (3, 10)),
            (c"4.4.0-19041-Microsoft", (4, 4)),
            (c"4.8", (4, 8)),
            (c"6", (6, 0)),
            (c"6-custom", (6, 0)),
            (c"7.", (7, 0)),
            (c"99999.1", (65535, 1)),
            (c"garbage", (0, 0)),
            (c"v6.1", (0, 0)),
            (c"-6.1", (0, 0)),
            (c"", (0, 0)),
        ] {
            assert_eq!(Version::parse(Text::new(release)), Version::new(major, minor), "{release:?}");
        }
    }

    #[test]
    fn a_fix_binary_kernel_is_4_8_or_later() {
        for (release, can) in [(c"4.7.10", false), (c"4.8.0", true), (c"4.10", true), (c"3.19", false), (c"10.0", true)]
        {
            assert_eq!(Version::parse(Text::new(release)) >= FIX_BINARY, can, "{release:?}");
        }
    }
}

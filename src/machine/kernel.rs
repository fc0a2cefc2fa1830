//! What the running kernel can do, by the release that `uname(2)` reports.

use rustix::system::{Uname, uname};

/// The first two numbers of a kernel's release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u16,
    minor: u16,
}

/// The first version with the flag `F`: the interpreter is opened when it is registered, not when it is needed (Linux
/// commit 948b701a607f, "binfmt_misc: add persistent opened binary handler for containers").
pub const FIX_BINARY: Version = Version::new(4, 8);

/// The first version that takes a path of an interpreter longer than 127 bytes as a whole (Linux commit 50097f74934e,
/// "exec: binfmt_misc: kill the onstack iname\[BINPRM_BUF_SIZE\] array"). Earlier ones cut it.
pub const LONG_INTERPRETER_PATH: Version = Version::new(4, 14);

/// The first version that looks at 256 bytes of a file, and not at 128 (Linux commit 6eb3c3d0a52d, "exec: increase
/// BINPRM_BUF_SIZE to 256").
pub const LONG_FILE_START: Version = Version::new(5, 1);

/// The first version with `fsopen(2)` and its like (Linux commit 24dcb3d90a1f, "vfs: syscall: Add fsopen() to prepare
/// for superblock creation"). Kernels before it keep the entries without a mount. If a later one seems to have no such
/// calls, a seccomp filter hides them.
pub const NEW_MOUNT_CALLS: Version = Version::new(5, 2);

/// The first version that tells the interpreter of the flag `P`, in `AT_FLAGS` (Linux commit 2347961b11d4, "binfmt_misc:
/// pass binfmt_misc flags to the interpreter").
pub const ARGV0_FLAG_IS_TOLD: Version = Version::new(5, 12);

/// The first version in which a user namespace can have a binfmt_misc of its own (Linux commit 21ca59b365c0,
/// "binfmt_misc: enable sandboxed mounts").
pub const BINFMT_MISC_PER_USER_NAMESPACE: Version = Version::new(6, 7);

/// The release of the running kernel.
#[derive(Debug)]
pub struct Release(Uname);

impl Release {
    /// Asks the kernel (`uname(2)`).
    pub fn running() -> Self {
        Self(uname())
    }

    /// As `uname -r` prints it.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.release().to_bytes()
    }

    /// Its first two numbers.
    pub fn version(&self) -> Version {
        Version::parse(self.as_bytes())
    }
}

impl Version {
    /// The version `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Reads the start of a release, such as `6.18.44-fc-v595` or `5.10.0-rc3+`. A number that is missing is 0, so a
    /// kernel whose release does not start with a number is taken to be too old for everything.
    pub fn parse(release: &[u8]) -> Self {
        let mut rest = release;
        let mut number = || {
            let mut number: u16 = 0;
            while let [digit @ b'0'..=b'9', following @ ..] = rest {
                number = number.saturating_mul(10).saturating_add((digit - b'0').into());
                rest = following;
            }
            // What follows anything but a period belongs to no number.
            rest = rest.strip_prefix(b".").unwrap_or_default();
            number
        };
        Self { major: number(), minor: number() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_distributions() {
        for (release, (major, minor)) in [
            ("4.19.0-27-amd64", (4, 19)),
            ("5.10.0-rc3+", (5, 10)),
            ("6.18.44-fc-v595", (6, 18)),
            ("2.6.32-754.el6", (2, 6)),
            ("3.10.0-1160.el7", (3, 10)),
            ("4.4.0-19041-Microsoft", (4, 4)),
            ("4.8", (4, 8)),
            ("6", (6, 0)),
            ("6-custom", (6, 0)),
            ("6-custom.9", (6, 0)),
            ("7.", (7, 0)),
            ("99999.1", (65535, 1)),
            ("garbage", (0, 0)),
            ("v6.1", (0, 0)),
            ("-6.1", (0, 0)),
            ("", (0, 0)),
        ] {
            assert_eq!(Version::parse(release.as_bytes()), Version::new(major, minor), "{release:?}");
        }
    }

    #[test]
    fn a_kernel_with_fix_binary_is_4_8_or_later() {
        for (release, can) in [("4.7.10", false), ("4.8.0", true), ("4.10", true), ("3.19", false), ("10.0", true)] {
            assert_eq!(Version::parse(release.as_bytes()) >= FIX_BINARY, can, "{release:?}");
        }
    }
}

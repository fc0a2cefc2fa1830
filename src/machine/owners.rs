//! Who can replace a file. With the flag `C` an interpreter runs with the rights of setuid programs, so whoever replaces it
//! where it is looked for at each execution has root's rights.

use super::file::open;
use super::path::{PathBuffer, join};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, stat};
use rustix::io::{self, Errno};

/// The user that owners are shown as who have no number in a user namespace (`/proc/sys/kernel/overflowuid`).
const UNMAPPED: u32 = 65534;

/// Whose files are taken for root's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owners {
    /// Only root's.
    Root,
    /// In a user namespace, also those of owners outside: nobody in it can be one of these.
    RootOrUnmapped,
}

impl Owners {
    /// Whether nobody but root can change a file, or replace what is in a directory; and the same where that is missing, so
    /// that it can be made.
    pub fn only_root_can_replace(self, stat: &Stat) -> (bool, bool) {
        let is_roots = |id: u32| id == 0 || self == Self::RootOrUnmapped && id == UNMAPPED;
        let mode = Mode::from_raw_mode(stat.st_mode);
        let others = if is_roots(stat.st_gid) { Mode::WOTH } else { Mode::WOTH | Mode::WGRP };
        let can_make = !is_roots(stat.st_uid) || mode.intersects(others);
        // In a directory with this bit only the owner of a file can replace it.
        let is_sticky = FileType::from_raw_mode(stat.st_mode).is_dir() && mode.contains(Mode::SVTX);
        (!can_make || is_sticky && is_roots(stat.st_uid), !can_make)
    }
}

/// A directory, open to look for interpreters in it.
#[derive(Debug)]
pub struct OpenDirectory {
    /// It; or why it cannot be opened (`openat(2)`).
    pub file: io::Result<OwnedFd>,
    /// Whose files are taken for root's.
    pub owners: Owners,
    /// Whether only root can replace what is in it, and, where that was asked for, what is above it.
    pub is_roots: bool,
    /// The same for what is missing in it.
    pub is_roots_if_missing: bool,
}

impl OpenDirectory {
    /// Opens the directory at `path`. `whole_path` is whether it counts who can replace directories above it.
    pub fn open(path: &CStr, owners: Owners, whole_path: bool) -> Self {
        let file = open(CWD, path, OFlags::PATH | OFlags::DIRECTORY);
        // What was looked at so far, with the next part there, and with it missing.
        let (mut is_roots, mut is_roots_if_missing) = (true, true);
        let mut look = |stat: io::Result<Stat>| {
            match stat {
                Ok(stat) => {
                    let (replace, make) = owners.only_root_can_replace(&stat);
                    is_roots_if_missing = is_roots && make;
                    is_roots &= replace;
                }
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(_) => (is_roots, is_roots_if_missing) = (false, false),
            }
            stat.is_ok()
        };
        if whole_path {
            let path = path.to_bytes();
            let mut buffer = PathBuffer::new();
            // What is not there cannot be replaced, but made, by those who can write to what is above it.
            for (end, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
                let above = path.get(..=end).unwrap_or_default();
                if !look(join(&mut buffer, &[above]).and_then(stat)) {
                    break;
                }
            }
        }
        if let Ok(file) = &file {
            look(fstat(file));
        }
        Self { file, owners, is_roots, is_roots_if_missing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_replace_what() {
        let mut stat = stat("/proc").unwrap();
        for (mode, uid, gid, root, unmapped) in [
            (0o100_755, 0, 0, true, true),
            (0o100_755, 1000, 0, false, false),
            (0o100_755, 65534, 0, false, true),
            (0o100_775, 0, 0, true, true),
            (0o100_775, 0, 50, false, false),
            (0o100_775, 0, 65534, false, true),
            (0o100_757, 0, 0, false, false),
            (0o101_757, 0, 0, false, false),
            (0o041_777, 0, 0, true, true),
            (0o041_777, 1000, 0, false, false),
            (0o040_777, 0, 0, false, false),
        ] {
            (stat.st_mode, stat.st_uid, stat.st_gid) = (mode, uid, gid);
            // Who can write to a directory can make what is missing there, whatever its other bits are.
            let make = |replace| replace && mode & 0o002 == 0;
            assert_eq!(Owners::Root.only_root_can_replace(&stat), (root, make(root)), "{mode:o} {uid} {gid}");
            let expected = (unmapped, make(unmapped));
            assert_eq!(Owners::RootOrUnmapped.only_root_can_replace(&stat), expected, "{mode:o} {uid} {gid}");
        }
    }
}

//! Which QEMU an interpreter is.

use crate::architecture::Architecture;
use core::mem::MaybeUninit;
use heapless::Vec;
use rustix::fd::AsFd;
use rustix::io::{self, pread};

/// A version of QEMU.
pub type QemuVersion = Vec<u8, 32>;

/// What stands before it in the text of `--version`, after `qemu-` and the name of the target (`linux-user/main.c`).
const MARK: &[u8] = b" version ";

/// The bytes of two parts of a file that are looked at twice: more than name, mark and version have together.
const OVERLAP: usize = 128;

/// The version of QEMU that the interpreter says it is, found in its bytes: it is not executed. `None` if it says none.
///
/// # Errors
/// Those of `pread64(2)`.
pub fn qemu_version(file: impl AsFd, architecture: &Architecture) -> io::Result<Option<QemuVersion>> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); 8192];
    let mut offset = 0;
    loop {
        let (bytes, _) = pread(&file, &mut buffer, offset)?;
        let found = version_in(bytes, architecture.name());
        if found.is_some() || bytes.len() <= OVERLAP {
            return Ok(found);
        }
        offset += (bytes.len() - OVERLAP) as u64;
    }
}

/// The version that is somewhere in these bytes.
fn version_in(bytes: &[u8], name: &[u8]) -> Option<QemuVersion> {
    // There are megabytes: most are not looked at but by this.
    let blanks = bytes.iter().enumerate().filter(|(_, byte)| **byte == b' ');
    blanks.map(|(at, _)| at).find_map(|at| version_at(bytes, at, name))
}

/// The version, if the mark is there, after the name of the interpreter.
fn version_at(bytes: &[u8], at: usize, name: &[u8]) -> Option<QemuVersion> {
    let (before, rest) = bytes.split_at_checked(at)?;
    let rest = rest.strip_prefix(MARK)?;
    if !before.strip_suffix(name)?.ends_with(b"qemu-") {
        return None;
    }
    let end = rest.iter().position(|byte| !matches!(byte, b'!'..=b'~'))?;
    QemuVersion::from_slice(rest.get(..end)?).ok()
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn versions() {
        for (text, expected) in [
            ("..qemu-arm version 10.0.13 (Debian 1:10.0)\n", Some("10.0.13")),
            ("qemu-arm version 9.2.50\n", Some("9.2.50")),
            ("qemu-armeb version 10.0.13\n", None),
            ("my-arm version 10.0.13\n", None),
            ("qemu-arm version 10.0", None), // the end is not seen
            ("qemu-arm version 1111111111111111111111111111111111111111 \n", None),
            ("version 1", None),
        ] {
            let found = version_in(text.as_bytes(), b"arm");
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{text}");
        }
    }
}

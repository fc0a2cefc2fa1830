//! Paths, put together.

use core::ffi::CStr;
use heapless::Vec;
use rustix::io::{self, Errno};

/// Room for a path, or for the name of a file, and its NUL byte: as many bytes as the kernel takes (`PATH_MAX`).
pub type PathBuffer = Vec<u8, 4096>;

/// The path that the parts make, one after the other, in the buffer.
///
/// # Errors
/// `NAMETOOLONG`, as the kernel has it for a longer one. `INVAL`: a part has a NUL byte in it.
pub fn join<'a>(buffer: &'a mut PathBuffer, parts: &[&[u8]]) -> io::Result<&'a CStr> {
    buffer.clear();
    for part in parts.iter().copied().chain([b"\0".as_slice()]) {
        buffer.extend_from_slice(part).map_err(|_| Errno::NAMETOOLONG)?;
    }
    CStr::from_bytes_with_nul(buffer).map_err(|_| Errno::INVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined() {
        let mut buffer = PathBuffer::new();
        assert_eq!(join(&mut buffer, &[&[b'x'; 4095]]).unwrap().to_bytes().len(), 4095);
        assert_eq!(join(&mut buffer, &[&[b'x'; 4095], b"x"]), Err(Errno::NAMETOOLONG));
        assert_eq!(join(&mut buffer, &[b"/usr", b"/", b"bin"]), Ok(c"/usr/bin"));
        assert_eq!(join(&mut buffer, &[b"a\0", b"b"]), Err(Errno::INVAL));
    }
}

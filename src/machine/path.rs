//! Paths, put together and taken apart.

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

/// A path up to its last slash, with that, and the name of the file behind it.
pub fn split_file_name(path: &[u8]) -> (&[u8], &[u8]) {
    let name = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    path.split_at_checked(name).unwrap_or_default()
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

    #[test]
    fn the_name_of_a_file() {
        for (path, parts) in
            [("/usr/bin/x", ("/usr/bin/", "x")), ("/x", ("/", "x")), ("x", ("", "x")), ("/a/", ("/a/", ""))]
        {
            assert_eq!(split_file_name(path.as_bytes()), (parts.0.as_bytes(), parts.1.as_bytes()), "{path}");
        }
    }
}

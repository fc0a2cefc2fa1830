//! Strings in buffers of a fixed size, built without `core::fmt`, which would double the binary.

use core::ffi::CStr;
use heapless::vec::VecView;
use rustix::io::Errno;

/// A buffer of any capacity.
pub type Buffer = VecView<u8>;

/// Appends what there is room for of `bytes`; `false` if that is not all.
pub fn put(buffer: &mut Buffer, bytes: &[u8]) -> bool {
    let room = buffer.capacity().saturating_sub(buffer.len());
    let piece = bytes.get(..room).unwrap_or(bytes);
    buffer.extend_from_slice(piece).is_ok() && piece.len() == bytes.len()
}

/// Appends `template` as [`pieces`] fills it in; `false` if not all of it fits.
pub fn fill(buffer: &mut Buffer, template: &[u8], values: &[&[u8]]) -> bool {
    let mut fits = true;
    pieces(template, values, &mut |piece| fits = fits && put(buffer, piece));
    fits
}

/// Passes `template` to `put`, piece by piece, with `%0` replaced by the first of `values`, `%1` by the second, and so
/// on.
pub fn pieces(template: &[u8], values: &[&[u8]], put: &mut dyn FnMut(&[u8])) {
    let mut rest = template;
    loop {
        let end = rest.iter().position(|&byte| byte == b'%').unwrap_or(rest.len());
        let (text, value) = rest.split_at_checked(end).unwrap_or_default();
        put(text);
        let [_, digit, behind @ ..] = value else { break };
        put(values.get(usize::from(digit & 15)).copied().unwrap_or_default());
        rest = behind;
    }
}

/// The two hexadecimal digits of a byte.
pub fn hex(byte: u8) -> [u8; 2] {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    [digit(byte >> 4), digit(byte & 15)]
}

/// The parts of a text, none of them empty.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// What is still to come.
    pub rest: &'a [u8],
    lines: bool,
}

/// The words of a text: what stands between commas, blanks and the like.
pub fn words(text: &[u8]) -> Parts<'_> {
    Parts { rest: text, lines: false }
}

/// The lines of a text.
pub fn lines(text: &[u8]) -> Parts<'_> {
    Parts { rest: text, lines: true }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    #[inline(never)] // used all over
    fn next(&mut self) -> Option<&'a [u8]> {
        let between = |&byte: &u8| byte == b'\n' || !self.lines && (byte <= b' ' || byte == b',');
        let start = self.rest.iter().position(|byte| !between(byte))?;
        let text = self.rest.get(start..)?;
        let end = text.iter().position(between).unwrap_or(text.len());
        let (part, rest) = text.split_at_checked(end)?;
        self.rest = rest;
        Some(part)
    }
}

/// The place of `word` among the words of `list`.
///
/// One list instead of a `match` keeps the binary small: a `match` compares byte by byte, in code.
#[inline(never)]
pub fn position(list: &[u8], word: &[u8]) -> Option<usize> {
    words(list).position(|other| other == word)
}

/// The word at `place` in `list`; blank if there are not so many.
#[inline(never)]
pub fn word(list: &[u8], place: usize) -> &[u8] {
    words(list).nth(place).unwrap_or_default()
}

/// The line at `place` in `text`; blank if there are not so many.
#[inline(never)]
pub fn line(text: &[u8], place: usize) -> &[u8] {
    lines(text).nth(place).unwrap_or_default()
}

/// The names of the error numbers from 0 on, which are the same on all architectures this tool may run on.
const ERRNOS: &[u8] = b"0 EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT \
ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK \
EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP";

/// The symbolic name of an error number, as in `errno(3)`; blank for those beyond what files and mounts give.
pub fn errno(errno: Errno) -> &'static [u8] {
    word(ERRNOS, errno.raw_os_error() as usize)
}

/// The text up to the first NUL byte, or all of it.
pub fn until_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}

/// The text up to the first NUL byte, and that; `None` if there is none.
pub fn c_str(bytes: &[u8]) -> Option<&CStr> {
    let with_nul = bytes.get(..=until_nul(bytes).len())?;
    // SAFETY: it ends with the first NUL byte there is.
    Some(unsafe { CStr::from_bytes_with_nul_unchecked(with_nul) })
}

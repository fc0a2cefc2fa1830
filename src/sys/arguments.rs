//! The strings that the kernel starts a process with.

use core::ffi::{CStr, c_char};
use core::{iter, ptr};

/// A list of strings as the kernel lays out `argv` and `envp` (`execve(2)`): pointers up to a null pointer.
#[derive(Clone, Copy, Debug)]
pub struct Strings {
    first: *const *const c_char,
}

impl Strings {
    /// The list that starts at `first`.
    ///
    /// # Safety
    /// `first` points to pointers to C strings, up to a null pointer. All of them stay unchanged as long as the process.
    pub const unsafe fn from_ptr(first: *const *const c_char) -> Self {
        Self { first }
    }

    /// The list without a string.
    pub const NONE: Self = {
        const END: &*const c_char = &ptr::null();
        Self { first: END }
    };

    /// A list of these strings. The memory is never freed.
    #[cfg(test)]
    pub fn of(strings: &[&'static CStr]) -> Self {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]);
        Self { first: pointers.collect::<std::vec::Vec<_>>().leak().as_ptr() }
    }

    /// The list, as the kernel takes it.
    pub(super) fn as_ptr(self) -> *const *const c_char {
        self.first
    }

    /// The first string and the list of all that follow it; `None` if the list is empty.
    pub fn split_first(self) -> Option<(&'static CStr, Self)> {
        // SAFETY: as the caller of `from_ptr` promised. The null pointer is not passed.
        unsafe {
            let string = *self.first;
            if string.is_null() {
                return None;
            }
            Some((CStr::from_ptr(string), Self { first: self.first.add(1) }))
        }
    }

    /// The strings one after the other.
    pub fn iter(self) -> impl Iterator<Item = &'static CStr> {
        let mut rest = self;
        iter::from_fn(move || {
            let (string, following) = rest.split_first()?;
            rest = following;
            Some(string)
        })
    }

    /// The value of the first `NAME=value` in the list; `None` if there is none, or if it is blank.
    pub fn variable(self, name: &str) -> Option<&'static CStr> {
        let value = self.iter().find_map(|string| strip_prefix(strip_prefix(string, name.as_bytes())?, b"="));
        value.filter(|value| !value.is_empty())
    }
}

/// What follows `prefix` in the string; `None` if it starts otherwise.
pub fn strip_prefix<'a>(string: &'a CStr, prefix: &[u8]) -> Option<&'a CStr> {
    string.to_bytes().starts_with(prefix).then(|| {
        // SAFETY: the prefix is a part of the string, so that what follows is one too, up to the same NUL byte.
        unsafe { CStr::from_ptr(string.as_ptr().add(prefix.len())) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables() {
        let environment = Strings::of(&[c"MODES=no", c"MODE=first", c"MODE=second", c"BLANK=", c"BLANK=value", c"="]);
        assert_eq!(environment.variable("MODE"), Some(c"first"));
        assert_eq!(environment.variable("BLANK"), None);
        assert_eq!(environment.variable("MOD"), None);
        assert_eq!(Strings::of(&[]).variable("MODE"), None);
    }

    #[test]
    fn prefixes() {
        assert_eq!(strip_prefix(c"--help", b"--"), Some(c"help"));
        assert_eq!(strip_prefix(c"--", b"--"), Some(c""));
        assert_eq!(strip_prefix(c"-", b"--"), None);
    }

    #[test]
    fn splits() {
        let (first, rest) = Strings::of(&[c"a", c"b"]).split_first().unwrap();
        assert_eq!((first, rest.iter().count()), (c"a", 1));
        assert!(Strings::of(&[]).split_first().is_none());
    }
}

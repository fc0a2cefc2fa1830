//! Texts that end with a NUL byte, as the kernel passes and takes them, and lists of such texts.
//!
//! A text is the address of its first byte: passed around, that is half of what a slice takes.

use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use core::ptr::NonNull;

/// A text that ends with a NUL byte.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    start: NonNull<u8>,
    life: PhantomData<&'a u8>,
}

// SAFETY: it is as good as a shared reference to bytes.
unsafe impl Sync for Text<'_> {}

/// No text.
pub const BLANK: Text = Text::new(c"");

impl<'a> Text<'a> {
    /// The text of a C string.
    pub const fn new(text: &'a CStr) -> Self {
        // SAFETY: it ends with a NUL byte, and stays as long as the borrow.
        unsafe { Self::from_ptr(text.as_ptr()) }
    }

    /// The text that starts there.
    ///
    /// # Safety
    /// There are bytes up to a NUL byte, and they stay as they are for `'a`.
    pub const unsafe fn from_ptr(start: *const c_char) -> Self {
        // SAFETY: there is a byte, so the address is not null.
        Self { start: unsafe { NonNull::new_unchecked(start.cast_mut().cast()) }, life: PhantomData }
    }

    /// Where it starts.
    pub const fn as_ptr(self) -> *const u8 {
        self.start.as_ptr()
    }

    /// Its first byte; 0 if there is none.
    pub fn first(self) -> u8 {
        // SAFETY: there is at least the NUL byte.
        unsafe { *self.as_ptr() }
    }

    /// Whether there is none.
    pub fn is_blank(self) -> bool {
        self.first() == 0
    }

    /// What follows `prefix`; `None` if it does not start so.
    pub fn after(mut self, prefix: Text<'_>) -> Option<Self> {
        for byte in prefix {
            if self.next() != Some(byte) {
                return None;
            }
        }
        Some(self)
    }

    /// What follows its first byte.
    #[inline(always)]
    pub fn behind(mut self) -> Self {
        self.next();
        self
    }

    /// Whether both are the same.
    pub fn is(self, other: Text<'_>) -> bool {
        self.after(other).is_some_and(Text::is_blank)
    }

    /// Whether `byte` is in it.
    pub fn has(mut self, byte: u8) -> bool {
        self.any(|other| other == byte)
    }

    /// The place of `word` among its words, between which there is one blank, from 1 on; 0 if it is not there.
    pub fn position(mut self, word: Text<'_>) -> u8 {
        let mut place = 1;
        while self.after(word).is_none_or(|rest| rest.first() > b' ') {
            if self.find(|&byte| byte == b' ').is_none() {
                return 0;
            }
            place += 1;
        }
        place
    }
}

/// Its bytes, without the NUL byte.
impl Iterator for Text<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let byte = self.first();
        if byte == 0 {
            return None;
        }
        // SAFETY: what follows a byte that is not NUL belongs to the text.
        self.start = unsafe { self.start.add(1) };
        Some(byte)
    }
}

/// Several texts, one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct List(Text<'static>);

impl List {
    /// The texts in `texts`: each ends with a NUL byte, none is blank, and another NUL byte ends the list.
    pub const fn new(texts: &'static [u8]) -> Self {
        assert!(matches!(texts, [.., 0, 0]), "a list ends with two NUL bytes");
        // SAFETY: as has been seen.
        unsafe { Self::of(texts) }
    }

    /// The list at the start of `texts`.
    ///
    /// # Safety
    /// There is one, as of [`List::new`].
    pub const unsafe fn of(texts: &'static [u8]) -> Self {
        // SAFETY: as the caller vouches.
        Self(unsafe { Text::from_ptr(texts.as_ptr().cast()) })
    }

    /// The text at `place`; a blank one if there are not so many.
    pub fn at(mut self, place: usize) -> Text<'static> {
        self.nth(place).unwrap_or(BLANK)
    }
}

impl Iterator for List {
    type Item = Text<'static>;

    fn next(&mut self) -> Option<Text<'static>> {
        let text = self.0;
        if text.is_blank() {
            return None;
        }
        self.0.by_ref().for_each(drop);
        // SAFETY: behind the NUL byte that ends a text of a list there is another text, or the last NUL byte.
        self.0 = Text { start: unsafe { self.0.start.add(1) }, life: PhantomData };
        Some(text)
    }
}

/// The texts of a list of addresses that ends with a null pointer, as the kernel passes arguments and variables.
#[derive(Clone, Copy, Debug)]
pub struct Strings<'a> {
    next: *const *const c_char,
    life: PhantomData<&'a c_char>,
}

impl<'a> Strings<'a> {
    /// The list that starts there.
    ///
    /// # Safety
    /// There are addresses of texts up to a null pointer, and all stay as they are for `'a`.
    pub const unsafe fn from_ptr(list: *const *const c_char) -> Self {
        Self { next: list, life: PhantomData }
    }

    /// What is still to come, as the kernel laid it out: on the stack, which is writable.
    pub const fn as_ptr(self) -> *mut *const c_char {
        self.next.cast_mut()
    }

    /// The value of the first `NAME=value` among them; blank where there is none.
    pub fn variable(mut self, name: Text) -> Text<'a> {
        let mut value = |text: Text<'a>| text.after(name)?.after(Text::new(c"="));
        self.find_map(&mut value).unwrap_or(BLANK)
    }
}

impl<'a> Iterator for Strings<'a> {
    type Item = Text<'a>;

    fn next(&mut self) -> Option<Text<'a>> {
        // SAFETY: it does not go past the null pointer; what comes before is the address of a text.
        unsafe {
            let start = *self.next;
            if start.is_null() {
                return None;
            }
            self.next = self.next.add(1);
            Some(Text::from_ptr(start))
        }
    }
}

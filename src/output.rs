//! Text on its way to a descriptor, and text being put together.

use crate::errno::Errno;
use crate::fd::{Fd, NOWHERE, write};
use crate::message::PAIRS;
use crate::text::Text;
use heapless::Vec;

/// What the places `%0`, `%1`, … of a template stand for.
pub type Values<'a> = [Text<'a>; 10];

/// Text on its way to a descriptor, in as few writes as its buffer allows, or text that is being put together: what
/// does not fit is lost then, and has `failed`.
#[derive(Debug)]
pub struct Output {
    buffer: Vec<u8, 2048>,
    descriptor: Fd,
    /// Whether something could not be written.
    pub failed: bool,
}

impl Output {
    /// Text on its way to `descriptor`.
    #[inline(never)]
    pub const fn new(descriptor: Fd) -> Self {
        Self { buffer: Vec::new(), descriptor, failed: false }
    }

    /// Text being put together.
    pub const fn text_only() -> Self {
        Self::new(NOWHERE)
    }

    /// Writes one byte, at the latest when [`Output::flush`] is called.
    pub fn byte(&mut self, byte: u8) {
        _ = self.buffer.push(byte);
        if self.buffer.is_full() {
            self.flush();
        }
    }

    /// Ends a line.
    pub fn end_line(&mut self) {
        self.byte(b'\n');
        // The kernel's log shows a thousand bytes of one write, with what it puts before each line.
        if self.descriptor.number() > 2 && self.buffer.len() > 400 {
            self.flush();
        }
    }

    /// Writes the two hexadecimal digits of `byte`.
    pub fn hex(&mut self, byte: u8) {
        let digit = |place: u8| *b"0123456789abcdef".get(usize::from(place)).unwrap_or(&0);
        let digits = [digit(byte >> 4), digit(byte & 15), 0];
        // SAFETY: the last byte is NUL.
        self.put(unsafe { Text::from_ptr(digits.as_ptr().cast()) });
    }

    /// Writes a text.
    pub fn put(&mut self, text: Text) {
        for byte in text {
            _ = self.buffer.push(byte);
            if self.buffer.is_full() {
                self.flush();
            }
        }
    }

    /// Writes `template`, unpacked, with `%0` replaced by the first of `values`, `%1` by the second, and so on. `%4`
    /// may be packed, too.
    pub fn fill(&mut self, mut template: Text, values: &Values) {
        while let Some(byte) = template.next() {
            if byte != b'%' {
                self.unpack_byte(byte);
                continue;
            }
            let place = usize::from(template.next().unwrap_or(0) & 15);
            match values.get(place) {
                Some(value) if place == 4 => self.unpack(*value),
                Some(value) => self.put(*value),
                None => {}
            }
        }
    }

    /// Writes a packed text.
    pub fn unpack(&mut self, text: Text) {
        for byte in text {
            self.unpack_byte(byte);
        }
    }

    /// Writes what a byte of a packed text stands for.
    fn unpack_byte(&mut self, byte: u8) {
        match PAIRS.get(usize::from(byte).wrapping_sub(128)) {
            Some([first, second]) => {
                self.unpack_byte(*first);
                self.unpack_byte(*second);
            }
            None => self.byte(byte),
        }
    }

    /// Takes the next word off `text`, which ends at a blank, a comma or the like, and holds that instead of what it
    /// held; `false` if there is none.
    pub fn word(&mut self, text: &mut Text) -> bool {
        self.clear();
        for byte in text.by_ref() {
            if byte > b' ' && byte != b',' {
                self.byte(byte);
            } else if !self.is_blank() {
                break;
            }
        }
        !self.is_blank()
    }

    /// What is held back, as a text.
    pub fn text(&mut self) -> Text<'_> {
        if self.failed {
            self.buffer.pop();
        }
        _ = self.buffer.push(0); // there is room
        self.buffer.pop();
        // SAFETY: the last byte is NUL. It has just gone, but stays where it is until the next one comes, for which the
        // borrow must end.
        unsafe { Text::from_ptr(self.buffer.as_ptr().cast()) }
    }

    /// What is held back.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Whether nothing is held back.
    pub fn is_blank(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Forgets what is held back, and whether something has failed.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.failed = false;
    }

    /// Writes out what is held back.
    pub fn flush(&mut self) {
        let mut rest = &*self.buffer;
        while !rest.is_empty() {
            match write(self.descriptor, rest) {
                Ok(length) => rest = rest.get(length..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(_) => {
                    self.failed = true;
                    return;
                }
            }
        }
        self.buffer.clear();
    }
}

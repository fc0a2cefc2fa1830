//! What this tool says: the names and the packed texts of `src/messages`, as the build script hands them over.

use crate::errno::Errno;
use crate::text::{List, Text};

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

/// Why something is not so: an error of the kernel's by its number, or something this tool has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason(u8);

impl From<Errno> for Reason {
    fn from(error: Errno) -> Self {
        Self::of(error.answer())
    }
}

impl Reason {
    /// What is wrong by the answer of a system call or of a probe: a negative one is an error of the kernel's, any
    /// other that is not 0 the end of a program that has failed.
    #[inline(never)]
    pub fn of(answer: i32) -> Self {
        if answer > 0 {
            return Self::DIED;
        }
        Self(answer.wrapping_neg().min(Self::UNUSUAL.0.into()) as u8)
    }

    /// The symbolic name, as in `errno(3)`, or a sentence; packed.
    pub fn text(self) -> Text<'static> {
        REASON_TEXTS.at(self.0.into())
    }
}

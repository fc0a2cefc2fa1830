//! The numbers of errors.
//!
//! As the kernel has them, negative: nothing has to be done to what a system call answers.

use core::num::NonZeroI32;
use linux_raw_sys::errno as sys;

/// Why the kernel did not do as asked: the number of an error, negative, as system calls answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(NonZeroI32);

/// What there is, or why there is none.
pub type Result<T> = core::result::Result<T, Errno>;

/// What a system call answered.
///
/// # Errors
/// That of the call, if the answer is negative.
pub fn check(answer: i32) -> Result<i32> {
    match NonZeroI32::new(answer) {
        Some(error) if answer < 0 => Err(Errno(error)),
        _ => Ok(answer),
    }
}

impl Errno {
    const fn new(number: u32) -> Self {
        match NonZeroI32::new(-(number as i32)) {
            Some(error) => Self(error),
            None => panic!("not an error"), // when it is compiled
        }
    }

    /// The error of that number, as `errno(3)` has it; if it is 0, one that has no name.
    pub fn of(number: i32) -> Self {
        const NAMELESS: Errno = Errno::new(4095);
        NonZeroI32::new(number.wrapping_neg()).map_or(NAMELESS, Self)
    }

    /// What a system call answers that fails so.
    pub const fn answer(self) -> i32 {
        self.0.get()
    }

    /// The number as `errno(3)` has it, positive.
    pub fn number(self) -> i32 {
        -self.0.get()
    }

    /// Operation not permitted.
    pub const PERM: Self = Self::new(sys::EPERM);
    /// No such file or directory.
    pub const NOENT: Self = Self::new(sys::ENOENT);
    /// Interrupted by a signal.
    pub const INTR: Self = Self::new(sys::EINTR);
    /// Not a program that this machine knows.
    pub const NOEXEC: Self = Self::new(sys::ENOEXEC);
    /// Permission denied.
    pub const ACCESS: Self = Self::new(sys::EACCES);
    /// In use.
    pub const BUSY: Self = Self::new(sys::EBUSY);
    /// There is one already.
    pub const EXIST: Self = Self::new(sys::EEXIST);
    /// No such device, or file system.
    pub const NODEV: Self = Self::new(sys::ENODEV);
    /// Not a directory.
    pub const NOTDIR: Self = Self::new(sys::ENOTDIR);
    /// Invalid argument.
    pub const INVAL: Self = Self::new(sys::EINVAL);
    /// None yet.
    pub const AGAIN: Self = Self::new(sys::EAGAIN);
    /// It would go on forever.
    pub const LOOP: Self = Self::new(sys::ELOOP);
    /// No such system call.
    pub const NOSYS: Self = Self::new(sys::ENOSYS);
}

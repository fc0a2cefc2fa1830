//! What is the same on all hosts but x86-64, whose CPU and whose calls in place are smaller.

/// See [`super`]: calls the kernel.
macro_rules! call {
    ($number:expr) => {
        $crate::arch::plain::two($number, 0, 0)
    };
    ($number:expr, $a:expr) => {
        $crate::arch::plain::two($number, $a as usize, 0)
    };
    ($number:expr, $a:expr, $b:expr) => {
        $crate::arch::plain::two($number, $a as usize, $b as usize)
    };
    ($number:expr, $a:expr, $b:expr, $c:expr) => {
        $crate::arch::plain::three($number, $a as usize, $b as usize, $c as usize)
    };
    ($number:expr, $a:expr, $b:expr, $c:expr, $d:expr) => {
        $crate::arch::plain::five($number, $a as usize, $b as usize, $c as usize, $d as usize, 0)
    };
    ($number:expr, $a:expr, $b:expr, $c:expr, $d:expr, $e:expr) => {
        $crate::arch::plain::five($number, $a as usize, $b as usize, $c as usize, $d as usize, $e as usize)
    };
}
pub(crate) use call;

/// Calls the kernel with five arguments; what it answers.
///
/// # Safety
/// As of the system call.
#[inline(never)]
pub(crate) unsafe fn five(number: u32, a: usize, b: usize, c: usize, d: usize, e: usize) -> i32 {
    // SAFETY: as the caller vouches.
    unsafe { super::host::enter(number, a, b, c, d, e) as i32 }
}

/// The same with three: a function, so that the other two are not made at each call.
///
/// # Safety
/// The same.
#[inline(never)]
pub(crate) unsafe fn three(number: u32, a: usize, b: usize, c: usize) -> i32 {
    // SAFETY: as the caller vouches.
    unsafe { five(number, a, b, c, 0, 0) }
}

/// The same with two.
///
/// # Safety
/// The same.
#[inline(never)]
pub(crate) unsafe fn two(number: u32, a: usize, b: usize) -> i32 {
    // SAFETY: as the caller vouches.
    unsafe { three(number, a, b, 0) }
}

/// Copies `length` bytes, from the first on.
///
/// # Safety
/// As of `memcpy(3)`.
pub unsafe fn copy(to: *mut u8, from: *const u8, length: usize) {
    for at in 0..length {
        // Volatile, lest the compiler see in the loop a `memcpy`, which this is.
        // SAFETY: the caller vouches for `length` bytes on both sides.
        unsafe { *to.add(at) = from.add(at).read_volatile() };
    }
}

/// The x86-64 level of this machine: none.
pub fn level() -> u8 {
    0
}

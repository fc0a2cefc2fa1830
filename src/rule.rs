//! A rule: the line that registers an interpreter, in the format of the kernel's
//! `Documentation/admin-guide/binfmt-misc.rst`, which is that of `binfmt.d(5)` too.

use crate::config::{Config, Lookup};
use crate::kernel::{TELLS_ARGV0, Version};
use crate::target::Target;
use crate::text::{Buffer, fill, hex, put};
use heapless::Vec;

/// The longest line in bytes that the kernel takes (`MAX_REGISTER_LENGTH` in `fs/binfmt_misc.c`).
pub const LINE_MAX: usize = 1920;

/// A line.
pub type Line = Vec<u8, LINE_MAX>;

/// The flags of an entry.
pub type Flags = Vec<u8, 4>;

/// The flags that go with the configuration.
///
/// Always `O`: the kernel opens the program and passes the descriptor, so that one the interpreter may execute but
/// not read, or that has no path, runs too. `C`: the program's credentials count, not the interpreter's; `F`: see
/// [`crate::kernel::FIX_BINARY`]; `P`: see [`TELLS_ARGV0`].
pub fn flags(config: &Config, lookup: Lookup, version: Version) -> Flags {
    let preserve = config.preserve_argv0.unwrap_or(version >= TELLS_ARGV0);
    let set = [preserve, true, config.credentials, lookup == Lookup::Registration];
    let mut flags = Flags::new();
    for (flag, set) in b"POCF".iter().zip(set) {
        if set {
            _ = flags.push(*flag); // four at most, as the capacity
        }
    }
    flags
}

/// Writes the rule that gives programs of `target` to `interpreter`; `false` if it is longer than the kernel takes.
pub fn write(line: &mut Buffer, name: &[u8], target: &Target, interpreter: &[u8], flags: &[u8]) -> bool {
    let program = target.probe();
    let kind = &target.kind;
    line.clear();
    let mut fits = fill(line, b":%0:M:", &[name]);
    for magic in [true, false] {
        fits &= put(line, b":");
        for (at, &byte) in program.iter().enumerate().take(kind.magic_len()) {
            let mask = kind.mask(at);
            let [high, low] = hex(if magic { byte & mask } else { mask });
            for byte in [b'\\', b'x', high, low] {
                fits &= line.push(byte).is_ok();
            }
        }
    }
    fits && fill(line, b":%0:%1", &[interpreter, flags])
}

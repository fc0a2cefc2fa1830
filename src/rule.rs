//! A rule: the line that registers an interpreter, in the format of the kernel's
//! `Documentation/admin-guide/binfmt-misc.rst`, which is that of `binfmt.d(5)` too.

use crate::config::{Config, Lookup};
use crate::kernel::{TELLS_ARGV0, Version};
use crate::output::{Output, Values};
use crate::target::Target;
use crate::text::{List, Text};
use core::mem::MaybeUninit;

/// The longest line in bytes that the kernel takes (`MAX_REGISTER_LENGTH` in `fs/binfmt_misc.c`).
pub const LINE_MAX: usize = 1920;

/// The flags there may be. The lowest bit of the place of some stands for `F`, the next for `C`, the third for `P`.
const FLAGS: List = List::new(b"O\0OF\0OC\0OCF\0PO\0POF\0POC\0POCF\0\0");

/// The flags that go with the configuration.
///
/// Always `O`: the kernel opens the program and passes the descriptor, so that one the interpreter may execute but
/// not read, or that has no path, runs too. `C`: the program's credentials count, not the interpreter's; `F`: see
/// [`crate::kernel::FIX_BINARY`]; `P`: see [`TELLS_ARGV0`].
pub fn flags(config: &Config, lookup: Lookup, version: Version) -> Text<'static> {
    let preserve = config.preserve_argv0().unwrap_or(version >= TELLS_ARGV0);
    let fix = lookup == Lookup::Registration;
    FLAGS.at(usize::from(preserve) << 2 | usize::from(config.credentials()) << 1 | usize::from(fix))
}

/// Writes the rule of an entry called as the template `name` says, which gives programs of `target` to an interpreter.
/// Of `values`, the interpreter and the flags count, and what is in the name. `false` if the rule is longer than the
/// kernel takes.
///
/// What is `plain` can be read; otherwise only those bytes of magic and mask are escaped that have to be, which is
/// quicker to write and for the kernel to read.
///
/// `EI_OSABI`, `EI_ABIVERSION` and `EI_PAD` do not count (AppImages put a mark there), and `e_type` is to be `ET_EXEC`
/// or `ET_DYN`.
pub fn write(line: &mut Output, name: Text, target: &Target, values: &Values, plain: bool) -> bool {
    // EI_MAG to EI_VERSION, e_type and e_machine
    const COUNT: u64 = 0b1111_0000_0000_0111_1111;
    let mut room = MaybeUninit::uninit();
    let program = target.probe(&mut room);
    let (flags_at, flags_mask) = target.flags_mask();
    line.byte(b':');
    line.fill(name, values);
    line.put(Text::new(c":M:"));
    for all in [0, 0xff] {
        line.byte(b':');
        for (at, byte) in program.iter().enumerate().take(target.magic_len()) {
            let mut mask = (COUNT >> at & 1) as u8 * 0xff - u8::from(at == target.type_at());
            if at == flags_at {
                mask = flags_mask;
            }
            let byte = (byte | all) & mask;
            if plain || matches!(byte, 0 | b':' | b'\\') {
                line.put(Text::new(c"\\x"));
                line.hex(byte);
            } else {
                line.byte(byte);
            }
        }
    }
    line.fill(Text::new(c":%1:%2"), values);
    !line.failed && line.bytes().len() <= LINE_MAX
}

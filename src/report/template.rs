//! Messages with values in them.

use core::fmt::{Formatter, Result};

/// Writes `template`. A name in braces stands for a value, which `write_value` writes.
///
/// This serves where many messages share a few values: with `write!`, each message would bring code of its own that passes
/// them, and here only its text.
pub(super) fn fill(
    f: &mut Formatter<'_>,
    template: &str,
    write_value: &dyn Fn(&[u8], &mut Formatter<'_>) -> Result,
) -> Result {
    // Texts and names take turns.
    let mut is_name = false;
    let mut rest = template;
    loop {
        let end = rest.bytes().position(|byte| matches!(byte, b'{' | b'}')).unwrap_or(rest.len());
        let part = rest.get(..end).unwrap_or_default();
        if is_name {
            write_value(part.as_bytes(), f)?
        } else {
            f.write_str(part)?
        }
        let Some(following) = rest.get(end + 1..) else { return Ok(()) };
        rest = following;
        is_name = !is_name;
    }
}

//! Messages with values in them.

use super::Text;
use core::fmt::{Display, Formatter, Result};

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
    template.as_bytes().split(|byte| matches!(byte, b'{' | b'}')).try_for_each(|part| {
        is_name = !is_name;
        if is_name { Text(part).fmt(f) } else { write_value(part, f) }
    })
}

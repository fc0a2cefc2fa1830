//! The table of architectures against others' knowledge of them: QEMU executes its probes, programs that other tools
//! made are matched by its rules, and Debian's rules are compared with them byte by byte. What the others know about
//! each architecture is beside its row in `qemu/targets`.

mod differences;
mod library;
mod probes;
mod programs;
mod rule;

use crate::common::targets::rows;

/// What `build.rs` makes of the table has the rows that the tests read.
#[test]
fn every_row_is_an_architecture() {
    let names: Vec<String> = rows().into_iter().map(|row| row.name).collect();
    assert_eq!(names, library::names());
}

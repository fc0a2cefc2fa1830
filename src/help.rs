//! What `--help` and `--version` print.

use crate::architecture::ARCHITECTURES;
use crate::cli::OPTIONS;
use crate::config::VARIABLES;
use crate::report::Writer;

/// What `--version` prints.
pub const VERSION: &str = concat!("binfmt_register ", env!("CARGO_PKG_VERSION"), "\n");

/// Prints the help.
pub fn print_help(out: &mut Writer) {
    let mut text = |text: &str| out.write(text.as_bytes());
    text("usage: binfmt_register [OPTION...] [-- COMMAND [ARG...]]\n");
    text("Registers QEMU's user-mode interpreters with the kernel's binfmt_misc.\n\n");
    text("  (no option)       register what the variables say\n");
    for option in &OPTIONS {
        text(option.help);
    }
    text("  -- COMMAND        executed in this process if all went well\n\n");
    text("variables, with their values besides blank:\n");
    for variable in &VARIABLES {
        text("  ");
        text(variable.name);
        text(": ");
        text(variable.allowed);
        text("\n");
    }
    text("\narchitectures, each with its other names:");
    for architecture in &ARCHITECTURES {
        text(" ");
        text(architecture.names);
    }
    text("\n");
}

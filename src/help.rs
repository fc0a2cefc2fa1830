//! What `--help` and `--version` print.

use crate::architecture::ARCHITECTURES;
use crate::cli::OPTIONS;
use crate::config::VARIABLES;
use crate::report::Writer;

/// Prints the version: the tool's and, in an image, that of the interpreters there. Under the name `binfmt` in the form
/// that readers of `tonistiigi/binfmt`'s logs know.
pub fn print_version(stands_in: bool, out: &mut Writer) {
    let (own, theirs) = (concat!(env!("VERSION_LINE"), "\n"), concat!(env!("BINFMT_VERSION_LINE"), "\n"));
    out.write(if stands_in { theirs } else { own }.as_bytes());
}

/// Prints the help.
pub fn print_help(out: &mut Writer) {
    let mut text = |text: &[u8]| out.write(text);
    text(b"usage: binfmt_register [OPTION...] [-- COMMAND [ARG...]]\n");
    text(b"Registers QEMU's user-mode interpreters with the kernel's binfmt_misc.\n\n");
    text(b"  (no option)       register what the variables say\n");
    for option in &OPTIONS {
        text(option.help.as_bytes());
    }
    text(b"  -- COMMAND        executed in this process if all went well\n\n");
    text(b"variables, with their values besides blank:\n");
    for variable in &VARIABLES {
        text(b"  ");
        text(variable.name.as_bytes());
        text(b": ");
        text(variable.allowed.as_bytes());
        text(b"\n");
    }
    text(b"\narchitectures, with their other names:");
    for architecture in &ARCHITECTURES {
        let name = architecture.name();
        text(b" ");
        text(name);
        if let Some(others @ [_, ..]) = architecture.names.as_bytes().get(name.len() + 1..) {
            text(b" (");
            text(others);
            text(b")");
        }
    }
    text(b"\n");
}

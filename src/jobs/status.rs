//! Prints what this machine executes right now, as the JSON that `tonistiigi/binfmt` prints.

use super::Context;
use super::observe::each_entry;
use crate::architecture::{Architecture, HOST, PLATFORMS, Relation};
use crate::binfmt::BinfmtMisc;
use crate::config::words;
use crate::machine::{ProbeError, run_probe};
use crate::report::{Notice, Report, Writer};
use crate::sys::x86_64_level;
use rustix::io::Errno;

/// Prints the JSON: as `supported` the platforms of which a probe runs, as `emulators` the entries that are enabled.
pub fn print_status(context: &Context, out: &mut Writer, report: &mut Report) {
    let mut list = List { out, is_empty: true };
    list.out.write(b"{\n  \"supported\": [");
    let mut last: Option<(&Architecture, bool)> = None;
    for of_host in [true, false] {
        // Those of the host come first.
        for platform in words(PLATFORMS).filter(|platform| HOST.is_called(platform) == of_host) {
            let Some(architecture) = Architecture::find(platform) else { continue };
            // One program tells for all versions of an architecture, except for the levels of this machine's CPU.
            let runs = match last {
                Some((other, runs)) if other == architecture => runs,
                _ => runs(architecture, report) == Some(true),
            };
            last = Some((architecture, runs));
            if runs && level_of(platform) <= x86_64_level() {
                list.item(b"linux/", platform);
            }
        }
    }
    list.end();
    list.out.write(b",\n  \"emulators\": [");
    let entries = BinfmtMisc::look(context.mount_point, context.user_namespace);
    if let Some(Some(entries)) = context.read(entries, report) {
        each_entry(&entries, context, report, &mut |name, entry, _| {
            if entry.enabled {
                list.item(b"", name.to_bytes());
            }
        });
    }
    list.end();
    list.out.write(b"\n}\n");
}

/// Whether this machine runs programs of the architecture now, by itself or through a handler. `None` after having said
/// why that cannot be told.
pub(super) fn runs(architecture: &Architecture, report: &mut Report) -> Option<bool> {
    if architecture.relation == Relation::Host {
        return Some(true);
    }
    match run_probe(None, architecture) {
        Ok(()) => Some(true),
        // Nothing knows such programs; or the interpreter is missing, or may not be executed.
        Err(ProbeError::Failed | ProbeError::NotStarted(Errno::NOEXEC | Errno::NOENT | Errno::ACCESS)) => Some(false),
        Err(error) => {
            report.say(&Notice::NotProbed(architecture.name(), error));
            None
        }
    }
}

/// The level of x86-64 that a platform names, and 0 for all others.
fn level_of(platform: &[u8]) -> u8 {
    let digit = platform.strip_prefix(b"amd64/v").and_then(|level| level.first());
    digit.map_or(0, |digit| digit - b'0')
}

/// A JSON array of strings, a line each.
struct List<'a> {
    out: &'a mut Writer,
    is_empty: bool,
}

impl List<'_> {
    fn item(&mut self, prefix: &[u8], name: &[u8]) {
        self.out.write(if self.is_empty { b"\n    " } else { b",\n    " });
        self.is_empty = false;
        self.out.write_string(&[prefix, name]);
    }

    fn end(&mut self) {
        self.out.write(if self.is_empty { b"]" } else { b"\n  ]" });
        self.is_empty = true;
    }
}

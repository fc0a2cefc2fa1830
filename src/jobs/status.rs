//! Prints what this machine executes right now, as the JSON that `tonistiigi/binfmt` prints.

use super::Context;
use super::observe::each_entry;
use crate::architecture::{Architecture, HOST, Relation};
use crate::binfmt::{BinfmtMisc, hex};
use crate::config::words;
use crate::machine::{ProbeError, run_probe};
use crate::report::{Notice, Report, Writer};
use crate::sys::x86_64_level;
use rustix::io::Errno;

/// The OCI platforms that `tonistiigi/binfmt` knows, in its order. Those of the host come first when they are printed.
const PLATFORMS: &[u8] = b"amd64 amd64/v2 amd64/v3 amd64/v4 arm64 riscv64 ppc64 ppc64le s390x 386 mips64le mips64 \
    loong64 arm/v7 arm/v6";

/// Prints the JSON: as `supported` the platforms of which a probe runs, as `emulators` the entries that are enabled.
pub fn print_status(context: &Context, out: &mut Writer, report: &mut Report) {
    let mut list = List { out, is_empty: true };
    list.out.write(b"{\n  \"supported\": [");
    let mut last: Option<(&Architecture, bool)> = None;
    for of_host in [true, false] {
        for platform in words(PLATFORMS).filter(|platform| HOST.is_called(platform) == of_host) {
            let Some(architecture) = Architecture::find(platform) else { continue };
            // One program tells for all versions of an architecture, except for the levels of this machine's CPU.
            let runs = match last {
                Some((other, runs)) if other == architecture => runs,
                _ => runs(architecture, report),
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

/// Whether this machine runs programs of the architecture now, by itself or through a handler.
fn runs(architecture: &Architecture, report: &mut Report) -> bool {
    if architecture.relation == Relation::Host {
        return true;
    }
    match run_probe(architecture) {
        Ok(()) => true,
        // Nothing knows such programs; or the interpreter is missing, or may not be executed.
        Err(ProbeError::Failed | ProbeError::NotStarted(Errno::NOEXEC | Errno::NOENT | Errno::ACCESS)) => false,
        Err(error) => {
            report.say(&Notice::NotProbed(architecture.name(), error));
            false
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
        self.out.write(if self.is_empty { b"\n    \"" } else { b",\n    \"" });
        self.is_empty = false;
        self.out.write(prefix);
        for &byte in name {
            match byte {
                b'"' | b'\\' => self.out.write(&[b'\\', byte]),
                b' '..=b'~' => self.out.write(&[byte]),
                // The name of an entry may be any bytes, and JSON must be UTF-8.
                _ => {
                    self.out.write(b"\\u00");
                    self.out.write(&hex(byte));
                }
            }
        }
        self.out.write(b"\"");
    }

    fn end(&mut self) {
        self.out.write(if self.is_empty { b"]" } else { b"\n  ]" });
        self.is_empty = true;
    }
}

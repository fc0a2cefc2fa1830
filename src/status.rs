//! What this machine executes right now, as the JSON that `tonistiigi/binfmt` prints.

use crate::binfmt_misc::{BinfmtMisc, EntryText};
use crate::handler::Handler;
use crate::probe::{self, Verdict};
use crate::register::Host;
use crate::report::{Output, Report, Say};
use crate::target::TARGETS;
use crate::text::{errno, hex, words};
use rustix::io::Errno;

/// The OCI platforms in that tool's order; this machine's own come before the others.
const ORDER: &[u8] = b"amd64 amd64/v2 amd64/v3 amd64/v4 arm64 riscv64 ppc64 ppc64le s390x 386 mips64le mips64 loong64 \
arm/v7 arm/v6";

/// Prints the JSON. `level` is the x86-64 level of this machine's CPU, 1 to 4 (0 on others).
///
/// `supported` is found by executing a probe of each architecture; `emulators` are the entries that are enabled.
#[inline(never)]
pub fn status(host: &Host, level: u8, out: &mut Output, report: &mut Report) {
    let mut list = List::new(out, b"{\n  \"supported\": [");
    for own in [true, false] {
        let mut last: &[u8] = b"";
        let mut runs = false;
        for platform in words(ORDER) {
            let (name, variant) = match platform {
                [name @ .., b'/', b'v', digit] => (name, digit & 15),
                _ => (platform, 0),
            };
            if name != last {
                last = name;
                let target = TARGETS.iter().find(|target| target.oci() == name && target.is_host() == own);
                runs = target.is_some_and(|target| own || probe::run(target) == Verdict::Runs);
            }
            // A level of amd64 can be told of this machine's CPU only.
            if runs && (name != b"amd64" || variant == 0 || own && variant <= level) {
                list.item(b"linux/", platform);
            }
        }
    }
    let out = list.end();
    let mut list = List::new(out, b",\n  \"emulators\": [");
    match BinfmtMisc::open(host.dir, host.first, false) {
        Ok(fs) => {
            let mut names = fs.entries();
            while let Some(name) = names.following() {
                let mut buffer: EntryText = [0; 4096];
                if fs.read(name, &mut buffer).is_ok_and(|text| Handler::parse(text).enabled) {
                    list.item(b"", name.to_bytes());
                }
            }
        }
        // None here, or none that this namespace sees.
        Err(error) if error == Errno::NODEV || !host.first => {}
        Err(error) => report.say(Say::Unreachable, &[errno(error), host.dir.to_bytes()]),
    }
    list.end().put(b"\n}\n");
}

/// A JSON array of strings, a line each.
struct List<'a> {
    out: &'a mut Output,
    empty: bool,
}

impl<'a> List<'a> {
    fn new(out: &'a mut Output, start: &[u8]) -> Self {
        out.put(start);
        Self { out, empty: true }
    }

    fn item(&mut self, prefix: &[u8], name: &[u8]) {
        self.out.put(if self.empty { b"\n    \"" } else { b",\n    \"" });
        self.empty = false;
        self.out.put(prefix);
        for &byte in name {
            match byte {
                b' ' | b'!' | b'#'..=b'[' | b']'..=b'~' => self.out.put(&[byte]),
                // The name of an entry may be any bytes; JSON must be UTF-8, and two of its characters be escaped.
                _ => {
                    self.out.put(b"\\u00");
                    self.out.put(&hex(byte));
                }
            }
        }
        self.out.put(b"\"");
    }

    fn end(self) -> &'a mut Output {
        self.out.put(if self.empty { b"]" } else { b"\n  ]" });
        self.out
    }
}

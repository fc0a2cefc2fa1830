//! What this machine executes right now, as the JSON that `tonistiigi/binfmt` prints.

use crate::binfmt_misc::BinfmtMisc;
use crate::errno::Errno;
use crate::host::Host;
use crate::message::{Reason, Say};
use crate::output::Output;
use crate::probe;
use crate::report::Report;
use crate::target::{HOST, LEVELS, PLATFORMS, TARGETS, find};
use crate::text::{BLANK, Text};

/// Prints the JSON. `level` is the x86-64 level of this machine's CPU, 1 to 4 (0 on others).
///
/// `supported` is found by executing a probe of each architecture; `emulators` are the entries that are enabled.
#[inline(always)]
pub fn status(host: &Host, level: u8, out: &mut Output, report: &mut Report) {
    out.put(Text::new(c"{\n  \"supported\": ["));
    let mut list = Array { out, empty: true };
    // The host's own need not be tried; of others, one program tells for all versions.
    let (mut tried, mut runs) = (HOST, HOST);
    for (order, platform) in PLATFORMS.enumerate() {
        // A level of amd64 can be told of this machine's CPU only.
        let above = order.wrapping_sub(LEVELS);
        if above < 3 && above + 2 > level.into() {
            continue;
        }
        let place = find(platform);
        if place != tried {
            tried = place;
            if TARGETS.get(place).is_some_and(|target| probe::run(target) == Reason::NONE) {
                runs = place;
            }
        }
        if place == runs {
            list.item(Text::new(c",\n    \"linux/"), platform);
        }
    }
    list.end(Text::new(c"\n  ],\n  \"emulators\": ["));
    let fs = BinfmtMisc::open(host.dir, host.first, false);
    let mut names = fs.entries();
    while let Some(name) = names.following() {
        if fs.is_enabled(name) {
            list.item(Text::new(c",\n    \""), name);
        }
    }
    match fs.failed() {
        // None here, or none that this namespace sees.
        Some(error) if error != Errno::NODEV && host.first => report.say(Say::Unreachable, BLANK, error.into()),
        _ => {}
    }
    list.end(Text::new(c"\n  ]\n}\n"));
}

/// A JSON array of strings, a line each.
struct Array<'a> {
    out: &'a mut Output,
    empty: bool,
}

impl Array<'_> {
    /// Adds `name`, after `start`, of which the first byte, a comma, is for all but the first.
    fn item(&mut self, start: Text, name: Text) {
        self.out.put(if self.empty { start.behind() } else { start });
        self.empty = false;
        for byte in name {
            // The name of an entry may be any bytes; JSON must be UTF-8, and two of its characters be escaped.
            if !matches!(byte, b' '..=b'~') || byte == b'"' || byte == b'\\' {
                self.out.put(Text::new(c"\\u00"));
                self.out.hex(byte);
            } else {
                self.out.byte(byte);
            }
        }
        self.out.byte(b'"');
    }

    /// Ends it with `end`, of which the first three bytes are for one that is not empty.
    #[inline(always)]
    fn end(&mut self, end: Text) {
        self.out.put(if self.empty { end.behind().behind().behind() } else { end });
        self.empty = true;
    }
}

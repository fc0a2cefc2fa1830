//! What is there: entries, interpreters, and what the CPU runs by itself.

use crate::binfmt_misc::{BinfmtMisc, EntryText};
use crate::config::{Config, Lookup};
use crate::handler::Handler;
use crate::interpreter::{Place, State, directory, find};
use crate::pin;
use crate::plan::{Native, Own, Seen};
use crate::probe::{self, Verdict};
use crate::target::{HOST, TARGETS, Target};
use crate::text::{fill, put};
use core::ffi::CStr;
use heapless::Vec;
use rustix::io::Errno;

/// What follows the name of an entry while it stands in for one being replaced.
pub const STAND_IN: &[u8] = b".new";

/// The name of an entry of ours, with the NUL byte that ends it.
pub type Name = Vec<u8, 32>;

/// The name of the entry for `target`: `qemu-ARCH` and `suffix`.
pub fn entry_name(target: &Target, suffix: &[u8]) -> Name {
    let mut name = Name::new();
    fill(&mut name, b"qemu-%0%1\0", &[target.name(), suffix]); // the longest, qemu-microblazeel.new, fits
    name
}

/// Whether an entry of that name is one this tool makes for `target`; if so, whether it is a stand-in.
pub fn is_ours(target: &Target, name: &CStr) -> Option<bool> {
    let rest = name.to_bytes().strip_prefix(b"qemu-")?.strip_prefix(target.name())?;
    if rest.is_empty() { Some(false) } else { (rest == STAND_IN).then_some(true) }
}

/// What there is of one target.
#[derive(Clone, Debug)]
pub struct Item {
    /// What the plan is made from.
    pub seen: Seen,
    /// Where its interpreter is.
    pub place: Place,
    /// The name of an entry of somebody else's that handles it, cut to what there is room for.
    pub other: Vec<u8, 40>,
}

/// What there is, by target.
pub type Items = [Item; TARGETS.len()];

/// Nothing at all.
pub const fn nothing() -> Items {
    const NOTHING: Item = Item {
        seen: Seen { own: Own::Absent, other: false, stand_in: false, native: Native::No, interpreter: State::Missing },
        place: Place::Static,
        other: Vec::new(),
    };
    [NOTHING; TARGETS.len()]
}

/// Looks at the entries; whether the pin is among them. An entry that goes meanwhile counts as gone.
pub fn entries(fs: &BinfmtMisc, items: &mut Items) -> bool {
    let mut pinned = false;
    let mut names = fs.entries();
    while let Some(name) = names.following() {
        let mut buffer: EntryText = [0; 4096];
        if name == pin::NAME {
            pinned = true;
        } else if let Ok(text) = fs.read(name, &mut buffer) {
            record(items, name, &Handler::parse(text));
        }
    }
    pinned
}

fn record(items: &mut Items, name: &CStr, handler: &Handler) {
    for (target, item) in TARGETS.iter().zip(items) {
        let handles = handler.enabled && handler.handles(target);
        match is_ours(target, name) {
            Some(true) => item.seen.stand_in = true,
            Some(false) if !handler.enabled => item.seen.own = Own::Disabled,
            Some(false) if handles => item.seen.own = Own::Handles,
            Some(false) => item.seen.own = Own::Misfit,
            None if handles => {
                item.seen.other = true;
                item.other.clear();
                put(&mut item.other, name.to_bytes());
            }
            None => {}
        }
    }
}

/// Looks for the interpreters of the targets asked for; whether there is any.
pub fn interpreters(config: &Config, lookup: Lookup, items: &mut Items) -> bool {
    let mut any = false;
    let directory = directory(config);
    for (place, target) in TARGETS.iter().enumerate() {
        let Some(item) = items.get_mut(place) else { break };
        if target.is_host() {
            item.seen.native = Native::Host;
        } else if config.asked.allows(place) {
            (item.place, item.seen.interpreter) = find(config, directory, target, lookup);
            any |= item.seen.interpreter != State::Missing;
        }
    }
    any
}

/// Finds out whether the machine runs `target` by itself, if that is in question.
pub fn native(target: &Target, seen: &mut Seen) {
    // Only a probe that no handler can catch tells what the CPU does.
    let handled = seen.own == Own::Handles || seen.other || seen.stand_in;
    if seen.native == Native::No && target.family == HOST.family && !handled {
        seen.native = match probe::run(target) {
            Verdict::Runs => Native::Yes,
            Verdict::Died | Verdict::Refused(Errno::NOEXEC) => Native::No,
            Verdict::Refused(error) => Native::Unknown(error),
        };
    }
}

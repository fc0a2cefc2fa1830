//! What is there: entries, interpreters, and what the CPU runs by itself.

use crate::binfmt_misc::{BinfmtMisc, EntryText};
use crate::config::{Config, Lookup};
use crate::errno::Result;
use crate::fd::{DIRECTORY, Fd, HERE, PATH, open};
use crate::handler::Handler;
use crate::interpreter::{check, name};
use crate::message::Reason;
use crate::output::{Output, Values};
use crate::pin;
use crate::plan::{Own, Seen};
use crate::probe;
use crate::target::{HOST, TARGETS, Target};
use crate::text::Text;
use core::mem::MaybeUninit;

/// The name of an entry of ours, as a template, and that of one while it stands in for one being replaced.
pub const NAME: Text = Text::new(c"qemu-%0");
/// See [`NAME`].
pub const STAND_IN: Text = Text::new(c"qemu-%0.new");

/// Whether an entry of that name is one this tool makes for `target`; if so, whether it is a stand-in.
pub fn is_ours(target: &Target, name: Text) -> Option<bool> {
    let rest = name.after(Text::new(c"qemu-"))?.after(target.name())?;
    if rest.is_blank() { Some(false) } else { rest.is(Text::new(c".new")).then_some(true) }
}

/// What there is of one target.
#[derive(Debug)]
pub struct Item {
    /// The target.
    pub target: &'static Target,
    /// What the plan is made from.
    pub seen: Seen,
    /// Its interpreter has the plain name; see [`crate::interpreter::name`].
    pub plain: bool,
    /// Whether it was asked for.
    pub asked: bool,
    /// The name of an entry of somebody else's that handles it, cut to what there is room for; the last byte is NUL.
    other: [u8; 40],
}

impl Item {
    /// The name of an entry of somebody else's that handles it, cut to what there is room for.
    pub fn other(&self) -> Text<'_> {
        // SAFETY: the last byte is NUL.
        unsafe { Text::from_ptr(self.other.as_ptr().cast()) }
    }
}

/// What there is, by target.
pub type Items = [Item; TARGETS.len()];

/// Nothing at all.
pub fn nothing() -> Items {
    const NOTHING: Item =
        Item { target: &TARGETS[HOST], seen: Seen::NOTHING, plain: false, asked: false, other: [0; 40] };
    let mut items = [NOTHING; TARGETS.len()];
    for (item, target) in items.iter_mut().zip(&TARGETS) {
        item.target = target;
        item.seen.host = target.is_host();
    }
    items
}

/// Looks at the entries; whether the pin is among them. An entry that goes meanwhile counts as gone.
pub fn entries(fs: &BinfmtMisc, items: &mut Items) -> bool {
    let mut pinned = false;
    let mut names = fs.entries();
    while let Some(name) = names.following() {
        if name.is(pin::NAME) {
            pinned = true;
            continue;
        }
        let mut buffer = EntryText::uninit();
        let text = fs.read(name, &mut buffer);
        if !text.is_blank() {
            record(items, name, Handler::parse(text, &mut MaybeUninit::uninit()));
        }
    }
    pinned
}

fn record(items: &mut Items, name: Text, handler: &Handler) {
    for Item { target, seen, other, .. } in items {
        let handles = handler.enabled && handler.handles(target);
        match is_ours(target, name) {
            Some(true) => seen.stand_in = true,
            Some(false) if !handler.enabled => seen.own = Own::Disabled,
            Some(false) if handles => seen.own = Own::Handles,
            Some(false) => seen.own = Own::Misfit,
            None if handles => {
                seen.other = true;
                *other = [0; 40];
                let [room @ .., _] = other;
                for (place, byte) in room.iter_mut().zip(name) {
                    *place = byte;
                }
            }
            None => {}
        }
    }
}

/// Looks for the interpreters of the targets asked for; whether there is any. Of `values`, the prefix counts.
#[inline(always)]
pub fn interpreters(config: &Config, lookup: Lookup, values: &Values, items: &mut Items) -> bool {
    let mut any = false;
    let mut buffer = Output::text_only();
    let directory = open(HERE, config.directory, PATH | DIRECTORY);
    for (place, item) in items.iter_mut().enumerate() {
        item.asked = config.asked.allows(place);
        if item.asked && !item.seen.host {
            let mut values = *values;
            values[0] = item.target.name();
            find(item, &values, directory, lookup, &mut buffer);
            any |= item.seen.interpreter != Reason::MISSING;
        }
    }
    any
}

/// Looks for the interpreter of `item` in the directory. What lies at the first place decides.
fn find(item: &mut Item, values: &Values, directory: Result<Fd>, lookup: Lookup, buffer: &mut Output) {
    loop {
        buffer.clear();
        buffer.fill(name(item.plain), values);
        item.seen.interpreter = check(directory, buffer.text(), lookup);
        if item.seen.interpreter != Reason::MISSING {
            break;
        }
        item.plain = !item.plain;
        if !item.plain {
            break; // neither is there
        }
    }
}

/// Finds out whether the machine runs the target by itself, if that is in question.
pub fn native(target: &Target, seen: &mut Seen) {
    // What has a handler is not executed by the machine itself, whatever it could do.
    let handled = seen.own == Own::Handles || seen.other || seen.stand_in;
    if !seen.host && target.is_kin() && !handled {
        seen.native = probe::native(target);
    }
}

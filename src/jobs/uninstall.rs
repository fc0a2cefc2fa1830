//! Removes entries.

use super::Context;
use super::access::{Purpose, lock, open};
use super::observe::each_entry;
use crate::architecture::Architecture;
use crate::binfmt::{Access, Locked, PIN, is_pin, owner, recognize};
use crate::config::words;
use crate::report::{Removal, Report};
use core::ffi::CStr;

/// Removes the entries that `list` names: by architecture (`arm64`) or by a pattern with `*` and `?`, which reach only
/// entries that this tool has registered, or by the exact name of an entry, whosever it is. `of_anybody` is whether all of
/// them reach entries of others too.
pub fn uninstall(list: &[u8], of_anybody: bool, context: &Context, report: &mut Report) {
    let Some(binfmt_misc) = open(Purpose::Remove(list), context, report) else { return };
    let Some(locked) = lock(&binfmt_misc, context, report) else { return };
    let mut all = false; // a pattern means the pin too
    for item in words(list) {
        let is_pattern = item.iter().any(|byte| matches!(byte, b'*' | b'?'));
        let architecture = Architecture::find(item);
        let mut found = false;
        let complete = each_entry(locked.entries(), context, report, &mut |name, entry, report| {
            let bytes = name.to_bytes();
            let named_for = recognize(bytes).map(|(named_for, _)| named_for);
            let is_named = matches(item, bytes);
            if is_named && is_pattern && is_pin(name, entry) {
                (all, found) = (true, true);
            } else if is_named || named_for.is_some() && named_for == architecture {
                if of_anybody || is_named && !is_pattern || owner(bytes, entry).is_some() {
                    found = true;
                    remove(&locked, name, report);
                } else if named_for.is_some() {
                    found = true;
                    report.say(&Removal::NotOurs(bytes));
                }
            }
        });
        if complete && !found {
            let known = is_pattern || architecture.is_some();
            report.say(&if known { Removal::NothingRegistered(item) } else { Removal::Unknown(item) });
        }
    }
    let removed = remove_pin(&locked, all && binfmt_misc.access == Access::Mounted, context, report);
    if all && removed == Some(false) {
        report.say(&Removal::PinKept);
    }
}

/// Removes the pin if it is the last entry. Where entries are left, it may be all that keeps them, so it stays, unless only
/// those of others are left and it is to be removed `even_beside_others`. Returns whether it was to be removed; `None` if
/// there is none.
pub(super) fn remove_pin(
    locked: &Locked,
    even_beside_others: bool,
    context: &Context,
    report: &mut Report,
) -> Option<bool> {
    let (mut pinned, mut ours, mut others) = (false, false, false);
    let complete = each_entry(locked.entries(), context, report, &mut |name, entry, _| {
        let is_ours = owner(name.to_bytes(), entry).is_some();
        match (is_pin(name, entry), is_ours) {
            (true, _) => pinned = true,
            (_, true) => ours = true,
            _ => others = true,
        }
    });
    let remove_it = !ours && (!others || even_beside_others);
    if complete && pinned && remove_it {
        remove(locked, PIN, report);
    }
    (complete && pinned).then_some(remove_it)
}

/// Removes one entry, and says so.
pub(super) fn remove(locked: &Locked, name: &CStr, report: &mut Report) {
    let bytes = name.to_bytes();
    report.say(&match locked.remove(name) {
        Ok(()) => Removal::Removed(bytes),
        Err(errno) => Removal::Failed(bytes, errno),
    });
}

/// Whether `name` is what `pattern` says: `*` stands for any bytes, `?` for one.
pub fn matches(mut pattern: &[u8], mut name: &[u8]) -> bool {
    // Where to continue when what follows the last star does not fit: the star takes one byte more.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        (pattern, name) = match (pattern, name) {
            ([b'*', rest @ ..], _) => {
                retry = Some((rest, name));
                (rest, name)
            }
            ([want, pattern @ ..], [have, name @ ..]) if *want == b'?' || want == have => (pattern, name),
            ([], []) => return true,
            _ => match retry {
                Some((after_star, [_, rest @ ..])) => {
                    retry = Some((after_star, rest));
                    (after_star, rest)
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "qemu-arm", true),
            ("qemu-*", "qemu-arm", true),
            ("qemu-*", "qemu-", true),
            ("qemu-*", "rosetta", false),
            ("qemu-arm", "qemu-arm", true),
            ("qemu-arm", "qemu-armeb", false),
            ("qemu-armeb", "qemu-arm", false),
            ("qemu-a*m", "qemu-arm", true),
            ("*-arm", "qemu-arm-arm", true),
            ("*a*a*", "qemu-arm", false),
            ("qemu-ar?", "qemu-arm", true),
            ("qemu-ar?", "qemu-ar", false),
            ("**", "x", true),
            ("", "x", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern:?} {name:?}");
        }
        // A time that doubles with each star would not end.
        assert!(!matches(&[&[b"a*".as_slice(); 40].concat(), b"b".as_slice()].concat(), &[b'a'; 200]));
    }
}

//! Removes entries.

use crate::binfmt_misc::{BinfmtMisc, Way};
use crate::observe::is_ours;
use crate::pin;
use crate::register::Host;
use crate::report::{Report, Say};
use crate::target::TARGETS;
use crate::text::{errno, words};
use core::ffi::CStr;

/// Removes the entries that `list` names: by architecture (`arm64`), by the exact name of an entry, whosever it is, or
/// by a pattern with `*` and `?`, which reaches only entries that this tool makes.
#[inline(never)]
pub fn uninstall(list: &[u8], host: &Host, report: &mut Report) {
    let Some(fs) = host.open(report) else { return };
    let mut all = false; // a pattern means the pin too
    for item in words(list) {
        let pattern = item.iter().any(|&byte| byte == b'*' || byte == b'?');
        let mut line = Say::NoSuchEntry;
        if pattern || TARGETS.iter().any(|target| target.is_called(item)) {
            line = Say::NothingRegistered;
        }
        let mut removed = false;
        let mut names = fs.entries();
        while let Some(name) = names.following() {
            let ours = TARGETS.iter().find(|target| is_ours(target, name).is_some());
            let named = matches(item, name.to_bytes());
            all |= named && pattern && name == pin::NAME;
            if named && (!pattern || ours.is_some()) || ours.is_some_and(|target| target.is_called(item)) {
                remove(&fs, name, report);
                removed = true;
            }
        }
        if !removed {
            report.say(line, &[item]);
        }
    }
    // The pin goes with the last entry. Where somebody else's are left, it may be all that keeps them, unless
    // binfmt_misc is mounted.
    let (mut pinned, mut left) = (false, false);
    let mut names = fs.entries();
    while let Some(name) = names.following() {
        let pin = name == pin::NAME;
        pinned |= pin;
        left |= !pin;
    }
    if pinned && (!left || all && fs.way == Way::Mounted) {
        remove(&fs, pin::NAME, report);
    } else if pinned && all {
        report.say(Say::PinKept, &[pin::NAME.to_bytes()]);
    }
    // SAFETY: it is not used afterwards; another part of the same run may want the lock.
    unsafe { fs.close() };
}

fn remove(fs: &BinfmtMisc, name: &CStr, report: &mut Report) {
    match fs.remove(name) {
        Ok(()) => report.say(Say::Removed, &[name.to_bytes()]),
        Err(error) => report.say(Say::NotRemoved, &[name.to_bytes(), errno(error)]),
    }
}

/// Whether `name` is what `pattern` says: `*` stands for any bytes, `?` for one.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // Where to go on when what follows the last star does not fit.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, name) {
            ([b'*', rest @ ..], _) => {
                retry = Some((rest, name));
                pattern = rest;
            }
            ([p, pattern_rest @ ..], [n, name_rest @ ..]) if *p == b'?' || p == n => {
                (pattern, name) = (pattern_rest, name_rest);
            }
            ([], []) => return true,
            _ => match retry {
                Some((after_star, [_, rest @ ..])) => {
                    retry = Some((after_star, rest));
                    (pattern, name) = (after_star, rest);
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
            ("qemu-arm", "qemu-armeb", false),
            ("qemu-a*m", "qemu-arm", true),
            ("*-arm", "qemu-arm-arm", true),
            ("*a*a*", "qemu-arm", false),
            ("qemu-ar?", "qemu-arm", true),
            ("qemu-ar?", "qemu-ar", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}

//! Removes entries.

use crate::access;
use crate::binfmt_misc::{BinfmtMisc, Way};
use crate::host::Host;
use crate::message::{Reason, Say};
use crate::observe::is_ours;
use crate::output::Output;
use crate::pin;
use crate::report::Report;
use crate::target::{TARGETS, find};
use crate::text::{BLANK, Text};

/// Removes the entries that `list` names: by architecture (`arm64`), by the exact name of an entry, whosever it is, or
/// by a pattern with `*` and `?`, which reaches only entries that this tool makes.
pub fn uninstall(mut list: Text, host: &Host, report: &mut Report) {
    let fs = access::open(host, report);
    if fs.failed().is_some() {
        return;
    }
    let mut all = false; // a pattern means the pin too
    let mut word = Output::text_only();
    while word.word(&mut list) {
        let item = word.text();
        let pattern = item.has(b'*') || item.has(b'?');
        let meant = find(item);
        let mut line = if pattern || meant < TARGETS.len() { Say::NothingRegistered } else { Say::NoSuchEntry };
        let mut names = fs.entries();
        while let Some(name) = names.following() {
            let ours = TARGETS.iter().position(|target| is_ours(target, name).is_some()).unwrap_or(usize::MAX);
            let named = matches(item, name);
            if ours == meant || named && (!pattern || ours < TARGETS.len()) {
                remove(&fs, name, report);
                line = Say::Nothing;
            } else if named && name.is(pin::NAME) {
                all = true;
            }
        }
        if line != Say::Nothing {
            report.say(line, item, Reason::NONE);
        }
    }
    // The pin goes with the last entry. Where somebody else's are left, it may be all that keeps them, unless
    // binfmt_misc is mounted.
    const OTHERS: u8 = 1;
    const PIN: u8 = 2;
    let mut left = 0;
    let mut names = fs.entries();
    while let Some(name) = names.following() {
        left |= if name.is(pin::NAME) { PIN } else { OTHERS };
    }
    if left == PIN || left == PIN | OTHERS && all && fs.way == Way::Mounted {
        remove(&fs, pin::NAME, report);
    } else if left == PIN | OTHERS && all {
        report.say(Say::PinKept, pin::NAME, Reason::NONE);
    }
    // SAFETY: it is not used afterwards; another part of the same run may want the lock.
    unsafe { fs.close() };
}

fn remove(fs: &BinfmtMisc, name: Text, report: &mut Report) {
    let (line, why) = match fs.remove(name) {
        Ok(_) => (Say::Removed, Reason::NONE),
        Err(error) => (Say::NotRemoved, error.into()),
    };
    report.say(line, name, why);
}

/// Whether `name` is what `pattern` says: `*` stands for any bytes, `?` for one.
fn matches(mut pattern: Text, mut name: Text) -> bool {
    // Where to go on when what follows the last star does not fit.
    let (mut after_star, mut retry) = (pattern, BLANK);
    loop {
        let (want, have) = (pattern.first(), name.first());
        if want == b'*' {
            pattern = pattern.behind();
            (after_star, retry) = (pattern, name);
        } else if have != 0 && (want == b'?' || want == have) {
            (pattern, name) = (pattern.behind(), name.behind());
        } else if want == have {
            return true;
        } else if retry.is_blank() {
            return false;
        } else {
            retry = retry.behind();
            (pattern, name) = (after_star, retry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;
    use crate::text::Text;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            (c"*", c"", true),
            (c"*", c"qemu-arm", true),
            (c"qemu-*", c"qemu-arm", true),
            (c"qemu-*", c"qemu-", true),
            (c"qemu-*", c"rosetta", false),
            (c"qemu-arm", c"qemu-armeb", false),
            (c"qemu-a*m", c"qemu-arm", true),
            (c"*-arm", c"qemu-arm-arm", true),
            (c"*a*a*", c"qemu-arm", false),
            (c"qemu-ar?", c"qemu-arm", true),
            (c"qemu-ar?", c"qemu-ar", false),
            (c"", c"x", false),
        ] {
            assert_eq!(matches(Text::new(pattern), Text::new(name)), expected, "{pattern:?} {name:?}");
        }
    }
}

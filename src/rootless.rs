//! In a user namespace of one's own, without any privilege on the host (Linux 6.7).

use crate::arch::call;
use crate::binfmt_misc::BinfmtMisc;
use crate::errno::Errno;
use crate::host::Host;
use crate::message::{Reason, Say};
use crate::output::Output;
use crate::report::Report;
use linux_raw_sys::general as sys;

/// Opens the user namespace's binfmt_misc to change it; see [`BinfmtMisc::open`].
///
/// What was there before is the parent's, and in force until there is one of its own. It is visible where the parent's
/// is mounted, and if entries of it go out of force that is said.
pub fn open(host: &Host, report: &mut Report) -> BinfmtMisc {
    let mut fs = BinfmtMisc::open(host.dir, false, true);
    // `unshare -Ur` leaves it the parent's mount namespace, where it must not mount. One of its own serves whoever
    // stays in it: this process, and the command it becomes. SAFETY: this process has one thread, and shares no
    // descriptors that the unsharing could close.
    if fs.failed() == Some(Errno::PERM) && host.stays && unsafe { call!(sys::__NR_unshare, sys::CLONE_NEWNS) } == 0 {
        fs = BinfmtMisc::open(host.dir, false, true);
    }
    if let Some(parent) = fs.parent() {
        say_what_is_hidden(&parent, report);
    }
    fs
}

fn say_what_is_hidden(parent: &BinfmtMisc, report: &mut Report) {
    let mut list = Output::text_only();
    let mut names = parent.entries();
    while let Some(name) = names.following() {
        if parent.is_enabled(name) {
            list.byte(b' ');
            list.put(name);
        }
    }
    if !list.is_blank() {
        report.say(Say::Hides, list.text(), Reason::NONE);
    }
}

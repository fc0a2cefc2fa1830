//! Opens binfmt_misc, and says why that cannot be.

use super::Context;
use super::observe::each_entry;
use crate::binfmt::{Access, BinfmtMisc, Entries, IfNone, Locked, OpenError, OpenErrorKind};
use crate::report::{Notice, Removal, Report};
use crate::sys::unshare_mount_namespace;
use heapless::Vec;
use rustix::mount::{UnmountFlags, unmount};

/// What binfmt_misc is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    Register,
    /// To remove what this list names.
    Remove(&'a [u8]),
}

/// Opens binfmt_misc to change it. `None` after having said why it cannot be opened.
///
/// The user namespace of rootless podman outlives every container, and is that of the user's next ones. One that is made
/// there by a container with nothing but this process would be empty when that has ended, and still hide the first
/// namespace's. So it is not made; nor is one made to remove something from it. After `--hold` and COMMAND it is as bad,
/// but meanwhile it is what was asked for. Whoever wants one all the same can mount it before.
pub fn open(purpose: Purpose, context: &Context, report: &mut Report) -> Option<BinfmtMisc> {
    let if_none = match purpose {
        Purpose::Remove(_) => IfNone::Leave,
        Purpose::Register if context.stays => IfNone::Mount,
        Purpose::Register => IfNone::MountOutsideContainer,
    };
    let open = || context.open_binfmt_misc(if_none);
    let mut opened = open();
    // `unshare -Ur` leaves this process in its parent's mount namespace, where it may not mount. One of its own serves
    // a process that stays in it.
    let not_permitted = OpenErrorKind::NotPermittedInUserNamespace;
    if context.stays
        && opened.as_ref().is_err_and(|error| error.kind == not_permitted)
        && unshare_mount_namespace().is_ok()
    {
        opened = open();
    }
    match opened {
        Ok(Some(binfmt_misc)) => {
            if let Some(hidden) = &binfmt_misc.hidden {
                say_what_is_hidden(hidden, context, report);
            }
            // Who removes entries need not mount it. While it is open it stays.
            if purpose != Purpose::Register && binfmt_misc.access == Access::MountedNow {
                _ = unmount(context.mount_point, UnmountFlags::DETACH);
            }
            return Some(binfmt_misc);
        }
        Ok(None) => match purpose {
            Purpose::Register => report.say(&Notice::WouldHide),
            Purpose::Remove(list) => report.say(&Removal::NothingRegistered(list)),
        },
        Err(error) => say_why(error, context, report),
    }
    None
}

/// Says why binfmt_misc cannot be opened.
pub fn say_why(error: OpenError, context: &Context, report: &mut Report) {
    let (mount_point, release) = (context.mount_point, context.release.as_bytes());
    report.say(&Notice::NotOpened { error, mount_point, release });
}

/// Waits until no other process changes it. `None` after having said why that cannot be.
pub fn lock<'a>(binfmt_misc: &'a BinfmtMisc, context: &Context, report: &mut Report) -> Option<Locked<'a>> {
    context.read(binfmt_misc.lock(), report)
}

/// Says which entries of the parent user namespace are out of force in this one: those that are enabled.
fn say_what_is_hidden(hidden: &Entries, context: &Context, report: &mut Report) {
    let mut names: Vec<u8, 1024> = Vec::new();
    each_entry(hidden, context, report, &mut |name, entry, _| {
        // As many as a line has room for.
        if entry.enabled {
            if !names.is_empty() {
                _ = names.push(b' ');
            }
            _ = names.extend_from_slice(name.to_bytes());
        }
    });
    if !names.is_empty() {
        report.say(&Notice::Hidden(&names));
    }
}

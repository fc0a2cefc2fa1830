//! How long registrations last.

use super::Context;
use super::access::say_why;
use super::observe::each_entry;
use crate::binfmt::{Access, BinfmtMisc, IfNone, Locked, OwnName, owner, set_pin};
use crate::machine::{NEW_MOUNT_CALLS, SecurityModule, UserNamespace};
use crate::report::{Notice, Report};
use rustix::io::{self, Errno};
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::getpid;

/// Makes the registrations last: by the pin, or in another user namespace by the mount, which ends with the namespace.
///
/// # Errors
/// Why that cannot be.
pub fn make_lasting(locked: &Locked, access: Access, context: &Context, report: &mut Report) -> io::Result<()> {
    match (context.user_namespace, access) {
        (UserNamespace::First, _) => set_pin(locked),
        // The pin would outlive another namespace.
        (UserNamespace::Unknown(errno), _) => {
            if context.release.version() >= NEW_MOUNT_CALLS {
                report.say(&Notice::UnknownUserNamespace(errno));
            }
            Err(errno)
        }
        // It could not be mounted.
        (UserNamespace::Other, Access::Detached) => Err(Errno::ACCESS),
        (UserNamespace::Other, Access::Mounted | Access::MountedNow) => {
            report.say(&Notice::ForUserNamespace(context.mount_point));
            Ok(())
        }
    }
}

/// Finds out whether the registrations last without a pin, which could not be set because of `error`, and says what is
/// to be said of it. `by_rule` is the name of an entry that a rule of the user's has made.
pub fn check_lasting(
    error: Errno,
    binfmt_misc: BinfmtMisc,
    by_rule: Option<&[u8]>,
    context: &Context,
    report: &mut Report,
) {
    let mount_point = context.mount_point;
    let access = binfmt_misc.access;
    // Something else may keep them: a mount elsewhere, or a kernel in which entries keep the file system.
    drop(binfmt_misc);
    // What the first process of a container has mounted is gone with it, and so must not count.
    if access == Access::MountedNow && !context.stays && getpid().is_init() {
        _ = unmount(mount_point, UnmountFlags::empty());
    }
    let mut any = false;
    let complete = match context.open_binfmt_misc(IfNone::Mount) {
        Ok(Some(again)) => each_entry(again.entries(), context, report, &mut |name, entry, _| {
            let name = name.to_bytes();
            any |= matches!(owner(name, entry), Some((_, OwnName::Entry))) || by_rule == Some(name);
        }),
        Ok(None) => true,
        Err(error) => return say_why(error, context, report),
    };
    if !complete {
        return;
    }
    if !any {
        report.say(&match SecurityModule::that_denied(error) {
            Some(module) => Notice::PinDenied(module, error),
            None => Notice::DoNotLast(mount_point, error),
        });
    } else if access != Access::Detached && !(error == Errno::NOSYS && context.release.version() < NEW_MOUNT_CALLS) {
        report.say(&Notice::LastWhileMounted(mount_point, error));
    }
}

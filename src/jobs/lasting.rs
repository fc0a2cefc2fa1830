//! How long registrations last.

use super::Context;
use crate::binfmt::{Access, BinfmtMisc, IfNone, OwnName, recognize, set_pin};
use crate::machine::NEW_MOUNT_CALLS;
use crate::report::{Notice, Report};
use rustix::io::{self, Errno};
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::getpid;

/// Makes the registrations last: by the pin, or in another user namespace by the mount, which ends with the namespace.
///
/// # Errors
/// Why that cannot be.
pub fn make_lasting(binfmt_misc: &BinfmtMisc, context: &Context, report: &mut Report) -> io::Result<()> {
    match (context.in_first_user_namespace, binfmt_misc.access) {
        (true, _) => set_pin(),
        // It could not be mounted.
        (false, Access::Detached) => Err(Errno::ACCESS),
        (false, Access::Mounted | Access::MountedNow) => {
            report.say(&Notice::ForUserNamespace(context.mount_point));
            Ok(())
        }
    }
}

/// Finds out whether the registrations last without a pin, which could not be set because of `error`, and says what is
/// to be said of it.
pub fn check_lasting(error: Errno, binfmt_misc: BinfmtMisc, context: &Context, report: &mut Report) {
    let mount_point = context.mount_point;
    let access = binfmt_misc.access;
    // Something else may keep them: a mount elsewhere, or a kernel in which entries keep the file system.
    drop(binfmt_misc);
    // What the first process of a container has mounted is gone with it, and so must not count.
    if access == Access::MountedNow && !context.stays && getpid().is_init() {
        _ = unmount(mount_point, UnmountFlags::empty());
    }
    let mut any = false;
    if let Ok(again) = context.open_binfmt_misc(IfNone::Mount) {
        let listed = again.entries().for_each(&mut |name, _| {
            any |= matches!(recognize(name.to_bytes()), Some((_, OwnName::Entry)));
        });
        if context.read(listed, report).is_none() {
            return;
        }
    }
    if !any {
        report.say(&Notice::DoNotLast(mount_point, error));
    } else if access != Access::Detached && !(error == Errno::NOSYS && context.release.version() < NEW_MOUNT_CALLS) {
        report.say(&Notice::LastWhileMounted(mount_point, error));
    }
}

//! Which namespaces these are.

use crate::errno::{Errno, Result};
use crate::fd::{Fd, HERE, mount, numbers};
use crate::kernel::{FSOPEN, Version};
use crate::text::Text;

/// The inode numbers of the first namespaces (`PROC_USER_INIT_INO` and `PROC_PID_INIT_INO` in
/// `include/linux/proc_ns.h`); all others have greater ones.
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;
const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// Whether this process is in the machine's first user namespace.
///
/// Where /proc is not mounted, one without a mount point tells. Where none can be had, the answer is yes: before Linux
/// 5.2 nothing depends on it.
pub fn in_first_user_namespace() -> bool {
    is(FIRST_USER_NAMESPACE, Text::new(c"/proc/self/ns/user")).unwrap_or(true)
}

/// Whether this process is in the machine's first PID namespace.
///
/// Found in the same way. Nothing that needs no /proc would do: a container's first process has the same process
/// number, parent, group and session. Where no /proc can be had because that is not permitted, or a filter hides the
/// calls that this `version` of the kernel has, it is a container, as the machine's init may do anything; where the
/// kernel is too old, or has no such file system or namespaces, it is taken for the machine, which must not be kept
/// from booting.
pub fn in_first_pid_namespace(version: Version) -> bool {
    let told = is(FIRST_PID_NAMESPACE, Text::new(c"/proc/self/ns/pid"));
    told.unwrap_or_else(|error| error != Errno::PERM && (error != Errno::NOSYS || version < FSOPEN))
}

fn is(inode: u64, path: Text) -> Result<bool> {
    let (_, mut own) = numbers(HERE, path);
    if own == 0 {
        // Relative to the root of the file system.
        let proc: Fd = mount(Text::new(c"proc"))?;
        (_, own) = numbers(proc, path.after(Text::new(c"/proc/")).unwrap_or(path));
    }
    if own == 0 { Err(Errno::NOENT) } else { Ok(own == inode) }
}

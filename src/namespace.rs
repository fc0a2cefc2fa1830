//! Which user namespace this is.

use crate::fd::{Fd, HERE, mount, numbers};
use crate::text::Text;

/// The inode number of the first user namespace (`PROC_USER_INIT_INO` in `include/linux/proc_ns.h`).
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// Whether this process is in the machine's first user namespace.
///
/// Where /proc is not mounted, one without a mount point tells. Where none can be had, the answer is yes: before Linux
/// 5.2 nothing depends on it.
#[inline(never)]
pub fn in_first_user_namespace() -> bool {
    let (_, mut own) = numbers(HERE, Text::new(c"/proc/self/ns/user"));
    if own == 0 {
        (_, own) = numbers(Fd::or_error(mount(Text::new(c"proc"))), Text::new(c"self/ns/user"));
    }
    own == 0 || own == FIRST_USER_NAMESPACE
}

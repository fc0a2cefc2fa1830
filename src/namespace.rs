//! Which user namespace this is.

use crate::fd::{HERE, mount, stat};
use core::ffi::CStr;

/// The inode number of the first user namespace (`PROC_USER_INIT_INO` in `include/linux/proc_ns.h`).
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// Whether this process is in the machine's first user namespace.
///
/// Where /proc is not mounted, one without a mount point tells. Where none can be had, the answer is yes: before Linux
/// 5.2 nothing depends on it.
pub fn in_first_user_namespace() -> bool {
    let is_first = |dir, path: &CStr| {
        let namespace = stat(dir, path).ok()?;
        Some(namespace.st_ino == FIRST_USER_NAMESPACE)
    };
    is_first(HERE, c"/proc/self/ns/user").or_else(|| is_first(mount(c"proc").ok()?, c"self/ns/user")).unwrap_or(true)
}

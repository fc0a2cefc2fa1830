//! In which namespaces this process is.

use super::file::open;
use super::kernel::{NEW_MOUNT_CALLS, Version};
use super::mount::mount_detached;
use core::ffi::CStr;
use rustix::fs::{AtFlags, CWD, OFlags, statat};
use rustix::io::{self, Errno, read};
use rustix::process::{Pid, getpid, getppid};

/// The inode numbers of the first namespaces (`PROC_USER_INIT_INO` and `PROC_PID_INIT_INO` in
/// `include/linux/proc_ns.h`). All others have greater ones.
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;
const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// In which user namespace this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserNamespace {
    /// The machine's first.
    First,
    /// Another one.
    Other,
    /// It could not be found out, because of this error.
    Unknown(Errno),
}

impl UserNamespace {
    /// Finds out. Where `/proc` is not mounted, a detached one is asked.
    pub fn of_this_process() -> Self {
        match has_inode(FIRST_USER_NAMESPACE, c"/proc/self/ns/user", c"self/ns/user") {
            Ok(true) => Self::First,
            Ok(false) => Self::Other,
            Err(error) => Self::Unknown(error),
        }
    }

    /// Whether nothing speaks against the first one.
    pub fn may_be_first(self) -> bool {
        self != Self::Other
    }
}

/// Whether this process is in the machine's first PID namespace.
///
/// It is found in the same way. Nothing without `/proc` would do: the first process of a container has the same process
/// number, parent, group and session. Where the answer is refused, or where a filter hides calls that this `version`
/// of the kernel has, this is a container, since the machine's init may do anything. Where the kernel is too old or has
/// no such file system or namespaces, it is taken for the machine: its boot must not stop.
pub fn in_first_pid_namespace(version: Version) -> bool {
    let told = has_inode(FIRST_PID_NAMESPACE, c"/proc/self/ns/pid", c"self/ns/pid");
    told.unwrap_or_else(|error| error != Errno::PERM && (error != Errno::NOSYS || version < NEW_MOUNT_CALLS))
}

/// Whether the file at `path`, or else at `path_in_proc` in a detached `/proc`, has this inode number.
fn has_inode(inode: u64, path: &CStr, path_in_proc: &CStr) -> io::Result<bool> {
    let stat = match statat(CWD, path, AtFlags::empty()) {
        Ok(stat) => stat,
        Err(_) => statat(mount_detached(c"proc")?, path_in_proc, AtFlags::empty())?,
    };
    Ok(stat.st_ino == inode)
}

/// Whether this process is all that a container is there for: its process 1, or the only child of a process 1 that does
/// nothing but wait for it (`podman run --init`). Where `/proc` does not tell of other children, there are none.
pub fn container_ends_with_this_process() -> bool {
    let has_siblings = || {
        let mut buffer = [0; 32];
        let children = open(CWD, c"/proc/1/task/1/children", OFlags::RDONLY);
        _ = children.and_then(|children| read(children, &mut buffer));
        buffer.iter().filter(|&&byte| byte == b' ').count() > 1 // one after each number
    };
    getpid().is_init() || getppid().is_some_and(Pid::is_init) && !has_siblings()
}

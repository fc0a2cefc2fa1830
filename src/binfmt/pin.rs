//! The pin: what makes registrations last.
//!
//! Since Linux commit 1c5976ef0f7a ("binfmt_misc: cleanup on filesystem umount", 6.7 and many stable kernels) all
//! entries are removed with the last mount of binfmt_misc. Before that each entry held the file system. The pin brings
//! that back: one more entry, whose interpreter is a file in a tree of mounts that has binfmt_misc mounted below it.
//! With the flag `F` the entry holds the file open, the file holds its mount, and that mount holds the one below it. So
//! the file system keeps itself alive, without a mount point in any namespace, until that entry is removed.

use super::access::Locked;
use super::entry::Entry;
use super::flags::Flags;
use crate::machine::{attach, enter_own_mount_namespace, mount_detached, open, run_in_child, write_all, write_file};
use core::ffi::CStr;
use rustix::fd::AsFd;
use rustix::fs::{CWD, Mode, OFlags, mkdirat};
use rustix::io::{self, Errno};
use rustix::mount::{OpenTreeFlags, open_tree};
use rustix::process::fchdir;

/// The name of the entry.
pub const NAME: &CStr = c"binfmt_register";

/// What the magic of the entry says. No program starts so.
const MAGIC: &[u8] = b"binfmt_register keeps binfmt_misc alive";

/// The rule of the entry. `file` is relative to the tree. `D`, which Linux 7.3 brings, registers it disabled.
static RULE: &[u8] = b":binfmt_register:M::binfmt_register keeps binfmt_misc alive::file:FD";

/// Whether this entry is the pin: another one may have its name.
pub fn is_pin(name: &CStr, entry: &Entry) -> bool {
    name == NAME && entry.flags == Flags::FIX_BINARY && entry.has_pattern(MAGIC, b"")
}

/// Sets the pin, while no other process of this tool does. It is done in a child process, so that the mount namespace and the working directory of this one stay
/// as they are.
///
/// # Errors
/// Those of the mount calls: `NOSYS` before Linux 5.2; `PERM` without `CAP_SYS_ADMIN`; `ACCESS` where a security module
/// (AppArmor's `docker-default`, for one) denies mounts.
pub fn set(_: &Locked) -> io::Result<()> {
    run_in_child(&mut set_here)
}

fn set_here() -> io::Result<()> {
    enter_own_mount_namespace()?;
    let tree = mount_detached(c"tmpfs")?;
    mkdirat(&tree, c"binfmt_misc", Mode::RWXU)?;
    write_file(tree.as_fd(), c"file", OFlags::CREATE, b"")?; // and closes it: a file open for writing cannot be executed
    // Only what is attached somewhere can hold another mount (until Linux 6.15).
    attach(&tree, CWD, c"/")?;
    attach(mount_detached(c"binfmt_misc")?, &tree, c"binfmt_misc")?;
    // The copy belongs to no namespace. When this process ends it is dissolved, but its mounts stay connected: one that
    // is in use, as that of the file is, keeps those below it.
    let copy = open_tree(
        &tree,
        c"",
        OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_RECURSIVE
            | OpenTreeFlags::AT_EMPTY_PATH,
    )?;
    fchdir(&copy)?;
    let register = open(CWD, c"binfmt_misc/register", OFlags::WRONLY)?;
    match write_all(&register, RULE) {
        // An older kernel does not know `D`.
        Err(Errno::INVAL) => {
            write_all(&register, RULE.strip_suffix(b"D").unwrap_or_default())?;
            write_file(CWD, c"binfmt_misc/binfmt_register", OFlags::empty(), b"0")
        }
        registered => registered,
    }
}

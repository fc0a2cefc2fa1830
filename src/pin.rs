//! The pin: what makes registrations last.
//!
//! Since Linux commit 1c5976ef0f7a ("binfmt_misc: cleanup on filesystem umount", 6.7 and many stable kernels) all
//! entries go with the last mount of binfmt_misc; before, each entry held the file system. The pin brings that back:
//! one entry whose interpreter is a file in a tree that has binfmt_misc mounted below it. With the flag `F` the entry
//! holds the file open, the file holds its mount, that mount holds its child: the file system keeps itself alive, with
//! no mount point in any namespace, until that entry is removed.

use crate::arch::{call, errno};
use crate::fd::{CREATE, HERE, WRITE, attach, copy_tree, go_to, make_directory, mount, write_file};
use crate::process::in_child;
use core::ffi::CStr;
use linux_raw_sys::general as sys;
use rustix::io::{Errno, Result};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// The name of the entry.
pub const NAME: &CStr = c"binfmt_register";

/// The entry: its magic is not the start of any program, and it is disabled at once. `file` is relative to the tree.
const LINE: &[u8] = b":binfmt_register:M::binfmt_register keeps binfmt_misc alive::file:F";

/// Sets the pin, in a child process: the caller's mount namespace and working directory stay as they are.
///
/// # Errors
/// Those of the mount calls: `NOSYS` before Linux 5.2; `PERM` without `CAP_SYS_ADMIN`; `ACCESS` where a security module
/// (AppArmor's `docker-default`, say) denies mounts.
pub fn set() -> Result<()> {
    match in_child(&mut || set_here().err().map_or(0, Errno::raw_os_error))? {
        0 => Ok(()),
        error => Err(errno(error)),
    }
}

fn set_here() -> Result<()> {
    // SAFETY: this process has one thread, and shares no descriptors that the unsharing could close.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }?;
    // What is mounted below must not reach the namespace this one was copied from. AppArmor may deny the one call and
    // not know the other.
    let slave = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change(c"/", slave).or_else(|error| make_root_slave().map_err(|_| error))?;
    let tree = mount(c"tmpfs")?;
    make_directory(tree, c"binfmt_misc")?;
    write_file(tree, c"file", CREATE, b"")?; // and closes it: what is open to be written is not executed
    // Only what is attached somewhere can be a place for another mount (until Linux 6.15).
    attach(tree, HERE, c"/")?;
    attach(mount(c"binfmt_misc")?, tree, c"binfmt_misc")?;
    // The copy belongs to no namespace. When this process ends it is taken apart, but connected: a mount that is still
    // in use, as the file's is, keeps those below it.
    go_to(copy_tree(tree)?)?;
    match write_file(HERE, c"binfmt_misc/register", WRITE, LINE) {
        Err(Errno::EXIST) => Ok(()), // another process was quicker
        Err(error) => Err(error),
        Ok(_) => write_file(HERE, c"binfmt_misc/binfmt_register", WRITE, b"0").map(drop),
    }
}

/// Keeps mounts made below `/` in this mount namespace out of others (`MS_SLAVE`, recursively), by `mount_setattr(2)`
/// (Linux 5.12).
///
/// # Errors
/// Those of the system call.
fn make_root_slave() -> Result<()> {
    let attributes = sys::mount_attr { attr_set: 0, attr_clr: 0, propagation: sys::MS_SLAVE.into(), userns_fd: 0 };
    // SAFETY: the path and the structure outlive the call, which changes neither.
    unsafe {
        call(
            sys::__NR_mount_setattr,
            sys::AT_FDCWD as usize,
            c"/".as_ptr() as usize,
            sys::AT_RECURSIVE as usize,
            &raw const attributes as usize,
            size_of_val(&attributes),
        )
    }
    .map(drop)
}

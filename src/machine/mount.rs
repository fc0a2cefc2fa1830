//! Mounts without a mount point, by the calls that Linux 5.2 brought; and mounts that nobody else sees.

use crate::sys::{make_mounts_slave, unshare_mount_namespace};
use core::ffi::CStr;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, fsconfig_create, fsmount, fsopen,
    mount_change, move_mount,
};

/// Mounts a file system of this type nowhere: it is reached through the descriptor, and gone with it. The kernel loads
/// the module that it needs.
///
/// # Errors
/// Those of `fsopen(2)`, `fsconfig(2)` and `fsmount(2)`. `NODEV`: the kernel has no such file system, not even as a
/// module. `NOSYS`: it is older than Linux 5.2, or a filter hides the calls.
pub fn mount_detached(file_system: &CStr) -> io::Result<OwnedFd> {
    let context = fsopen(file_system, FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}

/// Asks whether this process may mount a file system of this type, as far as that can be told without making one:
/// `fsconfig(2)` makes it, `fsopen(2)` does not.
///
/// # Errors
/// Those of `fsopen(2)`, as in [`mount_detached`]. `PERM`: without `CAP_SYS_ADMIN` in the user namespace that the mount
/// namespace belongs to.
pub fn may_mount(file_system: &CStr) -> io::Result<()> {
    fsopen(file_system, FsOpenFlags::FSOPEN_CLOEXEC).map(drop)
}

/// Mounts a detached mount at `path` in the directory `dir`.
///
/// # Errors
/// Those of `move_mount(2)`.
pub fn attach(mount: impl AsFd, dir: impl AsFd, path: &CStr) -> io::Result<()> {
    move_mount(mount, c"", dir, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}

/// Gives this process a mount namespace of its own, from which what is mounted there does not reach the one that it is a
/// copy of.
///
/// # Errors
/// Those of `unshare(2)` and `mount(2)`.
pub fn enter_own_mount_namespace() -> io::Result<()> {
    unshare_mount_namespace()?;
    // AppArmor may deny the one call and not know the other.
    let flags = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change(c"/", flags).or_else(|error| make_mounts_slave().map_err(|_| error))
}

//! SELinux: which interpreters it denies to other containers, and what makes them executable there.
//!
//! The kernel opens an interpreter once, for all (flag `F`), but SELinux looks at its label in each process that executes
//! it. The label of a container's file ends with the categories of that container, as in
//! `system_u:object_r:container_file_t:s0:c1022,c1023`, and a container that has not these may not read it. So the kernel
//! is given the same file by another file system, in which its label has none: a read-only overlay, which may say by what
//! label its files go.

use super::child::run_in_child;
use super::mount::{enter_own_mount_namespace, may_mount};
use super::path::{PathBuffer, join};
use core::ffi::CStr;
use rustix::fd::AsFd;
use rustix::fs::{fgetxattr, getxattr};
use rustix::io::{self, Errno};
use rustix::mount::{MountFlags, mount};

/// Room for a label.
type Label = [u8; 256];

/// A blank one.
const NO_LABEL: Label = [0; size_of::<Label>()];

/// Runs `register`, in which the kernel opens the interpreter at `path` in `directory`, so that SELinux lets other containers execute it. Returns
/// whether it does. It is done in a child process, so that nobody else sees what is mounted for it, and is gone with it;
/// the file that the kernel has opened stays. Where that cannot be, the interpreter is registered as it is.
///
/// # Errors
/// Those of `register`.
pub fn register_for_all(
    path: &CStr,
    directory: &CStr,
    register: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<bool> {
    let mut label = NO_LABEL;
    let Some(shared) = label_without_categories(path, &mut label) else { return register().map(|()| true) };
    let registered = run_in_child(&mut || {
        mount_with_label(directory, shared)?;
        match label_without_categories(path, &mut { NO_LABEL }) {
            None => register(),
            Some(_) => Err(Errno::XDEV), // a symbolic link leads out of the directory
        }
    });
    // The label of a file means nothing where there is no SELinux.
    registered.map(|()| true).or_else(|_| register().map(|()| may_mount(c"selinuxfs") == Err(Errno::NODEV)))
}

/// Mounts, in a mount namespace of this process's own, a read-only overlay over `directory`, of that itself.
fn mount_with_label(directory: &CStr, label: &[u8]) -> io::Result<()> {
    enter_own_mount_namespace()?;
    let mut buffer = PathBuffer::new();
    // It takes two directories, and there is always this one.
    let options = [b"lowerdir=", directory.to_bytes(), b":/dev,context=\"", label, b"\""];
    let options = join(&mut buffer, &options)?;
    mount(c"overlay", directory, c"overlay", MountFlags::RDONLY, options)
}

/// The label of a file, `user:role:type:level:categories`, up to the categories; `None` if it has no label, or one without.
fn label_without_categories<'a>(path: &CStr, label: &'a mut Label) -> Option<&'a [u8]> {
    let length = getxattr(path, c"security.selinux", &mut label[..]).ok()?;
    without_categories(label.get(..length)?)
}

/// Whether the label of a file ends with categories, so that SELinux denies it to containers that have not these.
pub fn has_categories(file: impl AsFd) -> bool {
    let mut label = NO_LABEL;
    let length = fgetxattr(file, c"security.selinux", &mut label[..]).unwrap_or(0);
    label.get(..length).and_then(without_categories).is_some()
}

fn without_categories(label: &[u8]) -> Option<&[u8]> {
    let (end, _) = label.iter().enumerate().filter(|(_, byte)| **byte == b':').nth(3)?;
    label.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_with_categories() {
        for (label, shared) in [
            ("system_u:object_r:container_file_t:s0:c1022,c1023\0", Some("system_u:object_r:container_file_t:s0")),
            ("u:r:t:s0-s0:c0.c1023", Some("u:r:t:s0-s0")),
            ("system_u:object_r:bin_t:s0\0", None),
            ("u:r:t", None),
            ("", None),
        ] {
            assert_eq!(without_categories(label.as_bytes()), shared.map(str::as_bytes), "{label:?}");
        }
    }
}

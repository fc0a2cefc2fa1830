//! The pin: what makes registrations last.
//!
//! Since Linux commit 1c5976ef0f7a ("binfmt_misc: cleanup on filesystem umount", 6.7 and many stable kernels) all
//! entries go with the last mount of binfmt_misc; before, each entry held the file system. The pin brings that back:
//! one entry whose interpreter is a file in a tree that has binfmt_misc mounted below it. With the flag `F` the entry
//! holds the file open, the file holds its mount, that mount holds its child: the file system keeps itself alive, with
//! no mount point in any namespace, until that entry is removed.

use crate::arch::call;
use crate::errno::{Errno, Result, check};
use crate::fd::{CREATE, Fd, HERE, WRITE, attach, copy_tree, go_to, make_directory, mount, write_file};
use crate::process::in_child;
use crate::text::Text;
use linux_raw_sys::general as sys;

/// The name of the entry.
pub const NAME: Text = Text::new(c"binfmt_register");

/// The entry: its magic is not the start of any program, and it is disabled at once. `file` is relative to the tree.
const LINE: &[u8] = b":binfmt_register:M::binfmt_register keeps binfmt_misc alive::file:F";

/// Sets the pin, in a child process: the caller's mount namespace and working directory stay as they are.
///
/// # Errors
/// Those of the mount calls: `NOSYS` before Linux 5.2; `PERM` without `CAP_SYS_ADMIN`; `ACCESS` where a security module
/// (AppArmor's `docker-default`, say) denies mounts.
pub fn set() -> Result<()> {
    match in_child(&mut set_here) {
        0 => Ok(()),
        // Of one that was killed there is no number.
        status if status > 0 => Err(Errno::of(status >> 8)),
        error => check(error).map(drop),
    }
}

/// Returns the number of the error, or 0.
fn set_here() -> i32 {
    let mut answer = 0;
    if steps(&mut answer).is_ok() { 0 } else { -answer }
}

/// Leaves in `answer` that of the last system call.
fn steps(answer: &mut i32) -> Result<()> {
    let mut done = |step: Result<i32>| {
        *answer = step.unwrap_or_else(Errno::answer);
        check(*answer)
    };
    // SAFETY: this process has one thread, and shares no descriptors that the unsharing could close.
    done(check(unsafe { call!(sys::__NR_unshare, sys::CLONE_NEWNS) }))?;
    // What is mounted below must not reach the namespace this one was copied from.
    done(keep_mounts_inside())?;
    let tree = Fd::or_error(mount(Text::new(c"tmpfs")));
    done(Ok(tree.number()))?;
    done(make_directory(tree, Text::new(c"binfmt_misc")))?;
    done(write_file(tree, Text::new(c"file"), CREATE, b""))?; // and closes it: what is open to be written is not executed
    // Only what is attached somewhere can be a place for another mount (until Linux 6.15).
    done(attach(tree, HERE, Text::new(c"/")))?;
    let binfmt_misc = Fd::or_error(mount(Text::new(c"binfmt_misc")));
    done(Ok(binfmt_misc.number()))?;
    done(attach(binfmt_misc, tree, Text::new(c"binfmt_misc")))?;
    // The copy belongs to no namespace. When this process ends it is taken apart, but connected: a mount that is still
    // in use, as the file's is, keeps those below it.
    let copy = Fd::or_error(copy_tree(tree));
    done(Ok(copy.number()))?;
    done(go_to(copy))?;
    let registered = write_file(HERE, Text::new(c"binfmt_misc/register"), WRITE, LINE);
    // Else another process was quicker.
    if registered != Err(Errno::EXIST) {
        done(registered)?;
        done(write_file(HERE, Text::new(c"binfmt_misc/binfmt_register"), WRITE, b"0"))?;
    }
    Ok(())
}

/// Keeps mounts made below `/` in this mount namespace out of others (`MS_SLAVE`, recursively), by `mount(2)` or
/// `mount_setattr(2)` (Linux 5.12): AppArmor may deny the one and not know the other.
///
/// # Errors
/// Those of `mount(2)`.
fn keep_mounts_inside() -> Result<i32> {
    static ATTRIBUTES: sys::mount_attr =
        sys::mount_attr { attr_set: 0, attr_clr: 0, propagation: sys::MS_SLAVE as u64, userns_fd: 0 };
    let root = c"/".as_ptr();
    // SAFETY: the path and the structure outlive the calls, which change neither; the other pointers are null.
    unsafe {
        let flags = (sys::MS_SLAVE | sys::MS_REC) as usize;
        let answer = call!(sys::__NR_mount, 0usize, root, 0usize, flags, 0usize);
        if answer < 0 {
            let other = call!(
                sys::__NR_mount_setattr,
                HERE.number(),
                root,
                sys::AT_RECURSIVE,
                &raw const ATTRIBUTES,
                size_of::<sys::mount_attr>()
            );
            if other >= 0 {
                return Ok(other);
            }
        }
        check(answer)
    }
}

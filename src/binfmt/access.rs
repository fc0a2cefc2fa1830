//! The ways to reach binfmt_misc to change it.

use super::entries::Entries;
use super::rule::Rule;
use crate::machine::{
    BINFMT_MISC_PER_USER_NAMESPACE, SecurityModule, UserNamespace, Version, attach, container_ends_with_this_process,
    may_mount, mount_detached, open, write_file,
};
use crate::sys::belongs_to_this_user_namespace;
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, FlockOperation, OFlags, flock};
use rustix::io::{self, Errno, write};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::thread::{Timespec, nanosleep};

/// Where binfmt_misc is usually mounted.
pub const MOUNT_POINT: &CStr = c"/proc/sys/fs/binfmt_misc";

/// How the file system was reached, and so how long it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It was mounted at the mount point.
    Mounted,
    /// It was mounted at the mount point just now, and is left there.
    MountedNow,
    /// By descriptor only, without a mount point.
    Detached,
}

/// binfmt_misc, open to be changed.
#[derive(Debug)]
pub struct BinfmtMisc {
    /// How it was reached.
    pub access: Access,
    /// What was in force before in this user namespace: its parent's file system, where that is mounted.
    pub hidden: Option<Entries>,
    entries: Entries,
    /// The file `register`, open for writing.
    register: OwnedFd,
}

/// binfmt_misc, while no other process of this tool changes it. Only this can write.
#[derive(Debug)]
pub struct Locked<'a>(&'a BinfmtMisc);

/// What to do in a user namespace, other than the first, that has no binfmt_misc of its own at the mount point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfNone {
    /// Mount it.
    Mount,
    /// Mount it, but not in a container that ends with this process and would take the mount with it.
    MountOutsideContainer,
    /// Leave it so. Already `fsconfig(2)` would make one, and that cannot be undone: it hides the parent's entries for
    /// as long as the user namespace exists, even when it is mounted nowhere any more and so empty (`bm_fill_super` in
    /// `fs/binfmt_misc.c`).
    Leave,
}

impl IfNone {
    fn mounts(self) -> bool {
        self == Self::Mount || self == Self::MountOutsideContainer && !container_ends_with_this_process()
    }
}

/// Why binfmt_misc cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenError {
    /// What it means here.
    pub kind: OpenErrorKind,
    /// The error of the call that failed.
    pub errno: Errno,
}

/// What it means that binfmt_misc cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenErrorKind {
    /// This is a user namespace, and the kernel has no binfmt_misc for these.
    NoneInUserNamespaces,
    /// This is a user namespace in which this process may not mount.
    NotPermittedInUserNamespace,
    /// This process has not the rights.
    NotPermitted,
    /// It may have them, but this module of the kernel denies it.
    DeniedBy(SecurityModule),
    /// The kernel has no binfmt_misc, not even as a module.
    NotInKernel,
    /// The mount point is missing.
    NoMountPoint,
    /// Anything else.
    Other,
}

impl OpenError {
    fn new(errno: Errno, user_namespace: UserNamespace, version: Version) -> Self {
        use OpenErrorKind::*;
        let kind = match errno {
            Errno::PERM if !user_namespace.may_be_first() && version < BINFMT_MISC_PER_USER_NAMESPACE => {
                NoneInUserNamespaces
            }
            Errno::PERM if !user_namespace.may_be_first() => NotPermittedInUserNamespace,
            Errno::PERM | Errno::ACCESS => SecurityModule::that_denied(errno).map_or(NotPermitted, DeniedBy),
            Errno::NODEV => NotInKernel,
            Errno::NOENT | Errno::NOTDIR => NoMountPoint,
            _ => Other,
        };
        Self { kind, errno }
    }
}

impl BinfmtMisc {
    /// Opens binfmt_misc only to look at it: what is mounted at `mount_point`, or else, in the first user namespace, a
    /// mount that nobody else sees. `None` if the kernel has none, or if nothing is mounted in another user namespace: to
    /// mount one there would hide the parent's.
    ///
    /// # Errors
    /// Those of the calls.
    pub fn look(mount_point: &CStr, user_namespace: UserNamespace) -> io::Result<Option<Entries>> {
        let mounted = Entries::mounted_at(mount_point)?;
        if mounted.is_some() || !user_namespace.may_be_first() {
            return Ok(mounted);
        }
        match Self::mount_new(mount_point) {
            Err(Errno::NODEV) => Ok(None),
            Err(error) => Err(error),
            Ok((access, entries)) => {
                if access == Access::MountedNow {
                    unmount(mount_point, UnmountFlags::DETACH)?; // it stays as long as it is open
                }
                Ok(Some(entries))
            }
        }
    }

    /// Opens binfmt_misc to change it: what is mounted at `mount_point`, or else a mount of its own, for which the
    /// kernel loads the module.
    ///
    /// In a user namespace other than the first what is mounted may be another namespace's. Then this namespace's own
    /// is mounted over it, because it is to last as long as the namespace, and a descriptor of this process would not.
    /// `None` if there is none of its own, and `if_none` forbids to mount it.
    ///
    /// # Errors
    /// Why it cannot be opened in any of these ways.
    pub fn open(
        mount_point: &CStr,
        user_namespace: UserNamespace,
        version: Version,
        if_none: IfNone,
    ) -> Result<Option<Self>, OpenError> {
        Self::reach(mount_point, user_namespace, if_none)
            .map_err(|errno| OpenError::new(errno, user_namespace, version))
    }

    fn reach(mount_point: &CStr, user_namespace: UserNamespace, if_none: IfNone) -> io::Result<Option<Self>> {
        let mut hidden = None;
        let mut is_there = user_namespace.may_be_first(); // there is always one, be it mounted or not
        match Entries::mounted_at(mount_point) {
            Ok(Some(entries)) if user_namespace.may_be_first() || belongs_to_this_user_namespace(entries.root()) => {
                match Self::enter(Access::Mounted, entries) {
                    // A mount that cannot be written does not keep the file system itself from being written.
                    Err(Errno::ROFS | Errno::ACCESS | Errno::PERM) => is_there = true,
                    entered => return entered.map(Some),
                }
            }
            Ok(entries) => hidden = entries,
            // What is mounted there is hidden from this process. The file system itself may not be.
            Err(Errno::ACCESS | Errno::PERM) if is_there || if_none != IfNone::Leave => {}
            Err(error) => return Err(error),
        }
        if !is_there && !if_none.mounts() {
            // Without rights nothing tells whose it is that is mounted, so that must not count as none.
            return may_mount(c"binfmt_misc").map(|()| None);
        }
        let (mut access, entries) = Self::mount_new(mount_point)?;
        if access == Access::Detached
            && !user_namespace.may_be_first()
            && attach(entries.root(), CWD, mount_point).is_ok()
        {
            access = Access::MountedNow;
        }
        Ok(Some(Self { hidden, ..Self::enter(access, entries)? }))
    }

    /// Mounts the file system: without a mount point, or where that cannot be, at `mount_point`.
    fn mount_new(mount_point: &CStr) -> io::Result<(Access, Entries)> {
        let asked = match mount_detached(c"binfmt_misc") {
            Ok(root) => return Ok((Access::Detached, Entries::of(root))),
            // There are no such calls (before Linux 5.2), a filter does not know them, or AppArmor denies them.
            Err(error @ (Errno::NOSYS | Errno::PERM | Errno::ACCESS)) => error,
            Err(error) => return Err(error),
        };
        let access = match mount(c"binfmt_misc", mount_point, c"binfmt_misc", MountFlags::empty(), None) {
            Ok(()) => Access::MountedNow,
            // It is mounted there already.
            Err(Errno::BUSY) => Access::Mounted,
            // That the mount point is missing counts only where there is no other way.
            Err(Errno::NOENT) if asked != Errno::NOSYS => return Err(asked),
            // The kernel itself makes this directory, if it has binfmt_misc.
            Err(Errno::NOENT) if mount_point == MOUNT_POINT && open(CWD, c"/proc/sys/fs", OFlags::PATH).is_ok() => {
                return Err(Errno::NODEV);
            }
            Err(error) => return Err(error),
        };
        Ok((access, Entries::mounted_at(mount_point)?.ok_or(Errno::NOENT)?))
    }

    fn enter(access: Access, entries: Entries) -> io::Result<Self> {
        let register = open(entries.root(), c"register", OFlags::WRONLY)?;
        Ok(Self { access, hidden: None, entries, register })
    }

    /// Its entries.
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Keeps the file system to look at only, in a way that lets others unmount it.
    pub fn into_entries(self) -> Entries {
        self.entries.without_mount_point()
    }

    /// Waits until no other process of this tool changes the file system (`flock(2)` on `register`, which only those
    /// can lock who can write it).
    ///
    /// # Errors
    /// Those of the call.
    pub fn lock(&self) -> io::Result<Locked<'_>> {
        loop {
            match flock(&self.register, FlockOperation::LockExclusive) {
                Err(Errno::INTR) => {}
                locked => return locked.map(|()| Locked(self)),
            }
        }
    }

    /// The same, but waits for 0.3 seconds at most, and then goes on without: for what takes no harm from what another
    /// process may be doing, and must not take longer.
    pub fn lock_or_go_on(&self) -> Locked<'_> {
        for _ in 0..30 {
            if flock(&self.register, FlockOperation::NonBlockingLockExclusive).is_ok() {
                break;
            }
            _ = nanosleep(&Timespec { tv_sec: 0, tv_nsec: 10_000_000 });
        }
        Locked(self)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        _ = flock(&self.0.register, FlockOperation::Unlock); // closing the file unlocks it too
    }
}

impl Locked<'_> {
    /// The entries.
    pub fn entries(&self) -> &Entries {
        &self.0.entries
    }

    /// Registers an entry, in one write.
    ///
    /// # Errors
    /// `EXIST`: the name is taken. `INVAL`: the kernel does not understand the rule. With the flag `F` also those of
    /// opening the interpreter.
    pub fn register(&self, rule: Rule) -> io::Result<()> {
        write(&self.0.register, rule.as_bytes()).map(drop)
    }

    /// Removes an entry. One that is not there, or that another process removes meanwhile, is removed.
    ///
    /// # Errors
    /// Those of `openat(2)` and `write(2)`.
    pub fn remove(&self, name: &CStr) -> io::Result<()> {
        match self.write(name, b"-1") {
            Err(Errno::NOENT) => Ok(()),
            removed => removed,
        }
    }

    /// Disables an entry, so that it never matches.
    ///
    /// # Errors
    /// As above.
    pub fn disable(&self, name: &CStr) -> io::Result<()> {
        self.write(name, b"0")
    }

    fn write(&self, name: &CStr, command: &[u8]) -> io::Result<()> {
        write_file(self.0.entries.root(), name, OFlags::empty(), command)
    }
}

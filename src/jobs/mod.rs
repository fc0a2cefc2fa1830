//! The jobs of the tool. Each reads as observe, plan, apply, report.

mod access;
mod apply;
mod explain;
mod full_status;
mod hold;
mod lasting;
mod observe;
mod print;
mod register;
mod rules;
mod status;
mod uninstall;

pub use explain::explain;
pub use full_status::print_full_status;
pub use hold::hold;
pub use print::{Printed, print};
pub use register::register;
pub use status::print_status;
pub use uninstall::{matches, uninstall};

use crate::binfmt::{BinfmtMisc, IfNone, OpenError};
use crate::machine::{Owners, Release, UserNamespace};
use crate::report::{Notice, Report};
use core::ffi::CStr;
use rustix::io;

/// Where a job is done.
#[derive(Debug)]
pub struct Context {
    /// The kernel's release.
    pub release: Release,
    /// Where binfmt_misc is, or is to be, mounted.
    pub mount_point: &'static CStr,
    /// In which user namespace this process is.
    pub user_namespace: UserNamespace,
    /// Whether this process stays after the job, by itself or as another program.
    pub stays: bool,
}

impl Context {
    fn open_binfmt_misc(&self, if_none: IfNone) -> Result<Option<BinfmtMisc>, OpenError> {
        BinfmtMisc::open(self.mount_point, self.user_namespace, self.release.version(), if_none)
    }

    /// Whose files are taken for root's.
    fn owners(&self) -> Owners {
        if self.user_namespace == UserNamespace::Other { Owners::RootOrUnmapped } else { Owners::Root }
    }

    /// What was read of binfmt_misc; `None` after having said why it could not be read.
    fn read<T>(&self, result: io::Result<T>, report: &mut Report) -> Option<T> {
        result.map_err(|errno| report.say(&Notice::NotRead(self.mount_point, errno))).ok()
    }
}

//! Where this runs.

use crate::kernel::Version;
use crate::text::Text;

/// Where this runs.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a> {
    /// The kernel's version.
    pub version: Version,
    /// Where binfmt_misc is, or is to be, mounted.
    pub dir: Text<'a>,
    /// Whether this is the machine's first user namespace.
    pub first: bool,
    /// Whether this process stays, by itself or as the command it becomes.
    pub stays: bool,
}

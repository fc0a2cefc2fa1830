//! The kernel's binfmt_misc file system: how to reach it, what it holds, and what is written to it.
//!
//! See the kernel's `Documentation/admin-guide/binfmt-misc.rst`.

mod access;
mod entries;
mod entry;
mod flags;
mod name;
mod pin;
mod rule;
mod target;
mod user_rule;

pub use access::{Access, BinfmtMisc, IfNone, Locked, MOUNT_POINT, OpenError, OpenErrorKind};
pub use entries::{Entries, TextBuffer};
pub use entry::Entry;
pub use flags::Flags;
pub use name::{OwnName, name_of, owner, recognize};
pub use pin::{NAME as PIN, is_pin, set as set_pin};
pub use rule::{Rule, RuleBuffer, RuleTooLong, hex};
pub use target::Target;
pub use user_rule::{Malformed, PatternBuffer, UserRule};

//! What stands in the lines for the names in braces.

use super::Names;
use crate::architecture::{Architecture, ByteOrder, Class};
use crate::report::Text;
use crate::report::template::fill;
use crate::report::text::write_number;
use core::fmt::{Display, Formatter, Result};

/// Writes one of the values.
pub(super) type Write = fn(&Names, &mut Formatter<'_>) -> Result;

/// The values that stand in templates.
pub(super) static VALUES: [(&str, Write); 18] = [
    ("file", |names, f| Text(names.file).fmt(f)),
    ("path", |names, f| Text(&names.path).fmt(f)),
    ("other", |names, f| Text(&names.other).fmt(f)),
    ("entry", |names, f| Text(&names.entry).fmt(f)),
    ("letters", |names, f| names.flags.fmt(f)),
    ("elsewhere", |names, f| Text(names.elsewhere).fmt(f)),
    ("rest", |names, f| Text(names.file.strip_prefix(names.elsewhere).unwrap_or(names.file)).fmt(f)),
    ("mount", |names, f| names.mount.iter().try_for_each(|part| Text(part).fmt(f))),
    ("owner", |names, f| fill(f, names.owner.template(), &|name, f| names.write_value(name, f))),
    ("root/", |names, f| Text(if names.root.is_empty() { b"/" } else { names.root }).fmt(f)),
    ("root", |names, f| {
        Text(names.root).fmt(f)?;
        f.write_str(if names.root.is_empty() || names.path.starts_with(b"/") { "" } else { "/" })
    }),
    ("level", |names, f| write_number(names.level.into(), 10, f)),
    ("error", |names, f| names.error.map_or(Ok(()), |error| error.fmt(f))),
    ("header", |names, f| {
        let Some(header) = names.header else { return Ok(()) };
        f.write_str(if header.class == Class::Elf64 { "64" } else { "32" })?;
        f.write_str(if header.byte_order == ByteOrder::Little { " bits, little" } else { " bits, big" })?;
        f.write_str("-endian, machine ")?;
        write_number(header.machine.into(), 10, f)?;
        f.write_str(", flags 0x")?;
        write_number(header.flags, 16, f)
    }),
    ("architecture", |names, f| write_architecture(names.own(), f)),
    ("target", |names, f| write_architecture(names.target, f)),
    ("install", |names, f| write_install("", names.own(), f)),
    ("replace", |names, f| write_install("REPLACE=true ", names.target, f)),
];

impl Names<'_> {
    /// Writes the value that stands in a template under this name.
    pub(super) fn write_value(&self, name: &[u8], f: &mut Formatter<'_>) -> Result {
        let value = VALUES.iter().find(|(known, _)| known.as_bytes() == name);
        value.map_or(Ok(()), |(_, write)| write(self, f))
    }

    /// The architecture of the file that is looked at.
    fn own(&self) -> Option<&'static Architecture> {
        self.header.and_then(|header| header.architecture())
    }
}

/// Writes the names of an architecture.
fn write_architecture(architecture: Option<&'static Architecture>, f: &mut Formatter<'_>) -> Result {
    let Some(architecture) = architecture else { return f.write_str("an unknown architecture") };
    Text(architecture.name()).fmt(f)?;
    let Some(platform) = architecture.platform() else { return Ok(()) };
    f.write_str(" (linux/")?;
    Text(platform).fmt(f)?;
    f.write_str(")")
}

/// Writes what to type to register an architecture.
fn write_install(variable: &str, architecture: Option<&Architecture>, f: &mut Formatter<'_>) -> Result {
    let Some(architecture) = architecture else {
        return f.write_str("try: an entry for it by hand, or put that file there");
    };
    f.write_str("try, as root: ")?;
    f.write_str(variable)?;
    f.write_str("binfmt_register --install ")?;
    Text(architecture.name()).fmt(f)
}

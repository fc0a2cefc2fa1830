//! The architectures: the rows of `qemu/targets`, which the build script turns into [`ARCHITECTURES`].

mod elf;
mod level;
mod pattern;
mod probe;
mod script;

pub use elf::{
    ByteOrder, Class, ET_DYN, ET_EXEC, ElfHeader, MACHINE_OFFSET, PT_GNU_PROPERTY, PT_INTERP, PT_LOAD, ProgramHeader,
    TYPE_OFFSET,
};
pub use level::{LEVELS, level_probe};
pub use pattern::{FILE_START_LENGTH, Pattern};
pub use probe::Probe;
pub use script::script_interpreter;

include!(concat!(env!("OUT_DIR"), "/architectures.rs"));

/// An architecture of QEMU's user-mode emulation.
#[derive(Debug)]
pub struct Architecture {
    /// Its names, separated by commas: QEMU's name of the target, those in OCI platforms, and others that are in use.
    pub names: &'static str,
    /// The class of its ELF files.
    pub class: Class,
    /// The byte order of its ELF files.
    pub byte_order: ByteOrder,
    /// `e_machine` of its ELF files.
    pub machine: u16,
    /// `e_flags` of its probe.
    pub flags: u32,
    /// The bits of `e_flags` that tell it from another architecture of the same class, byte order and machine; often 0.
    pub flags_mask: u32,
    /// What it is to the host.
    pub relation: Relation,
    /// The machine code of `exit(0)`.
    pub exit_code: &'static [u8],
}

/// What an architecture is to the host: the machine that this binary is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is the host's own.
    Host,
    /// The host's CPU and kernel may run it. Whether they do, only the kernel can tell.
    Related,
    /// The host cannot run it by itself.
    Foreign,
}

/// Each is one row of the table, which is there once.
impl PartialEq for Architecture {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }
}

impl Eq for Architecture {}

/// The OCI platforms that `tonistiigi/binfmt` knows, in its order, separated by blanks.
pub const PLATFORMS: &[u8] = b"amd64 amd64/v2 amd64/v3 amd64/v4 arm64 riscv64 ppc64 ppc64le s390x 386 mips64le mips64 \
    loong64 arm/v7 arm/v6";

impl Architecture {
    /// The architecture that `name` means: QEMU's name (`aarch64`) or an OCI platform (`arm64`, `linux/arm/v7`).
    pub fn find(name: &[u8]) -> Option<&'static Self> {
        ARCHITECTURES.iter().find(|architecture| architecture.is_called(name))
    }

    /// QEMU's name of the target, as in `qemu-NAME`.
    pub fn name(&self) -> &'static [u8] {
        self.all_names().next().unwrap_or_default()
    }

    /// All its names, that one first.
    pub fn all_names(&self) -> impl Iterator<Item = &'static [u8]> {
        self.names.as_bytes().split(|&byte| byte == b',')
    }

    /// Its OCI platform, without `linux/`; `None` if it has none.
    pub fn platform(&self) -> Option<&'static [u8]> {
        let mut known = PLATFORMS.split(|&byte| byte == b' ');
        known.find(|name| self.is_called(name)).or_else(|| self.all_names().nth(1))
    }

    /// Whether `name` means this architecture, with or without `linux/` before it and a version (`/v7`) after it.
    pub fn is_called(&self, name: &[u8]) -> bool {
        let name = name.strip_prefix(b"linux/").unwrap_or(name);
        self.all_names()
            .any(|own| name.strip_prefix(own).is_some_and(|rest| matches!(rest, [] | [b'/', b'v', b'1'..=b'9'])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            ("aarch64", Some("aarch64")),
            ("arm64", Some("aarch64")),
            ("linux/arm64", Some("aarch64")),
            ("arm64/v8", Some("aarch64")),
            ("linux/arm/v7", Some("arm")),
            ("arm/v6", Some("arm")),
            ("armhf", Some("arm")),
            ("amd64/v2", Some("x86_64")),
            ("386", Some("i386")),
            ("loong64", Some("loongarch64")),
            ("aarch64_be", Some("aarch64_be")),
            ("arm64/v", None),
            ("arm64/v0", None),
            ("arm64/v10", None),
            ("arm64/7", None),
            ("arm641", None),
            ("ppc6", None),
            ("riscv641", None),
            ("linux/", None),
            ("linux/linux/arm64", None),
            ("windows/arm64", None),
            ("ARM64", None),
            ("", None),
        ] {
            let found = Architecture::find(name.as_bytes()).map(Architecture::name);
            assert_eq!(found, expected.map(str::as_bytes), "{name}");
        }
    }

    #[test]
    fn platforms() {
        for (name, platform) in [
            ("x86_64", Some("amd64")),
            ("aarch64", Some("arm64")),
            ("arm", Some("arm/v7")),
            ("riscv64", Some("riscv64")),
            ("i386", Some("386")),
            ("mipsel", Some("mipsle")),
            ("alpha", None),
        ] {
            let architecture = Architecture::find(name.as_bytes()).unwrap();
            assert_eq!(architecture.platform(), platform.map(str::as_bytes), "{name}");
        }
    }

    #[test]
    fn the_host_is_one_of_them() {
        let hosts: std::vec::Vec<_> =
            ARCHITECTURES.iter().filter(|architecture| architecture.relation == Relation::Host).collect();
        assert_eq!(hosts.len(), 1);
        assert_eq!(hosts, [HOST]);
    }
}

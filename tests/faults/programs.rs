//! The programs of a run: interpreters that end at once, and programs of other architectures for them.

use crate::common::namespace::program_that_ends;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The architectures that are registered, by QEMU's name, and the machine in their ELF headers.
pub const ARCHES: [(&str, u8); 2] = [("aarch64", 183), ("riscv64", 243)];

/// The one that an entry of others handles.
pub const THEIRS: (&str, u8) = ("s390x", 22);

/// A program of this machine number, as far as it is looked at before it runs. For s390x, which is big-endian, only its
/// start: an interpreter that ends at once needs no more.
fn foreign(machine: u8) -> [u8; 128] {
    let mut elf = program_that_ends();
    elf[18] = machine;
    if machine == THEIRS.1 {
        elf = [0; 128];
        elf[..7].copy_from_slice(b"\x7fELF\x02\x02\x01");
        (elf[17], elf[19]) = (2, machine);
    }
    elf
}

/// Writes them below `place`: interpreters into `old/` and `new/`, programs as `program-ARCH`, and `true`.
pub fn write(place: &Path) {
    let executable = |name: String, content: &[u8]| {
        let path = place.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    // QEMU in its place would take most of the time, and what it does is not what is tested.
    let interpreter = program_that_ends();
    for (name, machine) in ARCHES.into_iter().chain([THEIRS]) {
        executable(format!("old/qemu-{name}"), &interpreter);
        executable(format!("new/qemu-{name}"), &interpreter);
        executable(format!("program-{name}"), &foreign(machine));
    }
    executable("new/qemu-i386".into(), &interpreter);
    executable("true".into(), &interpreter);
    let script = format!("#!{}\n", place.join("program-riscv64").display());
    executable("script".into(), script.as_bytes());
}

//! The programs of a run: interpreters that end at once, and programs of other architectures for them.

use crate::common::namespace::program_that_ends;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The architectures that are registered, by QEMU's name, and the machine in their ELF headers.
pub const ARCHES: [(&str, u8); 2] = [("aarch64", 183), ("riscv64", 243)];

/// The one that an entry of others handles.
pub const THEIRS: (&str, u8) = ("s390x", 22);

/// The start of a program of this machine number; big-endian for s390x. An interpreter that ends at once needs no more.
fn foreign(machine: u8) -> [u8; 128] {
    let mut elf = [0; 128];
    let big = machine == THEIRS.1;
    elf[..7].copy_from_slice(if big { b"\x7fELF\x02\x02\x01" } else { b"\x7fELF\x02\x01\x01" });
    for (at, value) in [(16, 2), (18, machine)] {
        elf[at + usize::from(big)] = value;
    }
    elf
}

/// Writes them below `place`: interpreters into `old/` and `new/`, programs as `program-ARCH`, and `true`.
pub fn write(place: &Path) {
    let executable = |name: String, content: [u8; 128]| {
        let path = place.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    // QEMU in its place would take most of the time, and what it does is not what is tested.
    let interpreter = program_that_ends();
    for (name, machine) in ARCHES.into_iter().chain([THEIRS]) {
        executable(format!("old/qemu-{name}"), interpreter);
        executable(format!("new/qemu-{name}"), interpreter);
        executable(format!("program-{name}"), foreign(machine));
    }
    executable("new/qemu-i386".into(), interpreter);
    executable("true".into(), interpreter);
}

//! The programs of a run: interpreters that end at once, and programs of other architectures for them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The architectures that are registered, by QEMU's name, and the machine in their ELF headers.
pub const ARCHES: [(&str, u8); 2] = [("aarch64", 183), ("riscv64", 243)];

/// The one that an entry of others handles.
pub const THEIRS: (&str, u8) = ("s390x", 22);

/// A program of this machine that exits with status 0. QEMU in its place would take most of the time, and what it does
/// is not what is tested.
fn interpreter() -> [u8; 128] {
    let mut elf = [0; 128];
    for (at, bytes) in [
        (0, &b"\x7fELF\x02\x01\x01"[..]),       // 64 bits, little-endian
        (16, b"\x02\0\x3e\0\x01"),              // ET_EXEC, EM_X86_64, version
        (24, b"\x78\0\x40"),                    // e_entry: behind the headers
        (32, b"\x40"),                          // e_phoff
        (52, b"\x40\0\x38\0\x01"),              // e_ehsize, e_phentsize, e_phnum
        (64, b"\x01\0\0\0\x05"),                // PT_LOAD, readable and executable
        (82, b"\x40"),                          // p_vaddr: 0x400000
        (96, b"\x80"),                          // p_filesz
        (104, b"\x80"),                         // p_memsz
        (113, b"\x10"),                         // p_align
        (120, b"\x31\xff\x6a\x3c\x58\x0f\x05"), // xor %edi, %edi; push $60; pop %rax; syscall
    ] {
        elf[at..at + bytes.len()].copy_from_slice(bytes);
    }
    elf
}

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
    for (name, machine) in ARCHES.into_iter().chain([THEIRS]) {
        executable(format!("old/qemu-{name}"), interpreter());
        executable(format!("new/qemu-{name}"), interpreter());
        executable(format!("program-{name}"), foreign(machine));
    }
    executable("new/qemu-i386".into(), interpreter());
    executable("true".into(), interpreter());
}

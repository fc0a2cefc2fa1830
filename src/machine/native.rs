//! Whether the machine runs programs of an architecture by itself, without a handler.

use super::probe::{NAME, ProbeError, memory_file, run_probe};
use crate::architecture::Architecture;
use crate::sys::execute_descriptor;
use rustix::fs::MemfdFlags;
use rustix::io::Errno;

/// Whether the machine runs programs of an architecture by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Native {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It could not be found out, because of this error.
    Unknown(ProbeError),
}

/// Asks the kernel whether it runs programs of the architecture, which must have no handler.
///
/// No process is made, since that would take most of the time. The kernel is given a program that ends where it should
/// name its dynamic linker. If it knows such programs, it misses the name (`EIO`, `load_elf_binary` in
/// `fs/binfmt_elf.c`); otherwise it does not look for the name (`ENOEXEC`). A handler cannot take the program either,
/// because its descriptor is closed on execution (`ENOENT`, `load_misc_binary` in `fs/binfmt_misc.c`). So this process
/// is never replaced.
pub fn is_native(architecture: &Architecture) -> Native {
    let asked = memory_file(&architecture.probe_without_interpreter_name(), MemfdFlags::CLOEXEC)
        .map(|file| execute_descriptor(file, NAME));
    match asked {
        Ok(Errno::IO) => Native::Yes,
        Ok(Errno::NOEXEC) => Native::No,
        // There may be no such file, no such call, a filter that forbids it, or a security module that insists on a file
        // with a name.
        Err(_) | Ok(Errno::NOENT | Errno::NOSYS | Errno::PERM) => match run_probe(None, architecture) {
            Ok(()) | Err(ProbeError::NotStarted(Errno::IO)) => Native::Yes,
            Err(ProbeError::Failed | ProbeError::NotStarted(Errno::NOEXEC)) => Native::No,
            Err(error) => Native::Unknown(error),
        },
        Ok(error) => Native::Unknown(ProbeError::NotStarted(error)),
    }
}

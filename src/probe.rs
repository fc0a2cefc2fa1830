//! Whether this machine executes programs of an architecture, natively or through a handler: found by doing it.

use crate::arch::call;
use crate::errno::{Errno, Result};
use crate::fd::{self, CREATE, Fd, HERE, PATH, STDERR, STDOUT, duplicate, open, size};
use crate::message::Reason;
use crate::process::{execute, in_child};
use crate::target::Target;
use crate::text::{BLANK, Text};
use core::mem::MaybeUninit;
use linux_raw_sys::general as sys;

/// What a probe is called.
const NAME: Text = Text::new(c"binfmt_probe");

/// CPU time in seconds that a probe may take: one that an emulator runs in circles with must not stop a boot.
static LIMIT: sys::rlimit64 = sys::rlimit64 { rlim_cur: 5, rlim_max: 5 };

/// Executes the target's probe from memory: no writable file system is needed.
///
/// Returns why it does not run: [`Reason::DIED`] if it was started, and did not exit with status 0;
/// [`Reason::ENOEXEC`] if nothing here knows such programs.
pub fn run(target: &Target) -> Reason {
    Reason::of(answer(target))
}

/// Why this machine does not execute programs of an architecture by itself, [`Reason::ENOEXEC`], or why nobody can
/// tell; found without executing any, as a process is what takes time.
///
/// The kernel is given a program that ends where it should name its dynamic linker. One that knows such programs misses
/// the name (`load_elf_binary` in `fs/binfmt_elf.c`: `EIO`), any other does not look for it. Nor can a handler take the
/// program, as it will be closed (`load_misc_binary` in `fs/binfmt_misc.c`: `ENOENT`). So this process goes on in any
/// case.
pub fn native(target: &Target) -> Reason {
    let mut room = MaybeUninit::uninit();
    let answer = match memory(target.cut_off(&mut room), sys::MFD_CLOEXEC) {
        Ok(file) => {
            let answer = execute(file, BLANK, NAME);
            // SAFETY: it is not used afterwards.
            unsafe { file.close() };
            answer
        }
        Err(error) => error.answer(),
    };
    let mut why = Reason::of(answer);
    // It may be the word of a security module, too: see `try_out`.
    if why == Reason::ENOENT {
        why = run(target);
    }
    match why {
        Reason::EIO => Reason::NONE,
        Reason::DIED => Reason::ENOEXEC,
        why => why,
    }
}

/// Puts a program into a file in memory.
#[inline(always)]
fn memory(program: &[u8], flags: u32) -> Result<Fd> {
    let file = fd::memory(NAME, flags)?;
    fd::write(file, program)?;
    Ok(file)
}

fn answer(target: &Target) -> i32 {
    let mut room = MaybeUninit::uninit();
    let program: &[u8] = target.probe(&mut room);
    // It stays open when it is executed: an entry without the flag `O` opens it again, as /dev/fd/N.
    let file = match memory(program, 0) {
        Ok(file) => file,
        Err(error) => return error.answer(),
    };
    let status = in_child(&mut || try_out(program, file));
    // Why it was not started is told by the length of the file: any exit status could be the program's own.
    let length = size(file) as i32;
    // SAFETY: it is not used afterwards.
    unsafe { file.close() };
    match program.len() as i32 - length {
        0 => status,
        error => error,
    }
}

fn try_out(program: &[u8], file: Fd) -> i32 {
    // SAFETY: the kernel reads the one structure and does not write to the other.
    unsafe { call!(sys::__NR_prlimit64, 0, sys::RLIMIT_CPU, &raw const LIMIT, 0usize) };
    // What an emulator may print is of no interest, and must not get between the lines of this tool's output.
    if let Ok(nowhere) = open(HERE, Text::new(c"/"), PATH) {
        _ = (duplicate(nowhere, STDOUT), duplicate(nowhere, STDERR));
    }
    let mut answer = execute(file, BLANK, NAME);
    // A security module (Tomoyo) may insist on finding /dev/fd/N, and there is none: one with a name.
    if answer == Errno::NOENT.answer() && named(program).is_ok() {
        answer = execute(HERE, NAME, NAME);
    }
    fd::lengthen(file, program.len().wrapping_sub(answer as usize));
    0
}

/// Makes a program in a file system of its own, which becomes the working directory.
fn named(program: &[u8]) -> Result<i32> {
    fd::go_to(fd::mount(Text::new(c"tmpfs"))?)?;
    fd::write_file(HERE, NAME, CREATE, program)
}

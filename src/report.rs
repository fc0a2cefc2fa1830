//! Output: text on its way to a descriptor, and the lines that say what was done.

use crate::fd::{Fd, write};
use crate::text::{pieces, put};
use heapless::Vec;
use rustix::io::Errno;

/// Text on its way to a descriptor, in as few writes as its buffer allows.
pub struct Output {
    descriptor: Fd,
    buffer: Vec<u8, 2048>,
    /// Whether something could not be written.
    pub failed: bool,
}

impl Output {
    /// Text on its way to `descriptor`.
    pub fn new(descriptor: Fd) -> Self {
        Self { descriptor, buffer: Vec::new(), failed: false }
    }

    /// Writes `bytes`, at the latest when [`Output::flush`] is called.
    pub fn put(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(1024) {
            if self.buffer.capacity() - self.buffer.len() < piece.len() {
                self.flush();
            }
            put(&mut self.buffer, piece);
        }
    }

    /// Writes `template`, filled in as [`pieces`] does, and ends the line.
    pub fn line(&mut self, template: &[u8], values: &[&[u8]]) {
        pieces(template, values, &mut |piece| self.put(piece));
        self.put(b"\n");
    }

    /// Writes out what is held back.
    pub fn flush(&mut self) {
        let mut rest = &*self.buffer;
        while !rest.is_empty() {
            match write(self.descriptor, rest) {
                Ok(length) => rest = rest.get(length..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(_) => {
                    self.failed = true;
                    break;
                }
            }
        }
        self.buffer.clear();
    }
}

/// The lines this tool says on standard error. What stands behind [`Say::CannotTell`] is a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Say {
    /// A new entry.
    Registered,
    /// A new entry, which takes precedence over somebody else's.
    RegisteredBefore,
    /// A new entry in the place of the one that was there.
    Replaced,
    /// Our entry was there and stays.
    Kept,
    /// Our entry was there and stays, though disabled.
    KeptDisabled,
    /// Somebody else's entry handles it.
    KeptOther,
    /// The machine runs it.
    Native,
    /// Nobody can tell whether the machine runs it.
    LeftAlone,
    /// The entries are this namespace's.
    Namespace,
    /// The entries last as long as a mount.
    WhileMounted,
    /// An entry was removed.
    Removed,
    /// There was no entry to remove.
    NothingRegistered,
    /// The pin stays.
    PinKept,
    /// As [`Say::LeftAlone`], of an architecture asked for by name. From here on: failures.
    CannotTell,
    /// Our name is taken by an entry for something else.
    NameTaken,
    /// The interpreter cannot serve.
    Unfit,
    /// The rule is longer than the kernel takes.
    TooLong,
    /// The kernel may not execute the interpreter.
    NotExecutable,
    /// The kernel did not take the rule.
    Refused,
    /// The old entry cannot be removed; it stays.
    Stuck,
    /// The probe did not run; the entry was taken back.
    Unproven,
    /// Registration mode, and the kernel is too old.
    TooOld,
    /// No interpreter at all.
    NoInterpreter,
    /// The entries do not outlive the process.
    Gone,
    /// No binfmt_misc: a user namespace on a kernel too old.
    NoNamespaces,
    /// No binfmt_misc: no permission.
    NotPermitted,
    /// No binfmt_misc: no permission in this user namespace.
    NotPermittedHere,
    /// No binfmt_misc in this kernel.
    NoModule,
    /// No binfmt_misc: nowhere to mount it.
    NoPlace,
    /// No binfmt_misc: another error.
    Unreachable,
    /// binfmt_misc is disabled as a whole.
    Off,
    /// An entry was not removed.
    NotRemoved,
    /// No entry and no architecture is called so.
    NoSuchEntry,
    /// No architecture is called so.
    NoSuchArchitecture,
    /// A variable has a value that is not allowed.
    Invalid,
    /// No such option.
    NoSuchOption,
    /// An option without its value.
    NoValue,
    /// Standard output cannot be written.
    NoOutput,
}

/// The lines themselves. Of an architecture, `%0` is its name, `%1` the interpreter, `%2` the flags, `%3` somebody
/// else's entry, `%4` the reason,
/// `%5` what was to be done.
const LINES: &[u8] = b"\
%0: registered %1 (%2)
%0: registered %1 (%2), before entry %3
%0: replaced by %1 (%2)
%0: kept, entry qemu-%0 handles it
%0: kept, entry qemu-%0 is disabled (REPLACE=true, or write 1 to it)
%0: kept, entry %3 handles it
%0: native, this machine runs it
%0: left alone, cannot tell whether this machine runs it: %4
registered for this user namespace, by the mount at %1
registered as long as binfmt_misc is mounted at %1, no pin (%0)
%0: removed
%0: nothing registered
%0: kept, entries of others may need it
%0: not %5: cannot tell whether this machine runs it: %4
%0: not %5: entry qemu-%0 is for other programs (REPLACE=true replaces it)
%0: not %5: %1: %4
%0: not %5: %1: too long for a rule
%0: not %5: %1: %4: make it executable, on a file system mounted without noexec
%0: not %5: %1: the kernel refuses it: %4
%0: not %5: entry qemu-%0 cannot be removed: %4
%0: taken back: no program runs through %1: %4
MODE=registration: needs Linux 4.8 or later, this is '%0'; use MODE=execution, or leave MODE blank
no interpreter %0/%1qemu-ARCH-static or %0/%1qemu-ARCH; QEMU_BINARY_PATH is the directory
gone with this process: no pin (%0), no mount at %1; mount binfmt_misc on the host or run with --privileged, or in a user namespace with a mount namespace
binfmt_misc: %0: a user namespace has its own from Linux 6.7 on, this is %2; run on the host
binfmt_misc: %0: run as root with CAP_SYS_ADMIN (docker run --privileged or --cap-add SYS_ADMIN)
binfmt_misc: %0: needs CAP_SYS_ADMIN in a mount namespace of this user namespace (unshare -Urm)
binfmt_misc: %0: this kernel has none; run 'modprobe binfmt_misc' on the host
binfmt_misc: %0: cannot mount it at %1; name another directory with --mount
binfmt_misc: %0: cannot open or mount it at %1
binfmt_misc: disabled as a whole, nothing is executed: write 1 to %0/status
%0: not removed: %1
%0: neither an entry nor an architecture
%0: unknown architecture; --help lists them
%0: '%1' is none of these: %2
%0: unknown option; see --help
--%0: needs a value; see --help
standard output: cannot be written
";

/// What is said on standard error.
pub struct Report {
    /// Where it goes.
    pub out: Output,
    /// Whether something asked for failed.
    pub failed: bool,
}

impl Report {
    /// Says a line; its places are filled with `values`.
    pub fn say(&mut self, line: Say, values: &[&[u8]]) {
        self.failed |= line as u8 >= Say::CannotTell as u8;
        self.out.line(crate::text::line(LINES, line as usize), values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::lines;

    #[test]
    fn every_line_has_its_text() {
        assert_eq!(lines(LINES).count(), Say::NoOutput as usize + 1);
        assert!(lines(LINES).nth(Say::TooOld as usize).unwrap().starts_with(b"MODE=registration"));
        assert!(lines(LINES).nth(Say::CannotTell as usize).unwrap().starts_with(b"%0: not %5: cannot tell"));
    }
}

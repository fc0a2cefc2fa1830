//! An entry as the kernel shows it: the text of its file in binfmt_misc (`entry_status` in `fs/binfmt_misc.c`).

use crate::elf::Start;
use crate::target::Target;
use crate::text::{List, Text};
use core::mem::MaybeUninit;

/// What is read of an entry: the first two are the places in [`Handler::bytes`].
const NAMES: List = List::new(b"mask \0magic \0offset \0\0");

/// What an entry says of itself.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Handler {
    /// For each of the first bytes of a program: which of its bits count, and what these are.
    bytes: [[u8; 2]; 256],
    /// Whether there is a magic: an entry without one matches by file extension.
    any: bool,
    /// A disabled entry is kept but never matched.
    pub enabled: bool,
}

/// Whether the entry of which the kernel shows `text` is enabled.
pub fn enabled(text: Text) -> bool {
    text.first() == b'e'
}

impl Handler {
    /// Reads the text. What it does not know it passes over, as later kernels may say more.
    pub fn parse<'a>(text: Text, room: &'a mut MaybeUninit<Self>) -> &'a Self {
        const NOTHING: Handler = Handler { bytes: [[0; 2]; 256], any: false, enabled: false };
        let handler = room.write(NOTHING);
        handler.enabled = enabled(text);
        let mut offset = 0;
        let mut line = text;
        while !line.is_blank() {
            for (kind, name) in NAMES.enumerate() {
                let Some(digits) = line.after(name) else { continue };
                for (at, digit) in digits.take_while(|&byte| byte > b' ').enumerate() {
                    let value = (digit & 15) + 9 * (digit >> 6);
                    let Some(byte) = handler.bytes.get_mut(offset + at / 2) else { break };
                    let [mask, _] = byte;
                    if kind == 1 {
                        handler.any = true;
                        *mask = 0xff;
                    }
                    match byte.get_mut(kind) {
                        Some(byte) => *byte = *byte << 4 | value,
                        None => offset = offset * 10 + usize::from(value),
                    }
                }
            }
            line.find(|&byte| byte == b'\n');
        }
        handler
    }

    /// Whether it would be given programs of `target`, be they position-independent or not.
    pub fn handles(&self, target: &Target) -> bool {
        let mut room = MaybeUninit::uninit();
        let program = target.probe(&mut room);
        // ET_EXEC (2), or ET_DYN (3) if that is asked for.
        let at = target.type_at();
        if let (Some(byte), Some([_, magic])) = (program.get_mut(at), self.bytes.get(at)) {
            *byte |= magic & 1;
        }
        self.matches(program)
    }

    /// Whether it would be given a file that starts so.
    pub fn matches(&self, start: &Start) -> bool {
        for (byte, [mask, magic]) in start.iter().zip(&self.bytes) {
            if (byte ^ magic) & mask != 0 {
                return false;
            }
        }
        self.any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    fn handler(text: &CStr) -> Handler {
        Handler::parse(Text::new(text), &mut MaybeUninit::uninit()).clone()
    }

    fn start(program: &[u8]) -> Start {
        let mut start = [0; 256];
        start[..program.len()].copy_from_slice(program);
        start
    }

    const QEMU_ARM: &CStr = c"enabled\ninterpreter /usr/bin/qemu-arm\nflags: POCF\noffset 0\n\
        magic 7f454c4601010100000000000000000002002800\nmask ffffffffffffff00fffffffffffffffffeffffff\n";

    #[test]
    fn reads_what_the_kernel_writes() {
        let handler = handler(QEMU_ARM);
        assert!(handler.enabled);
        let mut program = start(b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x28\0");
        assert!(handler.matches(&program));
        program[7] = 3; // EI_OSABI, masked
        assert!(handler.matches(&program));
        program[18] = 3; // e_machine
        assert!(!handler.matches(&program));
        assert!(!handler.matches(&start(b"\x7fELF")));
    }

    #[test]
    fn an_offset_and_a_missing_mask_count() {
        let handler = handler(c"disabled\ninterpreter /x\nflags: \noffset 12\nmagic 4a4B\n");
        assert!(!handler.enabled);
        assert!(handler.matches(&start(b"............JK")));
        assert!(!handler.matches(&start(b"............Jk")));
        assert!(!handler.matches(&start(b"JK")));
    }

    #[test]
    fn the_last_bytes_the_kernel_looks_at_count() {
        let handler = handler(c"enabled\ninterpreter /x\nflags: \noffset 254\nmagic 4a4b\nmask ff0f\n");
        assert!(!handler.matches(&start(b"JK")));
        let mut program = [0; 256];
        program[254..].copy_from_slice(b"J[");
        assert!(handler.matches(&program));
        program[255] = b'J';
        assert!(!handler.matches(&program));
    }

    #[test]
    fn an_extension_and_garbage_match_no_program() {
        for text in [c"enabled\ninterpreter /x\nflags: \nextension .exe\n", c"", c"enabled", c"magic ", c"\xff\xfe"] {
            assert!(!handler(text).matches(&start(b"MZ")), "{text:?}");
            assert!(!handler(text).matches(&[0; 256]), "{text:?}");
        }
        handler(c"offset 99999999999999999999999\nmagic 00\n"); // no overflow
    }
}

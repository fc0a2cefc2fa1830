//! Text for a descriptor.

use crate::sys::{stderr, stdout};
use core::fmt;
use heapless::Vec;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, write};

/// The kernel's log shows about a thousand bytes of one write, with what it puts before each line.
const LOG_WRITE: usize = 400;

/// Where text goes.
#[derive(Debug)]
pub enum Sink {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The kernel's log.
    KernelLog(OwnedFd),
}

/// Collects text and writes it in as few calls as its buffer allows.
#[derive(Debug)]
pub struct Writer {
    buffer: Vec<u8, 2048>,
    sink: Sink,
    /// Whether something could not be written.
    pub failed: bool,
}

impl Sink {
    fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stdout => stdout(),
            Self::Stderr => stderr(),
            Self::KernelLog(log) => log.as_fd(),
        }
    }
}

impl Writer {
    /// A writer to `sink`.
    pub fn new(sink: Sink) -> Self {
        Self { buffer: Vec::new(), sink, failed: false }
    }

    /// Writes bytes, at the latest when [`Writer::flush`] is called.
    pub fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.buffer.is_full() {
                self.flush();
            }
            _ = self.buffer.push(*byte); // there is room
        }
    }

    /// To be called at the end of each line: the kernel's log takes only some at once.
    pub fn end_line(&mut self) {
        if matches!(self.sink, Sink::KernelLog(_)) && self.buffer.len() > LOG_WRITE {
            self.flush();
        }
    }

    /// A number for what is collected, which is another one for another text (FNV-1a, of 32 bits).
    pub fn digest(&self) -> u64 {
        let add = |digest: u32, byte: &u8| (digest ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        self.buffer.iter().fold(0x811c_9dc5, add).into()
    }

    /// Writes out what was collected. What cannot be written is lost, and has `failed`.
    pub fn flush(&mut self) {
        let mut rest = &*self.buffer;
        while !rest.is_empty() {
            match write(self.sink.descriptor(), rest) {
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

impl fmt::Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}

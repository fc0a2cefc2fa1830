//! What the tool says: outcomes and errors as types, their words as [`Display`], and the writer.

mod errors;
mod explanation;
mod json;
mod notice;
mod outcome;
mod rules;
mod template;
mod text;
mod writer;

pub use explanation::{Explanation, Finding, Names, Owner, Reason};
pub use notice::{NotExecuted, Notice, Removal};
pub use outcome::{Failure, Line, Outcome};
pub use rules::{RuleLine, RuleNotice};
pub use text::Text;
pub use writer::{Sink, Writer};

use core::fmt::{Display, Write};

/// A line for standard error.
pub trait Message: Display {
    /// How much it matters.
    fn severity(&self) -> Severity;
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing was done, or it tells how things are. A holder says it once.
    Unchanged,
    /// Something was done.
    Notable,
    /// Something that was asked for failed.
    Failure,
}

/// What is said on standard error, and whether something failed.
#[derive(Debug)]
pub struct Report {
    /// What is said and not written out yet.
    pub writer: Writer,
    /// Whether a failure was said.
    pub failed: bool,
    /// Whether it was said that something was done.
    pub news: bool,
    /// Whether lines about what did not change are left out.
    pub only_news: bool,
}

impl Report {
    /// A report that is written to `sink`. Nothing is said yet.
    pub fn new(sink: Sink) -> Self {
        Self { writer: Writer::new(sink), failed: false, news: false, only_news: false }
    }

    /// Says a message.
    pub fn say(&mut self, message: &dyn Message) {
        let severity = message.severity();
        if severity == Severity::Unchanged && self.only_news {
            return;
        }
        self.news |= severity == Severity::Notable;
        self.failed |= severity == Severity::Failure;
        _ = writeln!(self.writer, "{message}"); // what cannot be said must not stop a registration
        self.writer.end_line();
    }

    /// Writes out what was said.
    pub fn flush(&mut self) {
        self.writer.flush();
    }
}

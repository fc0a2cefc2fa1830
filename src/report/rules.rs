//! What is said of files with rules of the user's.

use super::errors::ErrnoName;
use super::text::write_number;
use super::{Message, Severity, Text};
use crate::binfmt::{Malformed, Target};
use crate::machine::{NoLine, Place};
use core::fmt::{Display, Formatter, Result};

/// What is said of a line, or of a file, with rules of the user's.
#[derive(Clone, Copy, Debug)]
pub enum RuleNotice<'a> {
    /// There is no line to be had.
    NoLine(NoLine),
    /// The line is no rule.
    Malformed(Malformed),
    /// A rule before it has the same name.
    SameName,
    /// There are more rules than this tool takes.
    TooMany,
    /// The interpreter of this rule, which has the flag `F`, is dynamically linked.
    Dynamic(Target<'a>),
}

/// The line about a place in a file.
#[derive(Debug)]
pub struct RuleLine<'a>(pub Place<'a>, pub RuleNotice<'a>);

impl Message for RuleLine<'_> {
    fn severity(&self) -> Severity {
        match self.1 {
            RuleNotice::Dynamic(_) => Severity::Unchanged,
            _ => Severity::Failure,
        }
    }
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        Text(self.file).fmt(f)?;
        if self.line == 0 {
            return Ok(());
        }
        f.write_str(":")?;
        write_number(self.line, 10, f)
    }
}

impl Display for RuleLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.fmt(f)?;
        f.write_str(": ")?;
        let words = match self.1 {
            RuleNotice::NoLine(NoLine::TooLong) => Malformed::TooLong.words(),
            RuleNotice::NoLine(NoLine::Unreadable(errno)) => {
                f.write_str("rules cannot be read: ")?;
                return ErrnoName(errno).fmt(f);
            }
            RuleNotice::NoLine(NoLine::NoFile) => "no such file or directory; RULES or --rules names it",
            RuleNotice::NoLine(NoLine::TooManyPaths) => "too many paths; RULES takes 16 directories",
            RuleNotice::Malformed(malformed) => malformed.words(),
            RuleNotice::SameName => "a rule before this one has the same name, and counts",
            RuleNotice::TooMany => "too many rules, from here on; RULES takes 512",
            RuleNotice::Dynamic(target) => {
                target.fmt(f)?;
                ": dynamically linked, so in spite of flag F it serves only where its dynamic linker is"
            }
        };
        f.write_str(words)
    }
}

impl Malformed {
    fn words(self) -> &'static str {
        match self {
            Self::TooLong => "longer than the 1920 bytes that the kernel takes",
            Self::Nul => "has a NUL byte in it",
            Self::Delimiter => "the first byte separates the fields, and cannot be a letter, a digit, '/' or '\\'",
            Self::Fields => "not the seven fields of :NAME:TYPE:OFFSET:MAGIC:MASK:INTERPRETER:FLAGS",
            Self::Name => "the name is blank, '.', '..', or has a slash in it",
            Self::LongName => "the name is longer than 251 bytes",
            Self::NameTaken => "the name is taken: register, status and binfmt_register are no entries",
            Self::Type => "the type is neither M (magic) nor E (extension)",
            Self::Offset => "the offset is no decimal number",
            Self::NoMagic => "the magic is blank",
            Self::Escape => "\\x needs two hexadecimal digits",
            Self::MaskLength => "the mask is not as long as the magic",
            Self::Beyond => "the magic ends behind the first 256 bytes of a file (128 before Linux 5.1)",
            Self::Extension => "the extension is blank, or has a slash or a period in it",
            Self::Interpreter => "the interpreter is no absolute path of a file",
            Self::LongInterpreter => "the path of the interpreter is longer than 127 bytes (before Linux 4.14)",
            Self::Flag => "a flag is none of P, O, C and F, nor of T, L and D, which come with Linux 7.3",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binfmt::{PatternBuffer, UserRule};
    use crate::machine::{Unfit, Version};
    use crate::plan::Refusal;
    use crate::report::{Line, Outcome};
    use rustix::io::Errno;
    use std::string::ToString;

    const PLACE: Place = Place { file: b"/etc/binfmt.d/x.conf", line: 1024 };

    #[test]
    fn every_line() {
        let line = |place, notice| RuleLine(place, notice).to_string();
        let whole = Place { line: 0, ..PLACE };
        assert_eq!(
            line(whole, RuleNotice::NoLine(NoLine::Unreadable(Errno::IO))),
            "/etc/binfmt.d/x.conf: rules cannot be read: EIO"
        );
        assert_eq!(
            line(PLACE, RuleNotice::Malformed(Malformed::NoMagic)),
            "/etc/binfmt.d/x.conf:1024: the magic is blank"
        );
        for (notice, part) in [
            (RuleNotice::NoLine(NoLine::TooLong), "1920"),
            (RuleNotice::NoLine(NoLine::NoFile), "no such file"),
            (RuleNotice::NoLine(NoLine::TooManyPaths), "16"),
            (RuleNotice::SameName, "same name"),
            (RuleNotice::TooMany, "512"),
        ] {
            let text = line(PLACE, notice);
            assert!(text.starts_with("/etc/binfmt.d/x.conf:1024: ") && text.contains(part), "{text}");
            assert_eq!(RuleLine(PLACE, notice).severity(), Severity::Failure);
        }
    }

    #[test]
    fn what_became_of_a_rule() {
        let mut digits = PatternBuffer::new();
        let text = b":wine:M::MZ::/usr/bin/wine:P";
        let rule = UserRule::parse(text, PLACE, Version::new(6, 1), &mut digits).unwrap();
        let target = Target::Rule(&rule);
        let line = |outcome| Line { target, outcome }.to_string();
        assert_eq!(line(Outcome::Registered { other: None }), "wine: registered /usr/bin/wine (P)");
        assert_eq!(
            line(Outcome::Refused(Refusal::NameTaken)),
            "/etc/binfmt.d/x.conf:1024: wine: not registered: entry wine is for other programs (REPLACE=true replaces it)"
        );
        assert_eq!(
            line(Outcome::Refused(Refusal::Unfit(Unfit::Missing))),
            "/etc/binfmt.d/x.conf:1024: wine: not registered: /usr/bin/wine: no such file here"
        );
        assert_eq!(
            line(Outcome::StandInStays(Errno::PERM)),
            "/etc/binfmt.d/x.conf:1024: wine: entry wine.new cannot be removed: EPERM; the next run tries again"
        );
        let dynamic = RuleLine(PLACE, RuleNotice::Dynamic(target));
        assert!(dynamic.to_string().starts_with("/etc/binfmt.d/x.conf:1024: /usr/bin/wine: dynamically linked"));
        assert_eq!(dynamic.severity(), Severity::Unchanged);
    }
}

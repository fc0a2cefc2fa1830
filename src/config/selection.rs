//! Which architectures are asked for.

use crate::architecture::{ARCHITECTURES, Architecture};
use heapless::Vec;

/// Which architectures are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // there is only one, and no heap to put a part of it on
pub enum Selection {
    /// Nothing is said: every one whose interpreter is there.
    Available,
    /// `all`: the same; in execution mode, where the interpreter need not be here, all there are.
    All,
    /// These. What cannot be had of them is a failure.
    Named(Vec<&'static Architecture, { ARCHITECTURES.len() }>),
}

/// The words of a list, separated by commas or blanks.
pub fn words(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte <= b' ' || byte == b',').filter(|word| !word.is_empty())
}

impl Selection {
    /// Adds what `word` means.
    ///
    /// # Errors
    /// The word, if it means nothing. The selection is one of named architectures then, or still all.
    pub fn add<'a>(&mut self, word: &'a [u8]) -> Result<(), &'a [u8]> {
        if word == b"all" {
            *self = Self::All;
            return Ok(());
        }
        if *self == Self::Available {
            *self = Self::Named(Vec::new());
        }
        let architecture = Architecture::find(word).ok_or(word)?;
        match self {
            Self::Named(architectures) if !architectures.contains(&architecture) => {
                _ = architectures.push(architecture); // there is room for each
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the architecture is among them.
    pub fn includes(&self, architecture: &Architecture) -> bool {
        match self {
            Self::Available | Self::All => true,
            Self::Named(architectures) => architectures.contains(&architecture),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &'static str) -> Result<Selection, &'static [u8]> {
        let mut selection = Selection::Available;
        words(list.as_bytes()).try_for_each(|word| selection.add(word))?;
        Ok(selection)
    }

    fn names(list: &'static str) -> std::vec::Vec<&'static str> {
        match read(list).unwrap() {
            Selection::Named(architectures) => {
                architectures.iter().map(|architecture| core::str::from_utf8(architecture.name()).unwrap()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lists_of_architectures() {
        assert_eq!(names("arm64"), ["aarch64"]);
        assert_eq!(names(" riscv64,,linux/arm/v7\taarch64 arm64,"), ["riscv64", "arm", "aarch64"]);
        assert_eq!(read("arm64,all"), Ok(Selection::All));
        assert_eq!(read("all,arm64"), Ok(Selection::All));
        assert_eq!(read(" ,"), Ok(Selection::Available));
        for list in ["arm64,amr64", "all,amr64", "amr64,all"] {
            assert_eq!(read(list), Err(b"amr64".as_slice()), "{list}");
        }
        let arm64 = Architecture::find(b"arm64").unwrap();
        assert!(read("arm64").unwrap().includes(arm64) && read("all").unwrap().includes(arm64));
        assert!(!read("riscv64").unwrap().includes(arm64));
    }
}

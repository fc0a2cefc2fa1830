//! The flags of an entry.

use bitflags::bitflags;

bitflags! {
    /// The flags of an entry, as the kernel documentation describes them.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Flags: u8 {
        /// `P`: the interpreter gets the program's `argv[0]` in addition to its path.
        const PRESERVE_ARGV0 = 1;
        /// `O`: the kernel opens the program and passes the descriptor, so that the interpreter can execute a program
        /// that it may not read, or that has no path.
        const OPEN_BINARY = 1 << 1;
        /// `C`: the rights of the new process come from the program, as with a setuid one, and not from the interpreter.
        const CREDENTIALS = 1 << 2;
        /// `F`: the interpreter is opened when it is registered, not when it is needed.
        const FIX_BINARY = 1 << 3;
        /// Any other letter, except for those that do not change which programs the interpreter gets.
        const UNKNOWN = 1 << 4;
    }
}

/// The letters of the flags, in the order in which the kernel shows them.
static LETTERS: [(Flags, char); 4] =
    [(Flags::PRESERVE_ARGV0, 'P'), (Flags::OPEN_BINARY, 'O'), (Flags::CREDENTIALS, 'C'), (Flags::FIX_BINARY, 'F')];

/// Whether the letter is one of Linux 7.3 that does not change which programs the interpreter gets: `T`, transparent to the
/// program, or `D`, registered disabled.
fn is_harmless(letter: u8) -> bool {
    matches!(letter, b'T' | b'D')
}

impl Flags {
    /// The flags that the letters stand for.
    pub fn read(letters: &[u8]) -> Self {
        letters.iter().filter(|letter| !is_harmless(**letter)).fold(Self::empty(), |flags, letter| {
            let known = LETTERS.iter().find(|(_, known)| *known as u8 == *letter);
            flags | known.map_or(Self::UNKNOWN, |(flag, _)| *flag)
        })
    }

    /// The letters of the flags that are set, in the order in which the kernel shows them.
    pub fn letters(self) -> impl Iterator<Item = char> {
        LETTERS.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, letter)| *letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters() {
        let letters = |flags: Flags| flags.letters().collect::<std::string::String>();
        assert_eq!(letters(Flags::all()), "POCF");
        assert_eq!(letters(Flags::OPEN_BINARY | Flags::FIX_BINARY), "OF");
        assert_eq!(letters(Flags::empty()), "");
        for word in ["POCF", "OF", "", "C"] {
            assert_eq!(letters(Flags::read(word.as_bytes())), word);
        }
        assert_eq!(Flags::read(b"TFD"), Flags::FIX_BINARY);
        assert_eq!(Flags::read(b"FL"), Flags::FIX_BINARY | Flags::UNKNOWN);
    }
}

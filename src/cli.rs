//! The command line.

use crate::sys::{Strings, strip_prefix};
use core::ffi::CStr;

/// What was asked for by options.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// `--install`: a list of architectures.
    pub install: Option<&'static CStr>,
    /// `--uninstall`: a list of architectures, entries and patterns.
    pub uninstall: Option<&'static CStr>,
    /// `--rules`: files and directories with rules of the user's.
    pub rules: Option<&'static CStr>,
    /// `--mount`: where binfmt_misc is, or is to be, mounted.
    pub mount: Option<&'static CStr>,
    /// `--status`
    pub status: bool,
    /// `--status=full`
    pub full_status: bool,
    /// `--print`
    pub print: bool,
    /// `--interpreters`
    pub interpreters: bool,
    /// `--hold`
    pub hold: bool,
    /// `--explain`
    pub explain: bool,
    /// The files that are to be explained.
    pub files: Option<Strings>,
    /// `--root`: their root directory.
    pub root: Option<&'static CStr>,
    /// `--version`
    pub version: bool,
    /// `--help`
    pub help: bool,
    /// Whether it was started under the name `binfmt`, to stand in for `tonistiigi/binfmt`.
    pub stands_in: bool,
    /// The command after `--`, and its arguments. `None` if there is no `--`, or nothing after it.
    pub command: Option<Strings>,
}

/// Wrong usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// There is no such option, or not here.
    UnknownOption(&'static CStr),
    /// The option needs a value.
    NoValue(&'static CStr),
    /// The option comes after a file.
    AfterFile(&'static CStr),
}

/// An option. To add one takes a field in [`Options`], a row in [`OPTIONS`], and a use.
#[derive(Debug)]
pub struct CommandLineOption {
    /// Its name, without the dashes.
    name: &'static str,
    /// Whether a value follows it.
    takes_value: bool,
    /// Its line in `--help`.
    pub help: &'static str,
    /// Notes that it was given, with its value if it takes one.
    set: fn(&mut Options, &'static CStr),
}

/// All options.
pub static OPTIONS: [CommandLineOption; 13] = [
    CommandLineOption {
        name: "install",
        takes_value: true,
        help: "  --install LIST    register these architectures, or all\n",
        set: |options, value| options.install = Some(value),
    },
    CommandLineOption {
        name: "uninstall",
        takes_value: true,
        help: "  --uninstall LIST  remove entries: architectures, names, 'qemu-*'\n",
        set: |options, value| options.uninstall = Some(value),
    },
    CommandLineOption {
        name: "rules",
        takes_value: true,
        help: "  --rules PATH      register the rules of these files, too, as RULES does\n",
        set: |options, value| options.rules = Some(value),
    },
    CommandLineOption {
        name: "status",
        takes_value: false,
        help: "  --status          what this machine executes now, as JSON\n",
        set: |options, _| options.status = true,
    },
    CommandLineOption {
        name: "status=full",
        takes_value: false,
        help: "  --status=full     all entries, and where they are, as JSON; VERIFY: what runs\n",
        set: |options, _| options.full_status = true,
    },
    CommandLineOption {
        name: "print",
        takes_value: false,
        help: "  --print           the rules, for binfmt.d; changes nothing\n",
        set: |options, _| options.print = true,
    },
    CommandLineOption {
        name: "interpreters",
        takes_value: false,
        help: "  --interpreters    the files that registration opens; changes nothing\n",
        set: |options, _| options.interpreters = true,
    },
    CommandLineOption {
        name: "hold",
        takes_value: false,
        help: "  --hold            stay, register again what others remove; undo at SIGTERM\n",
        set: |options, _| options.hold = true,
    },
    CommandLineOption {
        name: "explain",
        takes_value: false,
        help: "  --explain FILE... why these run here, or do not; changes nothing\n",
        set: |options, _| options.explain = true,
    },
    CommandLineOption {
        name: "root",
        takes_value: true,
        help: "  --root DIR        with --explain: where they are, and are to run\n",
        set: |options, value| options.root = Some(value),
    },
    CommandLineOption {
        name: "mount",
        takes_value: true,
        help: "  --mount DIR       instead of /proc/sys/fs/binfmt_misc\n",
        set: |options, value| options.mount = Some(value),
    },
    CommandLineOption {
        name: "version",
        takes_value: false,
        help: "  --version\n",
        set: |options, _| options.version = true,
    },
    CommandLineOption { name: "help", takes_value: false, help: "  --help\n", set: |options, _| options.help = true },
];

impl Options {
    /// Reads the arguments, of which the first is the name that the tool was started under.
    ///
    /// # Errors
    /// The first argument that is wrong.
    pub fn read(arguments: Strings) -> Result<Self, Misuse> {
        let mut options = Self::default();
        let (own_name, mut rest) = arguments.split_first().unwrap_or((c"", arguments));
        while let Some((argument, following)) = rest.split_first() {
            if options.explain && !argument.to_bytes().starts_with(b"-") {
                options.files = Some(rest);
                if let Some(option) = rest.iter().find(|argument| argument.to_bytes().starts_with(b"-")) {
                    return Err(Misuse::AfterFile(option));
                }
                break;
            }
            rest = following;
            if argument == c"--" && options.explain {
                options.files = rest.split_first().is_some().then_some(rest);
                break;
            }
            if argument == c"--" {
                if options.hold {
                    return Err(Misuse::UnknownOption(c"--hold --"));
                }
                options.command = rest.split_first().is_some().then_some(rest);
                break;
            }
            rest = options.read_one(argument, rest)?;
        }
        if options.explain && options.files.is_none() {
            return Err(Misuse::NoValue(c"--explain"));
        }
        options.stands_in = own_name.to_bytes().rsplit(|&byte| byte == b'/').next() == Some(b"binfmt");
        // `tonistiigi/binfmt` prints the status after all that it does.
        options.status |=
            options.stands_in && !options.print && !options.interpreters && !options.hold && !options.explain;
        Ok(options)
    }

    /// Reads an option, `--NAME VALUE` or `--NAME=VALUE`, with one dash or two. Returns the arguments that follow it.
    fn read_one(&mut self, argument: &'static CStr, rest: Strings) -> Result<Strings, Misuse> {
        let name = strip_prefix(argument, b"--").or(strip_prefix(argument, b"-")).unwrap_or_default();
        for option in &OPTIONS {
            let Some(following) = strip_prefix(name, option.name.as_bytes()) else { continue };
            let (value, rest) = match strip_prefix(following, b"=") {
                None if !following.is_empty() => continue, // another name, which starts with this one
                None if option.takes_value => rest.split_first().ok_or(Misuse::NoValue(argument))?,
                None => (argument, rest),
                Some(value) if option.takes_value => (value, rest),
                Some(_) => continue, // `--status=full` is an option of its own
            };
            if value.is_empty() {
                return Err(Misuse::NoValue(argument));
            }
            (option.set)(self, value);
            return Ok(rest);
        }
        Err(Misuse::UnknownOption(argument))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&'static CStr]) -> Result<Options, Misuse> {
        Options::read(Strings::of(&[&[c"binfmt_register"], arguments].concat()))
    }

    #[test]
    fn every_option() {
        assert_eq!(read(&[c"--install", c"arm64"]).unwrap().install, Some(c"arm64"));
        assert_eq!(read(&[c"--uninstall=qemu-*"]).unwrap().uninstall, Some(c"qemu-*"));
        assert_eq!(read(&[c"--rules", c"/a:b"]).unwrap().rules, Some(c"/a:b"));
        assert_eq!(read(&[c"-mount", c"/mnt"]).unwrap().mount, Some(c"/mnt"));
        for (argument, given) in [
            (c"--status", (|options| options.status) as fn(&Options) -> bool),
            (c"--print", |options| options.print),
            (c"--interpreters", |options| options.interpreters),
            (c"--hold", |options| options.hold),
            (c"--status=full", |options| options.full_status),
            (c"--version", |options| options.version),
            (c"-help", |options| options.help),
        ] {
            assert!(given(&read(&[argument]).unwrap()), "{argument:?}");
            assert!(!given(&read(&[]).unwrap()), "{argument:?}");
        }
        let options = read(&[c"--install=all", c"--status"]).unwrap();
        assert_eq!((options.install, options.status), (Some(c"all"), true));
    }

    #[test]
    fn wrong_usage() {
        let unknown = |argument| Some(Misuse::UnknownOption(argument));
        let no_value = |argument| Some(Misuse::NoValue(argument));
        for (arguments, expected) in [
            (&[c"--frobnicate"][..], unknown(c"--frobnicate")),
            (&[c"arm64"], unknown(c"arm64")),
            (&[c""], unknown(c"")),
            (&[c"-"], unknown(c"-")),
            (&[c"---help"], unknown(c"---help")),
            (&[c"--status=yes"], unknown(c"--status=yes")),
            (&[c"--installs", c"arm64"], unknown(c"--installs")),
            (&[c"--install"], no_value(c"--install")),
            (&[c"--install", c""], no_value(c"--install")),
            (&[c"--install="], no_value(c"--install=")),
            (&[c"--status=fuller"], unknown(c"--status=fuller")),
            (&[c"--explain"], no_value(c"--explain")),
            (&[c"--explain", c"--"], no_value(c"--explain")),
            (&[c"--explain", c"file", c"--root", c"/"], Some(Misuse::AfterFile(c"--root"))),
            (&[c"--hold", c"--", c"true"], unknown(c"--hold --")),
        ] {
            assert_eq!(read(arguments).err(), expected, "{arguments:?}");
        }
    }

    #[test]
    fn the_files() {
        let files = |arguments: &[_]| read(arguments).unwrap().files.unwrap().iter().collect::<std::vec::Vec<_>>();
        assert_eq!(files(&[c"--explain", c"a", c"b"]), [c"a", c"b"]);
        assert_eq!(files(&[c"--explain", c"--root", c"/r", c"a"]), [c"a"]);
        assert_eq!(files(&[c"--root=/r", c"--explain", c"--", c"-a", c"--"]), [c"-a", c"--"]);
        assert_eq!(read(&[c"--root=/r", c"--explain", c"a"]).unwrap().root, Some(c"/r"));
    }

    #[test]
    fn the_command() {
        let command = |arguments: &[_]| Some(read(arguments).unwrap().command?.iter().collect::<std::vec::Vec<_>>());
        assert_eq!(command(&[]), None);
        assert_eq!(command(&[c"--"]), None);
        assert_eq!(command(&[c"--print", c"--", c"sh", c"--help"]), Some(std::vec![c"sh", c"--help"]));
        assert_eq!(command(&[c"--install", c"--", c"--", c""]), Some(std::vec![c""]));
    }

    #[test]
    fn under_the_name_binfmt() {
        let status = |arguments: &[_]| Options::read(Strings::of(arguments)).unwrap().status;
        assert!(status(&[c"binfmt"]) && status(&[c"/usr/bin/binfmt", c"--install", c"all"]));
        assert!(!status(&[c"not-binfmt"]) && !status(&[c"binfmt/x"]) && !status(&[]));
        for argument in [c"--print", c"--hold", c"--interpreters"] {
            assert!(!status(&[c"binfmt", argument]), "{argument:?}");
        }
    }
}

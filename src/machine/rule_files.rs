//! The files with rules: which of them count, in which order, and their lines. Names and places are those of `binfmt.d(5)`.

use super::file::open;
use super::path::{PathBuffer, join};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use heapless::Vec;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, FileType, OFlags, RawDir, fstat, readlinkat_raw};
use rustix::io::{self, Errno, read};

/// The most paths that can be given at once.
pub const MOST_PATHS: usize = 16;

/// The most bytes of a line that are read. The kernel takes fewer.
const LONGEST_LINE: usize = 2048;

/// The name of a file.
type Name = Vec<u8, 256>;

/// A line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The path of the file.
    pub file: &'a [u8],
    /// The number of the line, from 1 on; 0 for the file as a whole.
    pub line: u32,
}

/// Why there is no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLine {
    /// It is too long to be read.
    TooLong,
    /// The file or directory cannot be read.
    Unreadable(Errno),
    /// None of the paths exists.
    NoFile,
    /// There are too many paths.
    TooManyPaths,
}

/// Takes a line, without blanks before and after it, or why there is none.
pub type Take<'a> = dyn FnMut(Place, Result<&[u8], NoLine>) + 'a;

/// A directory of files with rules.
struct Directory<'a> {
    path: &'a [u8],
    file: OwnedFd,
}

/// Calls `take` with each line that is neither blank nor a comment of the files and directories that `paths`, separated by
/// colons, names.
///
/// Files come first. Of the directories it takes the files that end with `.conf`, in the order of their names, whichever
/// directory they are in. Of those of one name only that in the directory named first counts, so that an empty one, or a
/// link to `/dev/null`, masks the others. A path that does not exist is passed over if another one does.
pub fn each_line(paths: &[u8], take: &mut Take) {
    let mut directories: Vec<Directory, MOST_PATHS> = Vec::new();
    let mut any = false;
    for path in paths.split(|&byte| byte == b':').filter(|path| !path.is_empty()) {
        let mut buffer = PathBuffer::new();
        let opened = join(&mut buffer, &[path]).and_then(|path| open(CWD, path, OFlags::RDONLY | OFlags::NONBLOCK));
        let is_directory = |file: &OwnedFd| fstat(file).map(|stat| FileType::from_raw_mode(stat.st_mode).is_dir());
        match opened.and_then(|file| Ok((is_directory(&file)?, file))) {
            Ok((true, file)) => {
                if directories.push(Directory { path, file }).is_err() {
                    return miss(take, paths, NoLine::TooManyPaths);
                }
            }
            Ok((false, file)) => each_line_of(&file, path, take),
            Err(Errno::NOENT) => continue,
            Err(errno) => miss(take, path, NoLine::Unreadable(errno)),
        }
        any = true;
    }
    if !any {
        miss(take, paths, NoLine::NoFile);
    }
    // There may be any number of files, so no list of them is made: each time the next one is looked for.
    let mut name = Name::new();
    loop {
        let mut next = Next { after: name, name: Name::new(), directory: None };
        for directory in &directories {
            if let Err(errno) = next.look_in(directory) {
                return miss(take, directory.path, NoLine::Unreadable(errno));
            }
        }
        let Some(directory) = next.directory else { return };
        name = next.name;
        directory.each_line_of(&name, take);
    }
}

/// Says that there is no line of this file, or of what is at this path.
fn miss(take: &mut Take, file: &[u8], why: NoLine) {
    take(Place { file, line: 0 }, Err(why));
}

/// The next file in the order of names.
struct Next<'a> {
    after: Name,
    name: Name,
    /// The first directory that has it; `None` if there is none.
    directory: Option<&'a Directory<'a>>,
}

impl<'a> Next<'a> {
    fn look_in(&mut self, directory: &'a Directory) -> io::Result<()> {
        // Opened anew, so that the listing starts at the first file.
        let listed = open(directory.file.as_fd(), c".", OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut buffer = [MaybeUninit::uninit(); 2048];
        let mut files = RawDir::new(listed, &mut buffer);
        while let Some(file) = files.next() {
            let file = file?;
            let name = file.file_name().to_bytes();
            let counts = name.ends_with(b".conf") && !name.starts_with(b".") && !file.file_type().is_dir();
            if counts && name > &*self.after && (self.directory.is_none() || name < &*self.name) {
                self.directory = Some(directory);
                self.name.clear();
                _ = self.name.extend_from_slice(name); // no name is longer
            }
        }
        Ok(())
    }
}

impl Directory<'_> {
    fn each_line_of(&self, name: &[u8], take: &mut Take) {
        let mut path = PathBuffer::new();
        let opened = join(&mut path, &[self.path, b"/", name]).and_then(|path| {
            let opened = open(CWD, path, OFlags::RDONLY | OFlags::NONBLOCK).map(Some);
            // It masks others though there is no `/dev`, as in an initramfs.
            opened.or_else(|errno| if errno == Errno::NOENT && is_link_to_null(path) { Ok(None) } else { Err(errno) })
        });
        let path = path.strip_suffix(b"\0").unwrap_or(name); // it may be too long
        match opened {
            Ok(Some(file)) => each_line_of(&file, path, take),
            Ok(None) => {}
            Err(errno) => miss(take, path, NoLine::Unreadable(errno)),
        }
    }
}

fn is_link_to_null(path: &CStr) -> bool {
    let mut buffer = [MaybeUninit::uninit(); 16];
    readlinkat_raw(CWD, path, &mut buffer).is_ok_and(|(target, _)| target == b"/dev/null")
}

/// The lines of the file, which has this path.
fn each_line_of(file: &OwnedFd, path: &[u8], take: &mut Take) {
    let mut place = Place { file: path, line: 0 };
    let mut line: Vec<u8, LONGEST_LINE> = Vec::new();
    let mut is_whole = true;
    loop {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 1024];
        let bytes = match read(file, &mut buffer) {
            Ok((bytes, _)) => &*bytes,
            Err(Errno::INTR) => continue,
            Err(errno) => return miss(take, path, NoLine::Unreadable(errno)),
        };
        // The last line ends with the file.
        let is_end = bytes.is_empty();
        for &byte in if is_end { b"\n" } else { bytes } {
            if byte != b'\n' {
                // Blanks before a rule do not count, however many they are.
                if !(line.is_empty() && byte.is_ascii_whitespace()) {
                    is_whole &= line.push(byte).is_ok();
                }
                continue;
            }
            place.line += 1;
            if !matches!(line.first(), None | Some(b'#' | b';')) {
                take(place, if is_whole { Ok(line.trim_ascii_end()) } else { Err(NoLine::TooLong) });
            }
            line.clear();
            is_whole = true;
        }
        if is_end {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};
    use std::{env, format, fs, process};

    /// The lines of what these files are, by directory, name and text; with the paths in the order that they are given.
    fn lines(test: &str, files: &[(&str, &str)], paths: &[&str]) -> std::vec::Vec<String> {
        let top = env::temp_dir().join(format!("binfmt_register-{}-{test}", process::id()));
        for (name, text) in files {
            let file = top.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            match text.strip_prefix("-> ") {
                Some(target) => std::os::unix::fs::symlink(target, file).unwrap(),
                None => fs::write(file, text).unwrap(),
            }
        }
        let paths: std::vec::Vec<_> = paths.iter().map(|path| top.join(path).to_str().unwrap().to_string()).collect();
        let mut said = std::vec::Vec::new();
        each_line(paths.join(":").as_bytes(), &mut |place, line| {
            let file = String::from_utf8_lossy(place.file).replace(&*format!("{}/", top.display()), "");
            let line = line.map(|line| String::from_utf8_lossy(line).into_owned());
            said.push(format!("{file}:{}: {}", place.line, line.unwrap_or_else(|error| format!("{error:?}"))));
        });
        fs::remove_dir_all(top).unwrap();
        said
    }

    #[test]
    fn lines_of_a_file() {
        let long = format!("{}x", " ".repeat(5000));
        let text = format!("# one\n\n  \t:two \r\n;three\n{long}\n{}\n#{}\n:last", "y".repeat(2049), "z".repeat(9000));
        let expected = ["f:3: :two", "f:5: x", "f:6: TooLong", "f:8: :last"];
        assert_eq!(lines("file", &[("f", &text)], &["f"]), expected);
        assert!(lines("blank", &[("f", "")], &["f"]).is_empty());
        let line = "w".repeat(2048);
        assert_eq!(lines("longest", &[("f", &format!("{line}\n"))], &["f"]), [format!("f:1: {line}")]);
    }

    #[test]
    fn files_by_their_names_and_the_first_directory_of_each() {
        let files = [
            ("etc/20.conf", "etc"),
            ("etc/30.conf", ""),
            ("etc/40.conf", "-> /dev/null"),
            ("etc/50.conf", "-> nowhere"),
            ("etc/sub.conf/10.conf", "no"),
            ("etc/.10.conf", "no"),
            ("etc/10.conf~", "no"),
            ("lib/10.conf", "lib\nlib2"),
            ("lib/20.conf", "no"),
            ("lib/30.conf", "no"),
            ("lib/40.conf", "no"),
            ("lib/60.conf", "lib"),
            ("one.rule", "one"),
        ];
        let expected = [
            "one.rule:1: one",
            "lib/10.conf:1: lib",
            "lib/10.conf:2: lib2",
            "etc/20.conf:1: etc",
            "etc/50.conf:0: Unreadable(Os { code: 2, kind: NotFound, message: \"No such file or directory\" })",
            "lib/60.conf:1: lib",
        ];
        let is = lines("files", &files, &["etc", "run", "lib", "one.rule"]);
        assert_eq!(is.len(), expected.len(), "{is:#?}");
        for (is, expected) in is.iter().zip(expected) {
            let start = expected.split("Os").next().unwrap();
            assert!(is.starts_with(start), "{is} is not {expected}");
        }
    }

    #[test]
    fn paths_that_are_not_there() {
        assert_eq!(lines("none", &[("x", "")], &["no", "nor"]).len(), 1);
        assert!(lines("none", &[("x", "")], &["no"])[0].ends_with("no:0: NoFile"));
        assert!(lines("some", &[("d/x", "")], &["no", "d"]).is_empty());
        let many = [["d"; MOST_PATHS].as_slice(), &["d"]].concat();
        assert!(lines("many", &[("d/a.conf", ":a")], &many)[0].ends_with("TooManyPaths"));
    }
}

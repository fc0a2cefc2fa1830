//! The first line of a script.

use super::FILE_START_LENGTH;

/// The interpreter that the first line of a file names, as `load_script()` in `fs/binfmt_script.c` reads it: after `#!`, up
/// to a blank, within the first 256 bytes. `None` if the kernel takes the file for no script: because it starts otherwise,
/// because nothing is named, or because the name may be cut off. A blank name is one that the kernel looks for, in vain.
pub fn script_interpreter(start: &[u8]) -> Option<&[u8]> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let seen = start.get(..FILE_START_LENGTH).unwrap_or(start);
    let line = seen.strip_prefix(b"#!")?;
    let end = line.iter().position(|byte| matches!(byte, b'\n' | 0));
    let text = line.get(..end.unwrap_or(line.len()))?;
    let name = text.get(text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len())..)?;
    let blank = name.iter().position(is_blank);
    let is_line = end.and_then(|end| line.get(end)) == Some(&b'\n');
    // Zeros follow a file that is shorter than what the kernel looks at.
    let is_cut_off = end.is_none() && seen.len() == FILE_START_LENGTH && blank.is_none();
    // The last byte is not looked at any more where all before it are blanks.
    let is_blank_line = name.is_empty() && (is_line || text.len() + b"#!".len() + 1 >= FILE_START_LENGTH);
    if is_cut_off || is_blank_line {
        return None;
    }
    name.get(..blank.unwrap_or(name.len()))
}

#[cfg(test)]
mod tests {
    use super::script_interpreter;
    use std::vec::Vec;

    #[test]
    fn first_lines() {
        for (start, expected) in [
            ("#!/bin/sh\n", Some("/bin/sh")),
            ("#!/bin/sh", Some("/bin/sh")),
            ("#! \t/bin/sh -e x\n", Some("/bin/sh")),
            ("#!/usr/bin/env\tpython3\n", Some("/usr/bin/env")),
            ("#!relative", Some("relative")),
            ("#!/bin/sh\0\n", Some("/bin/sh")),
            ("#!/bin/a\r\n", Some("/bin/a\r")),
            ("#!\0", Some("")),
            ("#!", Some("")),
            ("#!  ", Some("")),
            ("#!\n/bin/sh", None),
            ("#! \t\n", None),
            ("#", None),
            ("", None),
            (" #!/bin/sh\n", None),
        ] {
            assert_eq!(script_interpreter(start.as_bytes()), expected.map(str::as_bytes), "{start:?}");
        }
    }

    #[test]
    fn the_first_256_bytes_count() {
        let line = |blanks: usize, name: usize, rest: &str| {
            [&b"#!"[..], &[b' '].repeat(blanks), &[b'/'].repeat(name), rest.as_bytes()].concat()
        };
        let name = |line: Vec<u8>| script_interpreter(&line).map(<[u8]>::len);
        assert_eq!(name(line(0, 253, "\n")), Some(253));
        assert_eq!(name(line(0, 254, "\n")), None);
        assert_eq!(name(line(0, 253, " x\n")), Some(253));
        assert_eq!(name(line(0, 253, "")), Some(253));
        assert_eq!(name(line(0, 254, "")), None);
        assert_eq!(name(line(254, 0, "")), None);
        assert_eq!(name(line(253, 0, "")), None);
        assert_eq!(name(line(253, 0, "\0x")), None);
        assert_eq!(name(line(252, 0, "\0x")), Some(0));
        assert_eq!(name(line(252, 1, " ")), Some(1));
    }
}

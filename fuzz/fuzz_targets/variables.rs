//! Variables, against regular expressions, the values that the help text allows, and what becomes of them in a rule.
//!
//! The input is an environment as in `/proc/self/environ`: `NAME=value`, with a NUL byte after each.
#![no_main]

use binfmt_register::architecture::HOST;
use binfmt_register::binfmt::{Flags, Rule, RuleBuffer};
use binfmt_register::config::{Config, Mode, Selection, VARIABLES, Variable};
use binfmt_register::machine::{Interpreter, InterpreterFile};
use binfmt_register::sys::Strings;
use binfmt_register_fuzz::{SPELLINGS, text};
use libfuzzer_sys::fuzz_target;
use regex::bytes::Regex;
use std::collections::HashMap;
use std::ffi::CString;
use std::ptr;
use std::sync::LazyLock;

/// A path, and a part of a file name, as they may be in a line whose fields end with colons.
static PATH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?-u)\A/[^:\x00-\x1f]*\z").unwrap());
static PREFIX: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?-u)\A[^/:\x00-\x1f]*\z").unwrap());
static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?-u)[^,\x00-\x20]+").unwrap());

fuzz_target!(|input: &[u8]| {
    let strings: Vec<CString> = input.split(|&byte| byte == 0).map(|string| CString::new(string).unwrap()).collect();
    let pointers: Vec<_> = strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
    // SAFETY: a list of C strings up to a null pointer, which lasts as long as whatever is made from it here.
    let environment = unsafe { Strings::from_ptr(pointers.as_ptr()) };
    let config = Config::read(|name| environment.variable(name));

    // Of two with one name the first counts.
    let pairs = strings.iter().rev().filter_map(|string| {
        let mut halves = string.to_bytes().splitn(2, |&byte| byte == b'=');
        Some((halves.next()?, halves.next()?))
    });
    let values: HashMap<&[u8], &[u8]> = pairs.collect();
    let value = |name: &str| values.get(name.as_bytes()).copied().filter(|value| !value.is_empty());

    let wrong = VARIABLES.iter().find_map(|variable| Some((variable.name, wrong(variable, value(variable.name)?)?)));
    let config = match (config, wrong) {
        (Err(error), wrong) => return assert_eq!(Some((error.variable, error.value)), wrong),
        (Ok(_), Some(wrong)) => panic!("{wrong:?} is taken"),
        (Ok(config), None) => config,
    };
    let is = |name, expected: &str| value(name) == Some(expected.as_bytes());
    let mode = [("registration", Mode::Registration), ("execution", Mode::Execution)];
    assert_eq!(config.mode, mode.into_iter().find(|(word, _)| is("MODE", word)).map(|(_, mode)| mode));
    assert_eq!(config.replace, is("REPLACE", "true"));
    assert_eq!(config.verify, is("VERIFY", "true"));
    assert_eq!(config.trust, is("TRUST", "true"));
    assert_eq!(config.rules.map(|rules| rules.to_bytes()), value("RULES"));
    assert_eq!(config.credentials, value("CREDENTIALS").map(|value| value == b"true"));
    let preserve_argv0 = value("QEMU_PRESERVE_ARGV0").map(|value| value == b"1" || value == b"true");
    assert_eq!(config.preserve_argv0, preserve_argv0);
    let directory = &config.interpreters;
    assert_eq!(directory.path.to_bytes(), value("QEMU_BINARY_PATH").unwrap_or(b"/usr/bin"));
    assert_eq!(directory.prefix.to_bytes(), value("QEMU_BINARY_PREFIX").unwrap_or_default());
    check_selection(&config.selection, value("ARCHES").unwrap_or_default());
    check_rule(&config);
});

/// What is wrong with a value; `None` if nothing is.
fn wrong<'a>(variable: &Variable, value: &'a [u8]) -> Option<&'a [u8]> {
    let unless = |fits: bool| (!fits).then_some(value);
    match variable.name {
        "ARCHES" => words(value).find(|word| *word != b"all" && !SPELLINGS.contains_key(text(word))),
        "QEMU_BINARY_PATH" => unless(PATH.is_match(value)),
        "RULES" => None,
        "QEMU_BINARY_PREFIX" => unless(PREFIX.is_match(value)),
        _ => unless(variable.allowed.split(' ').any(|allowed| allowed.as_bytes() == value)),
    }
}

fn words(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    WORD.find_iter(list).map(|word| word.as_bytes())
}

/// Each architecture once, in the order of the list; with `all` in it, wherever that is, all.
fn check_selection(selection: &Selection, list: &[u8]) {
    let mut names: Vec<&str> = Vec::new();
    for name in words(list).filter_map(|word| SPELLINGS.get(text(word)).copied()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match selection {
        Selection::All => assert!(words(list).any(|word| word == b"all")),
        Selection::Available => assert!(words(list).next().is_none()),
        Selection::Named(architectures) => {
            assert!(words(list).next().is_some() && words(list).all(|word| word != b"all"));
            assert!(architectures.iter().map(|architecture| text(architecture.name())).eq(names));
        }
    }
}

/// A rule is one line of eight fields, in which the kernel finds the interpreter's path as it was meant.
fn check_rule(config: &Config) {
    let (directory, file) = (config.interpreters, InterpreterFile::Static);
    let interpreter = Interpreter { architecture: HOST, directory, file, is_roots: true };
    let path = interpreter.path().concat();
    let (mut buffer, mut blank) = (RuleBuffer::new(), RuleBuffer::new());
    let rule = Rule::new(c"name", HOST, &interpreter.path(), Flags::FIX_BINARY, &mut buffer);
    let others = Rule::new(c"name", HOST, &[], Flags::FIX_BINARY, &mut blank).unwrap().as_bytes().len();
    assert_eq!(rule.is_err(), others + path.len() > 1920); // MAX_REGISTER_LENGTH
    if let Ok(rule) = rule {
        let fields: Vec<&[u8]> = rule.as_bytes().split(|&byte| byte == b':').collect();
        let [b"", b"name", b"M", b"", _, _, found, b"F"] = fields[..] else { panic!("{fields:?}") };
        assert_eq!(found, path);
        assert!(!rule.as_bytes().contains(&b'\n'));
    }
}

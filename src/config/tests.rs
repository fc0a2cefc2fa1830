//! What variables mean, and which values are wrong.

use super::*;

fn read(name: &'static str, value: &'static CStr) -> Result<Config, InvalidValue> {
    Config::read(|asked| (asked == name).then_some(value))
}

#[test]
fn blank_is_the_default() {
    let config = Config::read(|_| None).unwrap();
    assert_eq!((config.mode, config.replace, config.credentials), (None, false, None));
    assert_eq!((config.preserve_argv0, config.verify, config.trust), (None, false, false));
    assert_eq!((config.interpreters.path, config.interpreters.prefix), (c"/usr/bin", c""));
    assert_eq!(config.selection, Selection::Available);
}

#[test]
fn every_variable_is_read() {
    assert_eq!(read("MODE", c"registration").unwrap().mode, Some(Mode::Registration));
    assert_eq!(read("MODE", c"execution").unwrap().mode, Some(Mode::Execution));
    assert!(read("REPLACE", c"true").unwrap().replace);
    assert!(!read("REPLACE", c"false").unwrap().replace);
    assert_eq!(read("CREDENTIALS", c"false").unwrap().credentials, Some(false));
    assert_eq!(read("CREDENTIALS", c"true").unwrap().credentials, Some(true));
    assert!(read("VERIFY", c"true").unwrap().verify);
    assert!(read("TRUST", c"true").unwrap().trust);
    for (value, expected) in [(c"1", true), (c"true", true), (c"0", false), (c"false", false)] {
        assert_eq!(read("QEMU_PRESERVE_ARGV0", value).unwrap().preserve_argv0, Some(expected));
    }
    assert_eq!(read("QEMU_BINARY_PATH", c"/opt").unwrap().interpreters.path, c"/opt");
    assert_eq!(read("QEMU_BINARY_PREFIX", c"my-").unwrap().interpreters.prefix, c"my-");
    assert_eq!(read("RULES", c"/a:b").unwrap().rules, Some(c"/a:b"));
    assert_eq!(read("ARCHES", c"all").unwrap().selection, Selection::All);
}

#[test]
fn every_wrong_value_is_named() {
    for (name, value, wrong) in [
        ("MODE", c"magic", "magic"),
        ("MODE", c"Registration", "Registration"),
        ("MODE", c"registration execution", "registration execution"),
        ("REPLACE", c"yes", "yes"),
        ("REPLACE", c"true false", "true false"),
        ("CREDENTIALS", c"1", "1"),
        ("VERIFY", c" true", " true"),
        ("QEMU_PRESERVE_ARGV0", c"2", "2"),
        ("QEMU_BINARY_PATH", c"usr/bin", "usr/bin"),
        ("QEMU_BINARY_PATH", c"/a:b", "/a:b"),
        ("QEMU_BINARY_PATH", c"/a\nb", "/a\nb"),
        ("QEMU_BINARY_PREFIX", c"a/", "a/"),
        ("QEMU_BINARY_PREFIX", c"a:", "a:"),
        ("ARCHES", c"arm64,amr64,s390x", "amr64"),
    ] {
        let error = read(name, value).unwrap_err();
        assert_eq!((error.variable, error.value), (name, wrong.as_bytes()), "{value:?}");
    }
}

#[test]
fn the_five_rules_of_the_reference_document() {
    let (old, new) = (Version::new(4, 7), Version::new(4, 8));
    for (mode, version, expected) in [
        (Some(Mode::Execution), old, Some(Mode::Execution)),
        (Some(Mode::Execution), new, Some(Mode::Execution)),
        (Some(Mode::Registration), new, Some(Mode::Registration)),
        (Some(Mode::Registration), old, None),
        (None, new, Some(Mode::Registration)),
        (None, old, Some(Mode::Execution)),
    ] {
        let config = Config { mode, ..Config::BLANK };
        assert_eq!(config.effective_mode(version), expected, "{mode:?} {version:?}");
    }
}

#[test]
fn flags() {
    let flags = |config: Config, mode, version| config.flags(mode, version).letters().collect::<std::string::String>();
    let (old, new) = (Version::new(5, 11), Version::new(5, 12));
    assert_eq!(flags(Config::BLANK, Mode::Registration, new), "POCF");
    assert_eq!(flags(Config::BLANK, Mode::Registration, old), "OCF");
    assert_eq!(flags(Config::BLANK, Mode::Execution, new), "POC");
    assert_eq!(flags(Config { credentials: Some(false), ..Config::BLANK }, Mode::Execution, new), "PO");
    assert_eq!(flags(Config { preserve_argv0: Some(true), ..Config::BLANK }, Mode::Execution, old), "POC");
    assert_eq!(flags(Config { preserve_argv0: Some(false), ..Config::BLANK }, Mode::Execution, new), "OC");
    let required = |config: Config| config.required_flags().letters().collect::<std::string::String>();
    assert_eq!(required(Config::BLANK), "");
    assert_eq!(required(Config { mode: Some(Mode::Execution), ..Config::BLANK }), "");
    let all = Config { mode: Some(Mode::Registration), credentials: Some(true), ..Config::BLANK };
    assert_eq!(required(Config { preserve_argv0: Some(false), ..all }), "PCF");
}

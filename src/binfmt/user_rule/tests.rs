//! Rules, as projects document them and as they must not be.

use super::*;
use std::format;
use std::string::{String, ToString};

const NEW: Version = Version::new(6, 12);
const PLACE: Place = Place { file: b"f", line: 1 };

fn parse(line: &str, version: Version) -> Result<String, Malformed> {
    let mut digits = PatternBuffer::new();
    let rule = UserRule::parse(line.as_bytes(), PLACE, version, &mut digits)?;
    let mut buffer = RuleBuffer::new();
    assert_eq!(rule.rule(OwnName::Entry, &mut buffer).unwrap().as_bytes(), line.as_bytes());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let architecture = rule.architecture().map_or("-".to_string(), |architecture| text(architecture.name()));
    let (directory, file) = rule.path();
    Ok(format!("{} {} {} {} {architecture}", text(rule.name), text(directory), text(file), rule.letters.len()))
}

#[test]
fn rules_of_projects() {
    for (line, expected) in [
        (
            r":rosetta:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00:\xff\xff\xff\xff\xff\xfe\xfe\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/media/rosetta/rosetta:OCF",
            "rosetta /media/rosetta/ rosetta 3 x86_64",
        ),
        (
            r":FEX-x86:M:0:\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x03\x00:\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff:/usr/bin/FEXInterpreter:POCF",
            "FEX-x86 /usr/bin/ FEXInterpreter 4 i386",
        ),
        (r":wasm:M::\x00asm::/usr/bin/wasmtime:", "wasm /usr/bin/ wasmtime 0 -"),
        (":DOSWin:M::MZ::/usr/bin/wine:", "DOSWin /usr/bin/ wine 0 -"),
        (r":Java:M::\xca\xfe\xba\xbe::/usr/local/bin/javawrapper:", "Java /usr/local/bin/ javawrapper 0 -"),
        (":ExecutableJAR:E::jar::/usr/local/bin/jarwrapper:", "ExecutableJAR /usr/local/bin/ jarwrapper 0 -"),
        (":golang:E::go::/usr/local/bin/gorun:OC", "golang /usr/local/bin/ gorun 2 -"),
        (r":appimage:M:8:AI\x02::/AppImageLauncher:F", "appimage / AppImageLauncher 1 -"),
        ("!a:b!E!!x!!/:!", "a:b / : 0 -"),
        ("|a|M|254|\\|\\|/b/c|PP", "a /b/ c 2 -"),
    ] {
        assert_eq!(parse(line, NEW).as_deref(), Ok(expected), "{line}");
    }
}

#[test]
fn what_is_malformed() {
    use Malformed::*;
    let name = "n".repeat(252);
    let magic = "m".repeat(257);
    for (line, expected) in [
        ("", Fields),
        (":", Fields),
        (":a:E::b::/c", Fields),
        (":a:E::b::/c:P:", Fields),
        ("a:b", Delimiter),
        ("/a/E//b//c/", Delimiter),
        ("::E::b::/c:", Name),
        (":.:E::b::/c:", Name),
        (":..:E::b::/c:", Name),
        (":a/b:E::b::/c:", Name),
        (&format!(":{name}:E::b::/c:"), LongName),
        (":register:E::b::/c:", NameTaken),
        (":status:E::b::/c:", NameTaken),
        (":binfmt_register:E::b::/c:", NameTaken),
        (":a:B::b::/c:", Type),
        (":a:::b::/c:", Type),
        (":a:ME::b::/c:", Type),
        (":a:M:-1:b::/c:", Offset),
        (":a:M:0x1:b::/c:", Offset),
        (":a:M:0:::/c:", NoMagic),
        (r":a:M::\x0::/c:", Escape),
        (r":a:M::\xgg::/c:", Escape),
        (r":a:M::\x00:\x:/c:", Escape),
        (r":a:M::ab:\xff:/c:", MaskLength),
        (r":a:M::a:\xff\xff:/c:", MaskLength),
        (":a:M:256:b::/c:", Beyond),
        (":a:M:255:bb::/c:", Beyond),
        (":a:M:99999999999999999999:b::/c:", Beyond),
        (&format!(":a:M::{magic}::/c:"), Beyond),
        (":a:E::::/c:", Extension),
        (":a:E::b/d::/c:", Extension),
        (":a:E::.jar::/c:", Extension),
        (":a:E::tar.gz::/c:", Extension),
        (":a:E::b:::", Interpreter),
        (":a:E::b::c:", Interpreter),
        (":a:E::b::/c/:", Interpreter),
        (":a:E::b::/c:X", Flag),
        (":a:E::b::/c:p", Flag),
        (":a:E::b::/c\0:", Nul),
    ] {
        assert_eq!(parse(line, NEW), Err(expected), "{line:?}");
    }
}

#[test]
fn limits() {
    let with_path = |length: usize| format!(":a:E::b::/{}:", "x".repeat(length - 1));
    let line = |length: usize| with_path(length - 10);
    assert!(parse(&line(1920), NEW).is_ok());
    assert_eq!(parse(&line(1921), NEW), Err(Malformed::TooLong));
    let (old, new) = (Version::new(4, 13), Version::new(4, 14));
    assert!(parse(&with_path(127), old).is_ok() && parse(&with_path(128), new).is_ok());
    assert_eq!(parse(&with_path(128), old), Err(Malformed::LongInterpreter));
    let (old, new) = (Version::new(5, 0), Version::new(5, 1));
    assert!(parse(":a:M:127:b::/c:", old).is_ok() && parse(":a:M:128:b::/c:", new).is_ok());
    assert_eq!(parse(":a:M:128:b::/c:", old), Err(Malformed::Beyond));
    let all = r"\xff".repeat(256);
    assert!(parse(&format!(":a:M::{}:{all}:/c:", "m".repeat(256)), NEW).is_ok());
    assert!(parse(&format!(":{}:E::b::/c:", "n".repeat(251)), NEW).is_ok());
}

#[test]
fn what_is_registered() {
    let mut digits = PatternBuffer::new();
    let line = br":a:M:3:J\x4B:\xff\x0F:/b/c:C";
    let mut rule = UserRule::parse(line, PLACE, NEW, &mut digits).unwrap();
    let entry = |text: &'static [u8]| Entry::parse(text);
    assert_eq!(rule.entry.flags, Flags::CREDENTIALS | Flags::OPEN_BINARY);
    for (text, same) in [
        (&b"enabled\ninterpreter /x\nflags: \noffset 3\nmagic 4a4b\nmask ff0f\n"[..], true),
        (b"disabled\ninterpreter /x\nflags: \noffset 3\nmagic 4afb\nmask ff0f\n", true),
        (b"enabled\ninterpreter /x\nflags: \noffset 3\nmagic 4a4c\nmask ff0f\n", false),
        (b"enabled\ninterpreter /x\nflags: \noffset 2\nmagic 4a4b\nmask ff0f\n", false),
        (b"enabled\ninterpreter /x\nflags: \noffset 3\nmagic 4a4b\nmask ffff\n", false),
        (b"enabled\ninterpreter /x\nflags: \noffset 3\nmagic 4a4b\n", false),
        (b"enabled\ninterpreter /x\nflags: \noffset 3\nmagic 4a4b4c\nmask ff0fff\n", false),
        (b"enabled\ninterpreter /x\nflags: \nextension .JK\n", false),
    ] {
        let same_both_ways =
            (rule.entry.matches_the_same_as(&entry(text)), entry(text).matches_the_same_as(&rule.entry));
        assert_eq!(same_both_ways, (same, same), "{}", String::from_utf8_lossy(text));
    }
    rule.separator = b"/././";
    let mut buffer = RuleBuffer::new();
    let registered = rule.rule(OwnName::StandIn, &mut buffer).unwrap().as_bytes();
    assert_eq!(String::from_utf8_lossy(registered), r":a.new:M:3:J\x4B:\xff\x0F:/b/././c:C");
    let mut digits = PatternBuffer::new();
    let jar = UserRule::parse(b":a:E:7:jar:x:/c:", PLACE, NEW, &mut digits).unwrap().entry;
    assert!(jar.matches_the_same_as(&entry(b"enabled\ninterpreter /x\nflags: \nextension .jar\n")));
    assert!(!jar.matches_the_same_as(&entry(b"enabled\ninterpreter /x\nflags: \nextension .war\n")));
}

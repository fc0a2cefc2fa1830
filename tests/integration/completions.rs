//! What the shells complete is what the help has.

use super::status::{help, names};
use crate::common::host::binary;
use crate::common::namespace::{Said, Scratch, clean, path};
use crate::common::{TOP, run, skip};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

fn file(name: &str) -> PathBuf {
    Path::new(TOP).join("scratch/completions").join(name)
}

/// Runs a shell that has the tool in its `PATH`.
fn shell(name: &str, arguments: &[&str]) -> Said {
    let scratch = Scratch::new();
    symlink(binary(), scratch.0.join("binfmt_register")).unwrap();
    let mut command = Command::new(name);
    clean(&mut command);
    command.env("PATH", format!("{}:{}", scratch.path(), path())).env("HOME", scratch.path());
    Said::of(command.args(arguments)).exits(0)
}

/// Whether a shell is there; where it is not, the test is skipped aloud.
fn has(name: &str, test: &str) -> bool {
    run(Command::new(name).arg("--version")).map_err(|why| skip(test, &why)).is_ok()
}

/// What bash completes the last of these words to.
fn bash(words: &[&str]) -> BTreeSet<String> {
    // Options of a completion can be set only while it is going on.
    let script = r#"
        source "$0"
        compopt() { :; }
        [[ $(complete -p binfmt_register) =~ -F\ ([^ ]+)\ binfmt_register$ ]] || exit
        COMP_WORDS=(binfmt_register "$@")
        COMP_CWORD=$#
        "${BASH_REMATCH[1]}" && printf '%s\n' "${COMPREPLY[@]}""#;
    let file = file("binfmt_register.bash");
    let said = shell("bash", &[&["--norc", "-c", script, file.to_str().unwrap()], words].concat());
    assert_eq!(said.err, "");
    lines(&said.out)
}

/// What fish completes at the end of a line, without its descriptions.
fn fish(line: &str) -> BTreeSet<String> {
    let script = "source $argv[1]; complete -C $argv[2]";
    let file = file("binfmt_register.fish");
    let said = shell("fish", &["--no-config", "-c", script, file.to_str().unwrap(), line]);
    assert_eq!(said.err, "");
    said.out.lines().filter_map(|line| Some(line.split('\t').next()?.to_string())).collect()
}

/// What zsh completes these lines to.
fn zsh(typed: &[&str]) -> Vec<String> {
    // Only at a terminal does it complete. There, ^T writes the line to a file.
    let script = r#"
        export PLACE=$0
        zmodload zsh/zpty
        zpty shell zsh -f -i
        integer count=0
        enter() {
            zpty -w -n shell $1
            ((count++))
            for ((tries = 0; tries < 300; tries++)); do
                while zpty -r -t shell said; do; done # lest it waits
                [[ ! -e $HOME/lines || $(wc -l <$HOME/lines) -lt $count ]] || return
                sleep 0.1
            done
            exit 1
        }
        enter 'fpath=($PLACE $fpath); autoload -Uz compinit; compinit -u -D; bindkey "^I" complete-word
            note() { print -r -- $BUFFER >>$HOME/lines; BUFFER= }; zle -N note; bindkey "^T" note; print >$HOME/lines'$'\n'
        for line; do enter $line$'\t\x14'; done
        tail -n +2 $HOME/lines"#;
    let file = file("_binfmt_register");
    let place = file.parent().unwrap().to_str().unwrap();
    let said = shell("zsh", &[&["-f", "-c", script, place], typed].concat());
    said.out.lines().map(String::from).collect()
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(String::from).collect()
}

/// Each of these with something before it.
fn with(before: &str, words: impl IntoIterator<Item = impl AsRef<str>>) -> BTreeSet<String> {
    words.into_iter().map(|word| format!("{before}{}", word.as_ref())).collect()
}

/// The names of architectures, as the help has them.
fn architectures(help: &str) -> BTreeSet<&str> {
    let (_, list) = help.split_once("architectures, with their other names:").unwrap();
    list.split([' ', '(', ')', ',', '\n']).filter(|name| !name.is_empty()).collect()
}

#[test]
fn each_shell_has_the_options_of_the_help() {
    let help = help();
    let options = names(&help, "  --", &[' ']);
    assert!(options.contains("install"), "{help}");
    for (name, start, end) in [
        ("_binfmt_register", "    '--", &['[', '='][..]),
        ("binfmt_register.fish", "complete -c binfmt_register -l ", &[' ']),
    ] {
        let text = fs::read_to_string(file(name)).unwrap().replace("'(-)--", "'--").replace("'*--", "'--");
        // To zsh, what follows an equals sign is a value.
        let text = text.replace("--status\\=full", "--status\\full");
        let there: BTreeSet<_> = names(&text, start, end).into_iter().map(|name| name.replace('\\', "=")).collect();
        assert_eq!(there, with("", &options), "{name}");
    }
    assert_eq!(bash(&["--"]), with("--", options));
}

#[test]
fn bash_completes_options_and_architectures() {
    let help = help();
    let names = architectures(&help);
    assert!(names.contains("aarch64") && names.contains("arm64"), "{help}");
    let mut with_all = names.clone();
    with_all.insert("all");
    assert_eq!(bash(&["--install", ""]), with("", &with_all));
    assert_eq!(bash(&["--install", "="]), with("", &with_all), "--install=");
    assert_eq!(bash(&["--uninstall", ""]), with("", &names));
    assert_eq!(bash(&["--status", "--install", "=", "s39"]), with("", ["s390x"]));
    assert_eq!(bash(&["--uninstall", "arm64,s390x,riscv"]), with("arm64,s390x,", ["riscv32", "riscv64"]));
    assert_eq!(bash(&["--un"]), with("", ["--uninstall"]));
    assert_eq!(bash(&["--install", "arm64", "--st"]), with("", ["--status", "--status=full"]));
    assert_eq!(bash(&["--explain", "/etc/nsswitch.c"]), with("", ["/etc/nsswitch.conf"]));
    assert_eq!(bash(&["--explain", "--root", "/pro"]), with("", ["/proc"]));
    assert_eq!(bash(&["--mount", "/pro"]), with("", ["/proc"]));
    assert!(bash(&["--mount", "/etc/passw"]).iter().all(String::is_empty), "no directory");
    assert!(bash(&["--", "chroo"]).contains("chroot"));
    assert!(bash(&["--install", "arm64", "--", "cat", "/etc/passw"]).contains("/etc/passwd"));
}

#[test]
fn fish_completes_options_and_architectures() {
    if !has("fish", "fish_completes_options_and_architectures") {
        return;
    }
    let help = help();
    let (options, names) = (names(&help, "  --", &[' ']), architectures(&help));
    assert_eq!(fish("binfmt_register --"), with("--", options));
    let mut with_all = names.clone();
    with_all.insert("all");
    assert_eq!(fish("binfmt_register --install "), with("", with_all));
    assert_eq!(fish("binfmt_register --uninstall "), with("", names));
    assert_eq!(fish("binfmt_register --install=s39"), with("--install=", ["s390x"]));
    assert_eq!(fish("binfmt_register --install arm64,s39"), with("arm64,", ["s390x"]));
    assert!(fish("binfmt_register --mount /pro").contains("/proc/"));
    assert!(fish("binfmt_register --install arm64 -- chroo").contains("chroot"));
    assert!(fish("binfmt_register --explain /etc/passw").contains("/etc/passwd"));
    assert!(fish("binfmt_register -- cat /etc/passw").contains("/etc/passwd"));
}

#[test]
fn zsh_completes_options_and_architectures() {
    if !has("zsh", "zsh_completes_options_and_architectures") {
        return;
    }
    // It appends what may be typed on: a comma, an equals sign, a blank.
    let expected = [
        ("binfmt_register --uninst", "binfmt_register --uninstall="),
        ("binfmt_register --install arm64 --stat", "binfmt_register --install arm64 --status"), // and =full
        ("binfmt_register --status=f", "binfmt_register --status=full "),
        ("binfmt_register --explain /etc/nsswitch.c", "binfmt_register --explain /etc/nsswitch.conf "),
        ("binfmt_register --explain --root /pro", "binfmt_register --explain --root /proc/"),
        ("binfmt_register --install=s39", "binfmt_register --install=s390x,"),
        ("binfmt_register --install al", "binfmt_register --install al"), // all, or alpha
        ("binfmt_register --uninstall al", "binfmt_register --uninstall alpha,"),
        ("binfmt_register --uninstall arm64,s39", "binfmt_register --uninstall arm64,s390x,"),
        ("binfmt_register --mount /pro", "binfmt_register --mount /proc/"),
        ("binfmt_register --install arm64 -- chroo", "binfmt_register --install arm64 -- chroot "),
    ];
    assert_eq!(zsh(&expected.map(|(line, _)| line)), expected.map(|(_, completed)| completed.to_string()));
}

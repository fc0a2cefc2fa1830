//! Whose an entry is: this tool's, if its name, its magic and its mask are those of the table. What `--uninstall` removes,
//! by pattern, by architecture and by name, and under the name `binfmt`.

use crate::common::host::{self, binary, exchanged};
use crate::common::namespace::{MOUNT, Namespace, Said, Scratch, interpreters};
use crate::common::{debian, fetch, skip};
use std::fs;
use std::os::unix::fs::symlink;

/// Debian's rules for `qemu-user-binfmt`, by their names, with an interpreter that is there, and without those of this
/// machine's own family; `None`, said aloud, where the package is not there.
fn debians(test: &str) -> Option<Vec<(String, String)>> {
    if let Err(why) = fetch("amd64", "qemu-user-binfmt") {
        skip(test, &why);
        return None;
    }
    let files = fs::read_dir(debian("amd64", "/usr/share/qemu/binfmt.d")).unwrap().map(|file| file.unwrap().path());
    let own = ["qemu-x86_64".to_string(), "qemu-i386".into(), format!("qemu-{}", host::name())];
    let rules = files.filter_map(|file| {
        let text = exchanged(&fs::read_to_string(file).unwrap()).into_owned();
        let [interpreter, flags] = [1, 0].map(|place| text.trim().rsplit(':').nth(place).unwrap().to_string());
        let name = text.split(':').nth(1).unwrap().to_string();
        let rule = text.trim().replace(&format!(":{interpreter}:{flags}"), ":/bin/true:F");
        (!own.contains(&exchanged(&name).into_owned())).then_some((name, rule))
    });
    let mut rules: Vec<_> = rules.collect();
    rules.sort();
    assert!(rules.len() > 20, "{rules:?}");
    Some(rules)
}

/// Checks that the entry is left, and that it is said so.
#[track_caller]
fn is_left(said: &Said, name: &str) {
    let line = format!("{name}: left, another tool has registered it; --uninstall {name} removes it\n");
    assert_eq!(said.err.matches(&line).count(), 1, "{line} {said:#?}");
}

/// The rule that this tool registers for arm64: its parts, with the name first and the flags last.
fn ours(namespace: &Namespace) -> Vec<String> {
    let rule = namespace.tool(&["ARCHES=arm64"], &["--print"]).exits(0).out;
    let parts: Vec<_> = rule.trim().split(':').skip(1).map(String::from).collect();
    assert_eq!(parts.len(), 7, "{rule}");
    parts
}

#[test]
fn patterns_and_architectures_leave_debians_entries_of_the_same_names() {
    let test = "patterns_and_architectures_leave_debians_entries_of_the_same_names";
    let Some(rules) = debians(test) else { return };
    let Some(namespace) = Namespace::new() else { return };
    // Ours beside theirs.
    let is_ours = |name: &str| ["qemu-riscv64", "qemu-m68k"].contains(&name);
    let theirs: Vec<_> = rules.iter().filter(|(name, _)| !is_ours(name)).collect();
    for (_, rule) in &theirs {
        namespace.register(rule);
    }
    let before = namespace.state();
    for (list, reaches) in [
        ("*", (|_| true) as fn(&str) -> bool),
        ("qemu-*", |_| true),
        ("qemu-a*", |name| name.starts_with("qemu-a")),
        ("qemu-arm?b", |name| name == "qemu-armeb"),
        ("arm64", |name| name == "qemu-aarch64"),
        ("s390x", |name| name == "qemu-s390x"),
        ("sparc", |name| name == "qemu-sparc"),
    ] {
        namespace.tool(&["ARCHES=riscv64,m68k"], &[]).exits(0);
        let said = namespace.tool(&[], &["--uninstall", list]).exits(0);
        if host::other().is_none() {
            for (name, _) in theirs.iter().filter(|(name, _)| reaches(name)) {
                is_left(&said, name);
            }
        }
        let removed = said.err.lines().filter(|line| line.ends_with(": removed")).count();
        assert_eq!(removed, if matches!(list, "*" | "qemu-*") { 2 } else { 0 }, "{list}: {said:#?}");
        assert!(before.iter().all(|(name, text)| namespace.state().get(name) == Some(text)), "{list}: {said:#?}");
    }
}

#[test]
fn by_its_exact_name_any_entry_is_removed() {
    let Some(rules) = debians("by_its_exact_name_any_entry_is_removed") else { return };
    let Some(namespace) = Namespace::new() else { return };
    for (_, rule) in &rules {
        namespace.register(rule);
    }
    let mut left: Vec<_> = rules.iter().map(|(name, _)| name.clone()).collect();
    for name in ["qemu-aarch64", "qemu-s390x", "qemu-sparc"] {
        namespace.tool(&[], &["--uninstall", name]).exits(0).says_only(&[&format!("{name}: removed")]);
        left.retain(|other| other != name);
        assert_eq!(namespace.entries(), left);
    }
}

/// The whole of the pattern counts, and nothing but it and the name: not who wrote it, nor the interpreter or the flags.
#[test]
fn an_entry_is_ours_by_name_magic_and_mask() {
    let Some(namespace) = Namespace::new() else { return };
    let parts = ours(&namespace);
    let with = |changes: &[(usize, &str)]| {
        let mut parts = parts.clone();
        changes.iter().for_each(|(place, part)| parts[*place] = part.to_string());
        format!(":{}", parts.join(":"))
    };
    let [magic, mask] = [&parts[3], &parts[4]];
    let longer = [format!(r"{magic}\x00"), format!(r"{mask}\x00")];
    let (other_magic, other_mask) = (magic.replacen(r"\x02", r"\x01", 1), mask.replacen(r"\xff", r"\xfe", 1));
    assert!(*magic != other_magic && *mask != other_mask);
    for (what, changes, is_ours) in [
        ("as it is", &[][..], true),
        ("another interpreter, other flags", &[(5, "/bin/true"), (6, "")], true),
        ("a stand-in", &[(0, "qemu-aarch64.new")], true),
        ("another magic", &[(3, &*other_magic)], false),
        ("another mask", &[(4, &*other_mask)], false),
        ("no mask", &[(4, "")], false),
        ("longer by a byte that does not count", &[(3, &*longer[0]), (4, &*longer[1])], false),
        ("at another offset", &[(2, "1")], false),
        ("by extension", &[(1, "E"), (2, ""), (3, "arm64"), (4, "")], false),
        ("the name of another architecture", &[(0, "qemu-riscv64")], false),
    ] {
        for list in ["*", "qemu-*", "arm64,riscv64"] {
            let line = with(changes);
            namespace.register(&line);
            let entries = namespace.entries();
            let said = namespace.tool(&[], &["--uninstall", list]).exits(0);
            if is_ours {
                assert!(namespace.entries().is_empty(), "{what}, {list}: {said:#?}");
                assert!(said.err.contains(&format!("{}: removed\n", entries[0])), "{said:#?}");
            } else {
                assert_eq!(namespace.entries(), entries, "{what}, {list}: {said:#?}");
                is_left(&said, &entries[0]);
            }
            namespace.sh(&format!("cd {MOUNT} && for file in qemu-*; do echo -1 >$file; done"));
            assert!(namespace.entries().is_empty());
        }
    }
    // Under another name it is not ours, and nobody would take it for ours.
    for name in ["my-aarch64", "qemu-aarch64-mine", "aarch64"] {
        namespace.register(&with(&[(0, name)]));
    }
    let before = namespace.state();
    for list in ["*", "*aarch64*", "arm64"] {
        let said = namespace.tool(&[], &["--uninstall", list]).exits(0);
        assert!(!said.err.contains("removed") && !said.err.contains("left"), "{said:#?}");
        assert_eq!(namespace.state(), before, "{list}: {said:#?}");
    }
}

/// The action's `reset: true` is such a pattern, and the user expects that it is obeyed.
#[test]
fn under_the_name_binfmt_patterns_reach_entries_of_anybody() {
    let Some(rules) = debians("under_the_name_binfmt_patterns_reach_entries_of_anybody") else { return };
    let scratch = Scratch::new();
    let link = scratch.0.join("binfmt");
    symlink(binary(), &link).unwrap();
    for (list, left) in [
        ("qemu-*", &["rosetta"] as &[&str]),
        ("*", &[]),
        ("qemu-s390x,ros*", &["qemu-aarch64", "qemu-riscv64"]),
        ("arm64,s390x", &["qemu-riscv64", "rosetta"]),
    ] {
        let Some(namespace) = Namespace::new() else { return };
        for (name, rule) in rules.iter().filter(|(name, _)| ["qemu-aarch64", "qemu-s390x"].contains(&&**name)) {
            namespace.register(rule);
            if name == "qemu-aarch64" {
                namespace.register(&rule.replace(":qemu-aarch64:", ":rosetta:"));
            }
        }
        namespace.tool(&["ARCHES=riscv64"], &[]).exits(0);
        assert_eq!(namespace.entries(), ["qemu-aarch64", "qemu-riscv64", "qemu-s390x", "rosetta"]);
        let mut command = namespace.command(&link);
        command.args(["--uninstall", &exchanged(list)]).env("QEMU_BINARY_PATH", interpreters());
        let said = Said::of(&mut command).exits(0);
        assert_eq!(namespace.entries(), left, "{list}: {said:#?}");
        assert!(!said.err.contains("left"), "{said:#?}");
    }
}

//! The pin, as far as it can be shown in a user namespace: there, none is ever set, so it is imitated. In the first one:
//! `tests/boot/pin.rs`.

use crate::common::host;
use crate::common::namespace::{MOUNT, Namespace, Scratch, interpreters};

const ARM64: &[&str] = &["ARCHES=arm64"];

/// Its name, and what its magic is.
const NAME: &str = "binfmt_register";
const MAGIC: &str = "binfmt_register keeps binfmt_misc alive";

/// A run that is killed between the two writes leaves it enabled.
#[test]
fn one_that_a_killed_run_left_enabled_is_disabled() {
    let Some(namespace) = Namespace::new() else { return };
    for before in ["registered", "kept"] {
        namespace.sh(&format!("test ! -e {MOUNT}/{NAME} || echo -1 >{MOUNT}/{NAME}")).exits(0);
        namespace.register(&format!(":{NAME}:M::{MAGIC}::/bin/cat:F"));
        assert!(namespace.entry(NAME).unwrap().enabled);
        namespace.tool(ARM64, &[]).exits(0).says(&[&format!("aarch64: {before}")]);
        assert!(!namespace.entry(NAME).unwrap().enabled);
    }
    namespace.tool(&[], &["--uninstall", "*"]).exits(0).says(&["qemu-aarch64: removed"]).says(&[NAME, "removed"]);
    assert!(namespace.entries().is_empty());
}

#[test]
fn an_entry_of_its_name_is_not_taken_for_it() {
    for rule in [
        format!(":{NAME}:E::theirs::/bin/cat:"),
        format!(":{NAME}:M::theirs::/bin/cat:F"),
        format!(":{NAME}:M::{MAGIC}::/bin/cat:"),
        format!(":{NAME}:M::{MAGIC}::/bin/cat:OF"),
        format!(":{NAME}:M:1:{MAGIC}::/bin/cat:F"),
        format!(":{NAME}:M::{MAGIC}:{}:/bin/cat:F", r"\xfe".repeat(MAGIC.len())),
        format!(":{NAME}:M::{MAGIC}!::/bin/cat:F"),
    ] {
        let Some(namespace) = Namespace::new() else { return };
        namespace.register(&rule);
        let theirs = namespace.state();
        namespace.tool(ARM64, &[]).exits(0).says(&["aarch64: registered"]);
        assert_eq!(namespace.state()[NAME], theirs[NAME], "{rule}");
        for list in ["*", "arm64", "binfmt*"] {
            namespace.tool(&[], &["--uninstall", list]).exits(0);
            assert_eq!(namespace.state()[NAME], theirs[NAME], "{rule}, {list}");
        }
        assert_eq!(namespace.state(), theirs, "{rule}");
        namespace.tool(&[], &["--uninstall", NAME]).exits(0).says(&[NAME, "removed"]);
        assert!(namespace.entries().is_empty());
    }
}

/// It would outlive the namespace. Where nothing tells which one this is, it may be another than the first.
#[test]
fn in_a_user_namespace_there_is_none_also_where_proc_cannot_be_seen() {
    let test = "in_a_user_namespace_there_is_none_also_where_proc_cannot_be_seen";
    if host::cannot(test, "QEMU itself needs /proc, and files that are not in the directory for chroot") {
        return;
    }
    let root = Scratch::new();
    for directory in ["mount", "bin"] {
        std::fs::create_dir(root.0.join(directory)).unwrap();
    }
    root.copy(host::binary(), "bin/tool");
    root.copy(interpreters().join("qemu-aarch64"), "bin/qemu-aarch64");
    let path = root.path();
    let (unknown, own) = ("no pin: cannot tell which user namespace this is", "registered for this user namespace");
    for (namespaces, hide, tool, words) in [
        // As it should be.
        ("-m", "true", "\"$TOOL\" --mount $0/mount", own),
        // Something lies over it.
        ("-m", "mount -t tmpfs tmpfs /proc", "\"$TOOL\" --mount $0/mount", unknown),
        // It is not there, and may not be mounted.
        ("-m", "true", "chroot $0 /bin/tool --mount /mount", unknown),
        // It is not there, and may be mounted.
        ("-mpf", "mount -t proc proc /proc", "chroot $0 /bin/tool --mount /mount", own),
    ] {
        let Some(namespace) = Namespace::new() else { return };
        let setup = format!("mount --bind {MOUNT} $0/mount && export QEMU_BINARY_PATH=\"$1\" ARCHES=arm64 && {hide}");
        let bin = if tool.starts_with("chroot") { "/bin".into() } else { format!("{path}/bin") };
        let run = |tool: &str| namespace.sh(&format!("unshare {namespaces} sh -c '{setup} && {tool}' {path} {bin}"));
        let said = run(tool).exits(0).says(&["aarch64: registered"]).says(&[words]);
        assert_eq!(said.err.matches("no pin: cannot tell").count(), usize::from(words == unknown), "{said:#?}");
        assert_eq!(namespace.entries(), ["qemu-aarch64"], "{hide}; {tool}: {said:#?}");
        assert!(namespace.runs("arm64"));
        let again = run(tool).exits(0).says(&["aarch64: kept"]);
        assert_eq!(namespace.entries(), ["qemu-aarch64"], "{hide}; {tool}: {again:#?}");
    }
}

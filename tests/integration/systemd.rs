//! `systemctl restart systemd-binfmt`: what it does to entries, and the ways to live with it.

use crate::common::namespace::{Namespace, kill};
use crate::common::skip;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

/// What the service executes at each start.
const SERVICE: &str = "/usr/lib/systemd/systemd-binfmt";

/// Where an administrator puts rules; the rules of packages are in others.
const RULES: &str = "/etc/binfmt.d";

/// A namespace in which systemd has no rules yet.
fn namespace(test: &str) -> Option<Namespace> {
    if !Path::new(SERVICE).exists() || !Path::new(RULES).exists() {
        skip(test, &format!("no {SERVICE} or {RULES}: apt-get install systemd"));
        return None;
    }
    let namespace = Namespace::new()?;
    let places = format!("{RULES} /run /usr/lib/binfmt.d");
    namespace
        .sh(&format!("for dir in {places}; do test ! -d $dir || mount -t tmpfs tmpfs $dir || exit; done"))
        .exits(0);
    Some(namespace)
}

const SOME: &[&str] = &["ARCHES=arm64,s390x"];

#[test]
fn it_removes_everything() {
    let Some(namespace) = namespace("it_removes_everything") else { return };
    namespace.register(":theirs:E::theirs::/bin/cat:");
    namespace.tool(SOME, &[]).exits(0);
    assert!(namespace.runs("arm64"));
    namespace.sh(SERVICE).exits(0);
    assert!(namespace.entries().is_empty() && !namespace.runs("arm64"));
    // To run afterwards is the one remedy.
    namespace.tool(SOME, &[]).exits(0).says(&["aarch64: registered"]);
    assert!(namespace.runs("arm64"));
}

#[test]
fn the_rules_that_are_printed_make_both_agree() {
    let Some(namespace) = namespace("the_rules_that_are_printed_make_both_agree") else { return };
    namespace.tool(&[], &[]).exits(0);
    let ours = namespace.state();
    assert!(ours.len() > 25, "{ours:?}");
    namespace.sh(&format!("\"$TOOL\" --print >{RULES}/qemu.conf")).exits(0);
    for _ in 0..2 {
        namespace.sh(SERVICE).exits(0);
        assert_eq!(namespace.state(), ours);
        assert!(namespace.runs("arm64"));
        // And this finds nothing to do.
        let said = namespace.tool(&[], &[]).exits(0);
        assert!(said.err.contains("aarch64: kept") && !said.err.contains("registered /"), "{said:#?}");
        assert_eq!(namespace.state(), ours);
    }
}

#[test]
fn a_holder_registers_again_what_systemd_does_not() {
    let Some(namespace) = namespace("a_holder_registers_again_what_systemd_does_not") else { return };
    namespace.sh(&format!("ARCHES=s390x CREDENTIALS=false \"$TOOL\" --print >{RULES}/qemu.conf")).exits(0);
    let mut holder = namespace.tool_command(&[], SOME, &["--hold"]).stderr(Stdio::null()).spawn().unwrap();
    let there = |entry| {
        (0..200).any(|_| {
            namespace.entry(entry).is_some() || {
                sleep(Duration::from_millis(10));
                false
            }
        })
    };
    // All that it registers, so that it waits: if its first registration fails, because systemd was quicker, it ends.
    assert!(there("qemu-aarch64") && there("qemu-s390x"));
    sleep(Duration::from_millis(300));
    for _ in 0..3 {
        namespace.sh(SERVICE).exits(0);
        assert!(there("qemu-aarch64") && namespace.runs("arm64"));
        assert_eq!(namespace.entry("qemu-s390x").unwrap().flags, "POF");
    }
    // `timeout`, which stands before it, passes the signal on.
    kill("TERM", holder.id());
    holder.wait().unwrap();
    assert_eq!(namespace.entries(), ["qemu-s390x"]);
}

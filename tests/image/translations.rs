//! The image whose interpreters share translations (docs/translations.md): each container shares within itself.

use crate::common::skip;
use crate::docker::{Host, built, container, docker, foreign, interpreters, make_image, script};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::Duration;

const IMAGE: &str = "binfmt_register-image/shared";

/// A container for arm64 that waits, removed with this.
struct Container {
    id: String,
}

impl Container {
    fn new(options: &str) -> Self {
        let shell = foreign("arm64");
        let said = script(&format!("--detach --platform linux/arm64 {options}"), &shell, "echo here; sleep 60; :");
        let container = Self { id: said.exits(0).out.trim().into() };
        for _ in 0..100 {
            if docker(&format!("logs {}", container.id)).out == "here\n" {
                return container;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("it does not begin");
    }

    /// The inode of the cache that its first process has; `None` where it has none.
    fn cache(&self) -> Option<u64> {
        let pid = docker(&format!("inspect --format {{{{.State.Pid}}}} {}", self.id)).exits(0).out;
        let descriptor = format!("/proc/{}/fd/1000", pid.trim());
        let link = fs::read_link(&descriptor).ok()?;
        assert!(link.to_string_lossy().contains("memfd:qemu-translations"), "{link:?}");
        Some(fs::metadata(descriptor).unwrap().ino())
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        docker(&format!("rm -f {}", self.id));
    }
}

#[test]
fn each_container_shares_within_itself() {
    const TEST: &str = "each_container_shares_within_itself";
    if built(TEST).is_none() {
        return;
    }
    if !interpreters().join("translations/amd64/key").exists() {
        skip(TEST, "make translations");
        return;
    }
    let Some(_host) = Host::new() else { return };
    make_image(&["QEMU=built", &format!("IMAGE={IMAGE}"), "ARCHES=arm64,arm", "BAKE=translations"]).exits(0);
    container(&format!("--privileged {IMAGE}:translations")).exits(0);
    let (one, other) = (Container::new(""), Container::new(""));
    let caches = (one.cache().unwrap(), other.cache().unwrap());
    assert_ne!(caches.0, caches.1);
    assert_eq!(Container::new("-e QEMU_TBCACHE=off").cache(), None);
    // The plain ones, again.
    container(&format!("--privileged -e REPLACE=true {}", built(TEST).unwrap())).exits(0);
    assert_eq!(Container::new("-e QEMU_TBCACHE=on").cache(), None);
}

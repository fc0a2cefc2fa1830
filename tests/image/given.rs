//! What a container is given of the host: its files, to be explained, and its rules.

use crate::common::namespace::Scratch;
use crate::docker::{Host, busybox, command, container, some};
use std::fs;

#[test]
fn a_file_of_the_host_is_explained() {
    let Some(_host) = Host::new() else { return };
    let busybox = busybox("arm64");
    let (directory, name) = (busybox.parent().unwrap().display(), busybox.file_name().unwrap().display());
    let explain = || container(&format!("-v {directory}:/host:ro {}:tool --explain --root /host /{name}", some()));
    let said = explain().exits(1);
    assert!(said.out.contains("does not run here: no entry takes"), "{said:?}");
    container(&format!("--privileged {}", some())).exits(0);
    let said = explain().exits(0);
    assert!(said.out.ends_with(": runs here\n"), "{said:?}");
}

#[test]
fn rules_of_the_host_are_registered() {
    let Some(host) = Host::new() else { return };
    let scratch = Scratch::new();
    let interpreter = scratch.executable("interpreter", "#!/bin/sh\necho interpreted\n");
    let rules = scratch.0.join("binfmt.d");
    fs::create_dir(&rules).unwrap();
    let rule = format!(":given:E::given::{}:\n", interpreter.display());
    fs::write(rules.join("given.conf"), rule).unwrap();
    let mount = format!("-v {}:/etc/binfmt.d:ro -e RULES=/etc/binfmt.d", rules.display());
    container(&format!("--privileged {mount} {}", some())).exits(0).says(&["given: registered"]);
    let names = host.names();
    assert!(names.contains("given") && names.contains("qemu-aarch64"), "{names}");
    let file = scratch.executable("file.given", "");
    let said = command("sh").args(["-c", "exec \"$0\""]).arg(&file).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "interpreted\n", "{said:?}");
    container(&format!("--privileged {} --uninstall given", some())).exits(0).says(&["given: removed"]);
}

//! The reference document, word for word, but for what has to be downloaded in its examples: there is no registry here,
//! so `arm64v8/alpine:3.8` is an image with nothing but busybox, and `apk` and `curl` are not called.

use crate::common::namespace::architectures;
use crate::common::{TOP, fetch};
use crate::docker::{Host, build, container, docker, foreign, layers, make_image, script, some};
use std::fs;
use std::path::Path;

const NAME: &str = "deitch/binfmt_register";
const BASE: &str = "arm64v8/alpine:3.8";

const FIRST: &str = r#"
FROM deitch/binfmt_register as qemu

FROM arm64v8/alpine:3.8
# Enable non-native builds of this image on an amd64 hosts.
# This must be the first RUN command in this file!
COPY --from=qemu /usr/bin/qemu-*-static /usr/bin/

RUN mkdir -p /usr/local/bin && printf '#!/bin/sh\nuname -m\n' >/usr/local/bin/somebin
RUN chmod +x /usr/local/bin/somebin
ENTRYPOINT ["/usr/local/bin/somebin"]
"#;

const THREE_STEPS: &str = r#"
FROM deitch/binfmt_register as qemu

FROM arm64v8/alpine:3.8 as base
# Enable non-native builds of this image on an amd64 hosts.
# This must be the first RUN command in this file!
COPY --from=qemu /usr/bin/qemu-*-static /usr/bin/

RUN mkdir -p /usr/local/bin && printf '#!/bin/sh\nuname -m\n' >/usr/local/bin/somebin
RUN chmod +x /usr/local/bin/somebin

FROM arm64v8/alpine:3.8
COPY --from=base /usr/local/bin/somebin /usr/local/bin/somebin
ENTRYPOINT ["/usr/local/bin/somebin"]
"#;

/// The names that images have in the document, for as long as a test wants them.
struct Names;

impl Names {
    fn give(image: &str) -> Self {
        docker(&format!("tag {image} {NAME}")).exits(0);
        docker(&format!("tag {} {BASE}", foreign("arm64"))).exits(0);
        Self
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        docker(&format!("image rm {NAME} {BASE}"));
    }
}

#[test]
fn the_default_run_registers_every_interpreter() {
    let Some(host) = Host::new() else { return };
    make_image(&["IMAGE=binfmt_register-image/full", "ARCHES=all"]).exits(0);
    let _names = Names::give("binfmt_register-image/full");
    let mut said = container(&format!("--privileged {NAME}")).exits(0);
    let mut expected: Vec<String> = vec!["binfmt_register".into()];
    fetch("amd64", "qemu-user").unwrap(); // Debian's, to compare with
    for arch in architectures() {
        if said.err.contains(&format!("{arch}: native, this machine runs it\n")) {
            continue;
        }
        said = said.says(&[&format!("{arch}: registered /usr/bin/qemu-{arch}-static (POCF)")]);
        expected.push(format!("qemu-{arch}"));
    }
    assert!(expected.len() > 30 && said.out.is_empty(), "{expected:?}");
    expected.sort();
    assert_eq!(host.names(), expected.join(" "));
    assert!(host.runs_arm64() && host.container_runs_arm64());
}

#[test]
fn the_modes_and_replace() {
    let Some(host) = Host::new() else { return };
    let _names = Names::give(some());
    let interpreter = "/usr/bin/qemu-aarch64-static";
    let run = |variables: &str| container(&format!("--privileged {variables} {NAME}"));

    run("-e MODE=execution").exits(0).says(&["aarch64: registered", "(POC)"]);
    assert_eq!(host.entry("qemu-aarch64"), (interpreter.into(), "POC".into()));
    // It does not override. What was asked for is not there, and that is said.
    run("").exits(0).says(&["aarch64: kept, entry qemu-aarch64 handles it where", interpreter]);
    run("-e MODE=registration").exits(1).says(&["aarch64: kept, but entry qemu-aarch64", "REPLACE=true"]);
    assert_eq!(host.entry("qemu-aarch64"), (interpreter.into(), "POC".into()));

    run("-e MODE=registration -e REPLACE=true").exits(0).says(&["aarch64: replaced", "(POCF)"]);
    assert_eq!(host.entry("qemu-aarch64"), (interpreter.into(), "POCF".into()));
    assert!(host.container_runs_arm64());
    run("-e REPLACE=true -e MODE=execution").exits(0).says(&["aarch64: replaced", "(POC)"]);
    assert!(!host.container_runs_arm64(), "there is no interpreter in it");
    run("-e REPLACE=true").exits(0).says(&["aarch64: replaced", "(POCF)"]);

    let before = host.entries();
    run("-e MODE=sometimes").exits(2).says_only(&["MODE", "'sometimes'", "registration execution"]);
    run("-e REPLACE=yes").exits(2).says_only(&["REPLACE", "'yes'", "true false"]);
    assert_eq!(host.entries(), before);
}

/// Its third rule: asked for, and the kernel does not have it.
#[test]
fn registration_mode_on_an_old_kernel_is_an_error() {
    let Some(host) = Host::new() else { return };
    let shell = crate::docker::with_shell();
    let old =
        |variables: &str| script("--privileged", shell, &format!("{variables} setarch --uname-2.6 binfmt_register"));
    old("MODE=registration").exits(1).says_only(&["MODE=registration", "needs Linux 4.8", "MODE=execution"]);
    assert_eq!(host.names(), "");
    old("").exits(0).says(&["aarch64: registered", "(OC)"]);
}

#[test]
fn the_multi_stage_examples_in_execution_mode() {
    let Some(host) = Host::new() else { return };
    let _names = Names::give(some());
    container(&format!("--privileged -e MODE=execution {NAME}")).exits(0);
    let (interpreter, _) = host.entry("qemu-aarch64");
    assert!(!Path::new(&interpreter).exists(), "one of this machine's would be found here");

    let base = container(&format!("--platform linux/arm64 {BASE} /bin/busybox uname -m"));
    assert!(base.status != 0 && !base.out.contains("aarch64"), "without an interpreter in it: {base:#?}");
    // The document is of the time of Docker's first builder, which takes a local image whatever platform it is of.
    build("binfmt_register-image/first", "", FIRST, false).exits(0);
    let first = container("--platform linux/arm64 binfmt_register-image/first").exits(0);
    assert_eq!(first.out, "aarch64\n");

    build("binfmt_register-image/three-steps", "", THREE_STEPS, false).exits(0);
    let files = layers("binfmt_register-image/three-steps").concat();
    assert!(files.contains(&"usr/local/bin/somebin".into()), "{files:?}");
    assert!(!files.iter().any(|file| file.contains("qemu")), "{files:?}");
    let run = || container("--platform linux/arm64 binfmt_register-image/three-steps");
    let said = run();
    assert!(said.status != 0 && !said.out.contains("aarch64"), "it has no interpreter left: {said:#?}");
    container(&format!("--privileged -e MODE=registration -e REPLACE=true {NAME}")).exits(0);
    assert_eq!(run().exits(0).out, "aarch64\n", "and needs none in registration mode");
}

/// That example in the words of docs/images.md, for BuildKit, which wants to be told the platforms.
#[test]
fn the_example_of_the_documentation() {
    let Some(_host) = Host::new() else { return };
    container(&format!("--privileged -e MODE=execution {}", some())).exits(0);
    let page = fs::read_to_string(Path::new(TOP).join("docs/images.md")).unwrap();
    let (_, file) = page.split_once("```dockerfile\n").unwrap();
    let (file, _) = file.split_once("```").unwrap();
    let file = file.replace("binfmt_register:", &format!("{}:", some())).replace("arm64v8/debian", &foreign("arm64"));
    let tag = "binfmt_register-image/readme";
    build(tag, "--platform linux/arm64", &format!("{file}ENTRYPOINT [\"/bin/busybox\", \"uname\", \"-m\"]\n"), true)
        .exits(0);
    assert_eq!(container(&format!("--platform linux/arm64 {tag}")).exits(0).out, "aarch64\n");
}

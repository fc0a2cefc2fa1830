//! Whole systems of other architectures: Debian for arm64 and riscv64, made and used through the interpreters.

use crate::common::TOP;
use crate::common::namespace::Said;
use crate::docker::{Host, build, built, command, container, some};
use std::thread;

/// Has debootstrap make a Debian for that architecture, as an image.
fn debian(arch: &str) -> String {
    let image = format!("binfmt_register-image/debian-{arch}");
    Said::of(command("tests/image/system").args([arch, &image])).exits(0);
    image
}

/// What a shell script says in that system; `bash`, for `exec -a`.
fn bash(arch: &str, image: &str, script: &str) -> String {
    let words = format!("run --rm --platform linux/{arch} {image} bash -c");
    Said::of(command("docker").args(words.split(' ')).arg(script)).exits(0).out
}

fn basics(arch: &str, machine: &str, image: &str) {
    assert_eq!(bash(arch, image, "uname -m && dpkg --print-architecture"), format!("{machine}\n{arch}\n"));
    let script = "printf '#!/bin/sh\\necho \"$0 $1\"\\n' >/script && chmod +x /script && /script one";
    assert_eq!(bash(arch, image, script), "/script one\n");
    assert_eq!(bash(arch, image, "exec -a another bash -c 'echo $0'"), "another\n");
    assert_eq!(bash(arch, image, "perl -e 'print 6 * 7'"), "42");
}

#[test]
fn debian_of_other_architectures() {
    let Some(_host) = Host::new() else { return };
    let register = |variables: &str| container(&format!("--privileged {variables} {}", some())).exits(0);
    register("");
    let (arm64, riscv64) = thread::scope(|scope| {
        let riscv64 = scope.spawn(|| debian("riscv64"));
        (debian("arm64"), riscv64.join().unwrap())
    });
    basics("arm64", "aarch64", &arm64);
    basics("riscv64", "riscv64", &riscv64);

    let file = format!(
        "FROM {arm64}\n\
         RUN DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends sudo >/dev/null\n\
         RUN useradd someone && echo 'someone ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/someone\n\
         USER someone\nENTRYPOINT [\"/usr/bin/sudo\", \"-n\", \"id\", \"-u\"]\n",
    );
    build("binfmt_register-image/sudo", "--platform linux/arm64", &file, true).exits(0);
    let sudo = || container("--platform linux/arm64 binfmt_register-image/sudo");
    assert_eq!(sudo().exits(0).out, "0\n", "by default a setuid program has its rights");
    register("-e REPLACE=true -e CREDENTIALS=false");
    let said = sudo().exits(1).says(&["sudo: effective uid is not 0"]);
    assert_eq!(said.out, "");
    register("-e REPLACE=true -e CREDENTIALS=true");
    assert_eq!(sudo().exits(0).out, "0\n");

    // By our own interpreters: a package's own scripts, threads, processes and signals.
    let Some(ours) = built("debian_of_other_architectures") else { return };
    container(&format!("--privileged -e REPLACE=true {ours}")).exits(0);
    let file = format!(
        "FROM {arm64}\n\
         RUN DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3 >/dev/null\n"
    );
    build("binfmt_register-image/python", "--platform linux/arm64", &file, true).exits(0);
    let programs = format!("{TOP}/tests/interpreters/programs:/programs:ro");
    let run = |program: &str| {
        let image = "binfmt_register-image/python";
        container(&format!("--platform linux/arm64 -v {programs} {image} {program}")).exits(0).out
    };
    assert_eq!(run("python3 /programs/threads.py"), "24 True 499999500000\n");
    assert_eq!(run("perl /programs/forks.pl"), "42925 15\n");
    assert_eq!(run("ldconfig -p").matches("libc.so.6 ").count(), 1);
}

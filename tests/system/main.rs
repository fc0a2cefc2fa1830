//! Whole Debian systems, booted: with systemd alone, with AppArmor and Docker, with SELinux and podman. What is done in
//! them is what their users do.

#[path = "../common/mod.rs"]
mod common;
#[path = "../boot/machine.rs"]
mod machine;

mod apparmor;
mod automount;
mod podman;
mod selinux;
mod service;

use common::{TOP, debian, run, shipped, skip};
use machine::{Machine, need};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Makes the images: the tool with an interpreter, as `make image` has it, and a program for arm64. Of `podman` or `docker`.
const IMPORT: &str = r#"import() { tar -C /test/$2 -c . | $1 import --change "$3" - $2 >/dev/null 2>&1; }
import ENGINE binfmt_register 'ENTRYPOINT ["/usr/bin/binfmt_register"]' && import ENGINE foreign 'CMD ["/bin/busybox", "uname", "-m"]'"#;

/// The program for arm64, on the host.
const RUN: &str = "/test/foreign/bin/busybox uname -m";

/// The end of a command that fails as one for which there is no handler: not executable, in the words of the shell.
const NO_HANDLER: &str = "2>/dev/null; test $? -eq 126";

/// The entries, once ours are there again: the pin is the last of them.
const COME_BACK: &str =
    "for i in $(seq 200); do [ ! -e /proc/sys/fs/binfmt_misc/binfmt_register ] || break; sleep 0.1; done;
    echo $(ls /proc/sys/fs/binfmt_misc)";

/// A system with these security modules of Linux, with the images' files; `None`, said aloud, where there can be none.
fn system(test: &str, modules: &str) -> Option<Machine> {
    static IMAGE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let make = || {
        need("trixie")?;
        let image = run(&mut Command::new(Path::new(TOP).join("tests/system/image")))?;
        Ok(PathBuf::from(image.trim()))
    };
    let image = IMAGE.get_or_init(make).as_ref().map_err(|why| skip(test, why)).ok()?;
    let machine = Machine::new("trixie")
        .system(image)
        .append(&format!("lsm={modules}"))
        .file("/binfmt_register/usr/bin/binfmt_register", shipped())
        .file("/binfmt_register/usr/bin/qemu-aarch64-static", debian("amd64", "/usr/bin/qemu-aarch64"))
        .file("/foreign/bin/busybox", debian("arm64", "/usr/bin/busybox"));
    Some(machine)
}

/// The commands that make the images for this engine.
fn import(engine: &str) -> String {
    IMPORT.replace("ENGINE", engine)
}

/// The rule that Debian has for arm64, with this interpreter: what other tools register.
fn rule(interpreter: &str) -> String {
    let rules = fs::read_to_string(debian("amd64", "/usr/lib/binfmt.d/qemu-aarch64.conf")).unwrap();
    let rule = rules.trim().rsplitn(3, ':').last().unwrap(); // without interpreter and flags
    format!("{rule}:{interpreter}:F")
}

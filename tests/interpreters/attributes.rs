//! Extended attributes of files: capabilities, access control lists.

use crate::Both;
use crate::common::namespace::{Said, Scratch};
use crate::common::{debian, fetch};
use std::fs;
use std::process::Command;

/// Sets one and reads it, by the system calls of AArch64.
const SCRIPT: &str = r#"my ($file, $name, $value, $read) = ($ARGV[0], "user.test", "abc", "   ");
    syscall(5, $file, $name, $value, 3, 0) == 0 && syscall(8, $file, $name, $read, 3) == 3 or die $!;
    print $read"#;

#[test]
fn extended_attributes() {
    let Some(both) = Both::new() else { return };
    if !both.have("aarch64") {
        return;
    }
    for package in ["base-files", "libc6", "libcrypt1", "perl-base"] {
        fetch("arm64", package).unwrap();
    }
    let scratch = Scratch::new();
    let file = scratch.0.join("file");
    fs::write(&file, "").unwrap();
    for directory in [&both.ours, &both.debians] {
        let mut command = Command::new(directory.join("qemu-aarch64"));
        command.arg("-L").arg(debian("arm64", "/")).arg(debian("arm64", "usr/bin/perl"));
        let said = Said::of(command.args(["-e", SCRIPT]).arg(&file));
        assert_eq!((said.status, &*said.out), (0, "abc"), "{}: {said:?}", directory.display());
    }
}

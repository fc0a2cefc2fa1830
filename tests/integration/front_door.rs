//! The README's first command, as root of a namespace of its own.

use crate::common::namespace::Namespace;
use crate::common::{TOP, run, skip};
use std::process::Command;

#[test]
fn make_register_registers_and_make_uninstall_undoes_it() {
    let test = "make_register_registers_and_make_uninstall_undoes_it";
    // What takes long is done first: in the namespace there is a time limit.
    let bring = run(Command::new("make").args(["-s", "-C", TOP, "all", "target/qemu/ready"]));
    if let Err(why) = bring {
        return skip(test, &why);
    }
    let Some(namespace) = Namespace::bare() else { return };
    let make = |words: &str| namespace.sh(&format!("make -s -C {TOP} {words}"));
    make("register ARCHES=arm64,riscv64").exits(0).says(&["aarch64: registered"]).says(&["riscv64: registered"]);
    assert!(namespace.runs("arm64") && namespace.runs("riscv64"));
    assert_eq!(namespace.entries(), ["qemu-aarch64", "qemu-riscv64"]);
    make("register ARCHES=arm64 REPLACE=true").exits(0).says(&["aarch64: replaced"]);
    make("uninstall").exits(0).says(&["qemu-aarch64: removed"]);
    assert!(namespace.entries().is_empty() && !namespace.runs("arm64"));
}

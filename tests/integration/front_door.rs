//! The README's first command, as root of a namespace of its own.

use crate::common::namespace::Namespace;
use crate::common::{TOP, cargo, copy_of_the_package, run, skip};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// Where this has make bring the interpreters: not to `target/qemu`, for of these there are to be all.
const PLACE: &str = "target/tmp/front_door";

/// What tells cargo where it keeps what it downloads, and rustup's wrapper of it which cargo that is.
const CARGO: [&str; 4] = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];

#[test]
fn make_register_registers_and_make_uninstall_undoes_it() {
    let test = "make_register_registers_and_make_uninstall_undoes_it";
    // What takes long is done first: in the namespace there is a time limit.
    let (place, ready) = (format!("qemu={PLACE}"), format!("{PLACE}/ready"));
    let bring = run(Command::new("make").args(["-s", "-C", TOP, &place, "all", &ready]));
    if let Err(why) = bring {
        return skip(test, &why);
    }
    keep_two_interpreters();
    let Some(namespace) = Namespace::bare() else { return };
    let environment = CARGO.into_iter().filter_map(|name| Some((name, env::var_os(name)?)));
    let environment: Vec<_> = environment.collect();
    let make = |words: &str| {
        namespace.sh_with(&format!("unset QEMU_BINARY_PATH; make -s -C {TOP} {place} {words}"), &environment)
    };
    make("register ARCHES=arm64,riscv64").exits(0).says(&["aarch64: registered"]).says(&["riscv64: registered"]);
    assert!(namespace.runs("arm64") && namespace.runs("riscv64"));
    assert_eq!(namespace.entries(), ["qemu-aarch64", "qemu-riscv64"]);
    assert!(namespace.entry("qemu-aarch64").unwrap().interpreter.starts_with(&format!("{TOP}/{PLACE}/usr/bin/")));
    make("register ARCHES=arm64 REPLACE=true").exits(0).says(&["aarch64: replaced"]);
    make("uninstall").exits(0).says(&["qemu-aarch64: removed"]);
    assert!(namespace.entries().is_empty() && !namespace.runs("arm64"));
}

/// The package has 400 MB; what is registered here is kept.
fn keep_two_interpreters() {
    for file in fs::read_dir(Path::new(TOP).join(PLACE).join("usr/bin")).unwrap().map(Result::unwrap) {
        let name = file.file_name().into_string().unwrap();
        if !matches!(name.trim_end_matches("-static"), "qemu-aarch64" | "qemu-riscv64") {
            fs::remove_file(file.path()).unwrap();
        }
    }
}

/// The linker's driver takes commas in some of its arguments for the end of one.
#[test]
fn a_comma_in_the_path_of_the_checkout_does_not_break_the_build() {
    let copy = copy_of_the_package("a, comma");
    let build = "build, with a comma";
    run(cargo(&copy, build, "build").args(["--release", "--quiet", "--bin", "binfmt_register"])).unwrap();
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join(build).join("release/binfmt_register");
    assert!(run(Command::new(binary).arg("--version")).is_ok_and(|version| !version.is_empty()));
}

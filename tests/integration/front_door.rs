//! The README's first command, as root of a namespace of its own.

use crate::common::namespace::{self, MOUNT, Namespace, Said, Scratch};
use crate::common::{TOP, cargo, copy_of_the_package, run, scratch, skip};
use serde_json::Value;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

/// Where this has make bring the interpreters: not to `target/qemu`, for of these there are to be all.
const PLACE: &str = "target/tmp/front_door";

/// What tells cargo where it keeps what it downloads, and rustup's wrapper of it which cargo that is.
const CARGO: [&str; 4] = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];

/// What `make` does in a namespace: it notes in `notes` what is registered.
fn make(namespace: &Namespace, notes: &Scratch, words: &str) -> Said {
    let environment = CARGO.into_iter().filter_map(|name| Some((name, env::var_os(name)?)));
    let environment: Vec<_> = environment.collect();
    let script = format!("unset QEMU_BINARY_PATH; make -s -C {TOP} registered={}/notes {words}", notes.path());
    namespace.sh_with(&script, &environment)
}

/// Has make build, and bring what is named by `words`. What takes long is done first: in the namespace there is a time
/// limit.
fn is_ready(test: &str, words: &[&str]) -> bool {
    let ready = run(Command::new("make").args(["-s", "-C", TOP, "all"]).args(words));
    ready.map_err(|why| skip(test, &why)).is_ok()
}

/// The README's first commands, as they are written there, by what stands for sudo, in a clone of its own that belongs to
/// an ordinary user: they print what the README says they do.
#[test]
fn the_start_is_as_the_readme_has_it() {
    let test = "the_start_is_as_the_readme_has_it";
    if !are_brought(test) {
        return;
    }
    let namespace = Namespace::with_users();
    let Some(namespace) = namespace else { return };
    let clone = scratch("readme");
    let script = format!(
        "git ls-files -z | xargs -0 cp -P --parents -t {clone} && mkdir {clone}/target {clone}/bin && \
        cp -R {PLACE} {clone}/target/qemu && chown -R 1000:1000 {clone}/target && \
        printf '#!/bin/sh\\nexec \"$@\"\\n' >{clone}/bin/sudo && chmod +x {clone}/bin/sudo",
        clone = clone.display()
    );
    run(Command::new("sh").args(["-c", &script]).current_dir(TOP)).unwrap();
    run(Command::new("make").args(["-s", "all"]).current_dir(&clone)).unwrap(); // takes long; what the command below does
    let readme = fs::read_to_string(Path::new(TOP).join("README.md")).unwrap();
    let runs = |command: &str| {
        let environment = CARGO.into_iter().filter_map(|name| Some((name, env::var_os(name)?)));
        let environment: Vec<_> = environment.collect();
        let place = clone.display();
        namespace
            .sh_with(&format!("unset QEMU_BINARY_PATH; cd {place}; PATH={place}/bin:$PATH; {command}"), &environment)
    };
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");

    let (register, printed) = printed_by(&readme, "sudo make register");
    let said = runs(register).exits(0);
    // Beside cargo's own lines; and this is not the machine's own binfmt_misc.
    let no_part = ["Compiling", "Finished", "warning: ", "registered for this user namespace"];
    let lines = said.err.lines().filter(|line| !no_part.iter().any(|word| line.contains(word)));
    let said = one_line(&lines.collect::<Vec<_>>().join(" "));
    let said = said.replace(&clone.display().to_string(), "/home/you/binfmt_register");
    // Debian 13 has left out this end of their names.
    assert_eq!(said.replace("-static", ""), one_line(printed).replace("-static", ""));
    assert!(namespace.runs("arm64") && namespace.runs("riscv64"));

    let (status, printed) = printed_by(&readme, "sudo target/release/binfmt_register");
    let said = runs(status).exits(0);
    // What the machine executes by itself depends on it.
    let others = |text: &str| {
        let json: Value = serde_json::from_str(text).unwrap();
        let list = |name: &str| json[name].as_array().unwrap().iter().map(|word| word.to_string()).collect::<Vec<_>>();
        let is_own = |name: &String| name.contains("amd64") || name.contains("386");
        (list("supported").into_iter().filter(|name| !is_own(name)).collect::<Vec<_>>(), list("emulators"))
    };
    assert_eq!(others(&said.out), others(printed));
    runs("sudo make uninstall").exits(0).says(&["qemu-aarch64: removed"]).says(&["qemu-riscv64: removed"]);
    assert!(namespace.entries().is_empty());
}

/// The command of the README that starts so, and what it says that it prints.
fn printed_by<'a>(readme: &'a str, start: &str) -> (&'a str, &'a str) {
    let (_, rest) = readme.split_once(&format!("\n$ {start}")).unwrap();
    let (block, _) = rest.split_once("\n```").unwrap();
    let (end, printed) = block.split_once('\n').unwrap();
    let from = readme.find(&format!("\n$ {start}")).unwrap() + 3;
    (&readme[from..from + start.len() + end.len()], printed)
}

/// The interpreters below [`PLACE`], once.
fn are_brought(test: &str) -> bool {
    static BROUGHT: OnceLock<bool> = OnceLock::new();
    *BROUGHT.get_or_init(|| {
        let brought = is_ready(test, &[&format!("qemu={PLACE}"), &format!("{PLACE}/ready")]);
        if brought {
            keep_two_interpreters();
        }
        brought
    })
}

/// What `make` says where cargo says `version`; without one, where there is none.
fn make_with_rust(version: Option<&str>) -> Said {
    let directory = Scratch::new();
    let cargo = directory.0.join("cargo");
    let says = version.map_or("exit 127".into(), |version| format!("echo 'cargo {version} (c0ffee 2024-01-01)'"));
    fs::write(&cargo, format!("#!/bin/sh\n{says}\n")).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let mut make = Command::new("make");
    make.args(["-s", "-C", TOP, "all"]).env_remove("MAKEFLAGS").env_remove("SUDO_USER");
    Said::of(make.env("PATH", format!("{}:{}", directory.path(), env::var("PATH").unwrap())))
}

#[test]
fn make_says_in_one_line_that_rust_is_too_old() {
    for (version, says) in [
        (Some("1.63.0"), "Rust 1.63.0 is too old: "),
        (Some("1.86.0"), "Rust 1.86.0 is too old: "),
        (None, "No cargo: "),
    ] {
        let said = make_with_rust(version).exits(2);
        let mut lines = said.err.lines();
        assert!(
            lines.next().is_some_and(|line| line.starts_with(says) && line.contains("Rust 1.87 or later")),
            "{said:#?}"
        );
        assert!(lines.all(|line| line.starts_with("make")), "{said:#?}");
    }
    for version in ["1.87.0", "1.100.0-nightly", "2.0.0"] {
        make_with_rust(Some(version)).exits(0);
    }
}

/// Two interpreters, and where they are as make takes it.
fn interpreters() -> (Scratch, String) {
    let scratch = Scratch::new();
    for name in ["qemu-aarch64", "qemu-riscv64"] {
        scratch.copy(namespace::interpreters().join(name), name);
    }
    let variable = scratch.variable();
    (scratch, variable)
}

#[test]
fn make_register_registers_and_make_uninstall_undoes_it() {
    let test = "make_register_registers_and_make_uninstall_undoes_it";
    let place = format!("qemu={PLACE}");
    if !are_brought(test) {
        return;
    }
    let Some(namespace) = Namespace::bare() else { return };
    let notes = Scratch::new();
    let make = |words: &str| make(&namespace, &notes, &format!("{place} {words}"));
    make("register ARCHES=arm64,riscv64").exits(0).says(&["aarch64: registered"]).says(&["riscv64: registered"]);
    assert!(namespace.runs("arm64") && namespace.runs("riscv64"));
    assert_eq!(namespace.entries(), ["qemu-aarch64", "qemu-riscv64"]);
    assert!(namespace.entry("qemu-aarch64").unwrap().interpreter.starts_with(&format!("{TOP}/{PLACE}/usr/bin/")));
    make("register ARCHES=arm64 REPLACE=true").exits(0).says(&["aarch64: replaced"]);
    make("uninstall").exits(0).says(&["qemu-aarch64: removed"]).says(&["qemu-riscv64: removed"]);
    assert!(namespace.entries().is_empty() && !namespace.runs("arm64"));
}

#[test]
fn make_uninstall_removes_only_what_make_register_has_registered() {
    let test = "make_uninstall_removes_only_what_make_register_has_registered";
    let Some(namespace) = Namespace::new() else { return };
    if !is_ready(test, &[]) {
        return;
    }
    let (notes, (_place, path)) = (Scratch::new(), interpreters());
    let make = |words: &str| make(&namespace, &notes, &format!("{path} {words}"));
    // By the tool itself, which means as an image; and of another tool.
    namespace.tool(&["ARCHES=riscv64,s390x"], &[]).exits(0);
    namespace.register(":qemu-m68k:E::m68k::/bin/true:");
    let before = namespace.state();
    make("uninstall").exits(0).says_only(&["make register has registered nothing", "--uninstall '*'"]);
    assert_eq!(namespace.state(), before);
    make("register ARCHES=arm64,riscv64").exits(0).says(&["aarch64: registered"]).says(&["riscv64: kept"]);
    make("uninstall").exits(0).says_only(&["qemu-aarch64: removed"]);
    assert_eq!(namespace.state(), before);
    make("uninstall").exits(0).says_only(&["make register has registered nothing"]);
    assert_eq!(namespace.state(), before);
    // What has taken the place of an entry meanwhile is not removed with it.
    make("register ARCHES=arm64").exits(0);
    namespace.tool(&[], &["--uninstall", "arm64"]).exits(0);
    namespace.register(":qemu-aarch64:E::arm64::/bin/true:");
    make("uninstall").exits(0).says_only(&["qemu-aarch64: left, another tool has registered it"]);
    assert_eq!(namespace.entries(), ["qemu-aarch64", "qemu-m68k", "qemu-riscv64", "qemu-s390x"]);
}

/// In a user namespace there is no pin, so one is made by hand.
#[test]
fn make_uninstall_removes_the_pin_unless_it_is_needed() {
    let test = "make_uninstall_removes_the_pin_unless_it_is_needed";
    if !is_ready(test, &[]) {
        return;
    }
    for needed in [false, true] {
        let Some(namespace) = Namespace::new() else { return };
        let (notes, (_place, path)) = (Scratch::new(), interpreters());
        let make = |words: &str| make(&namespace, &notes, &format!("{path} {words}"));
        namespace.register(":theirs:E::theirs::/bin/true:");
        namespace.register(":binfmt_register:M::binfmt_register keeps binfmt_misc alive::/bin/true:F");
        namespace.sh(&format!("echo 0 >{MOUNT}/binfmt_register")).exits(0);
        if needed {
            namespace.tool(&["ARCHES=s390x"], &[]).exits(0);
        }
        make("register ARCHES=arm64").exits(0).says(&["aarch64: registered"]);
        let said = make("uninstall").exits(0).says(&["qemu-aarch64: removed"]);
        assert!(!said.err.contains("nothing registered"), "{said:#?}");
        if needed {
            assert_eq!(namespace.entries(), ["binfmt_register", "qemu-s390x", "theirs"]);
        } else {
            assert_eq!(namespace.entries(), ["theirs"], "{said:#?}");
        }
    }
}

#[test]
fn make_register_in_execution_mode_from_a_users_checkout_is_refused() {
    let test = "make_register_in_execution_mode_from_a_users_checkout_is_refused";
    if !is_ready(test, &[]) {
        return;
    }
    let (place, path) = interpreters();
    let check = |namespace: &Namespace| {
        let notes = Scratch::new();
        let make = |words: &str| make(namespace, &notes, &format!("{path} ARCHES=arm64 {words}"));
        let said = make("register MODE=execution").exits(2).says(&["aarch64: not registered", "others than root"]);
        said.says(&["CREDENTIALS=false", "TRUST=true"]);
        assert!(namespace.entries().is_empty());
        make("register MODE=execution TRUST=true").exits(0).says(&["aarch64: registered", "(POC)"]);
        make("uninstall").exits(0).says_only(&["qemu-aarch64: removed"]);
        make("register MODE=execution CREDENTIALS=false").exits(0).says(&["aarch64: registered", "(PO)"]);
        make("uninstall").exits(0);
        let said = make("register").exits(0).says(&["aarch64: registered", "(POCF)"]);
        assert_eq!(said.err.matches("others than root can replace it").count(), 1, "{said:#?}");
    };
    let Some(namespace) = Namespace::new() else { return };
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o757)).unwrap();
    check(&namespace);
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o755)).unwrap();
    let Some(namespace) = Namespace::with_users() else { return };
    chown(&place.0, Some(1000), Some(1000)).unwrap();
    check(&namespace);
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

//! What the built binary is, and what it is built from.

use crate::common::namespace::Namespace;
use crate::common::{TOP, cargo, host, run, skip};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The most bytes the binary may have. The budgets are 45,056 on x86_64 and 57,344 elsewhere. All hosts are above them
/// (docs/hosts.md says by how much, and why), and must not go further away from them.
fn most() -> u64 {
    match host::name() {
        "x86_64" | "aarch64" => 84_480,
        "riscv64" => 79_872,
        "ppc64le" => 107_520,
        "s390x" => 96_256,
        "arm" => 89_088,
        _ => 84_480,
    }
}

/// The most bytes of stack it may use.
const STACK: &str = "65536";

/// The minor version of the oldest Rust that has to keep the size.
const SMALL: u32 = 95;

/// The oldest Rust that builds it.
const RUST: &str = "1.87";

/// What `readelf` says of the binary under test; `None` after having said that it cannot.
fn readelf(test: &str, options: &[&str]) -> Option<String> {
    tool(test, Command::new("readelf").args(options).arg(host::file()))
}

/// What a tool of binutils says.
fn tool(test: &str, command: &mut Command) -> Option<String> {
    run(command.env("LC_ALL", "C")).map_err(|why| skip(test, &format!("{why} (binutils has it)"))).ok()
}

/// The binary with its symbols, which the one under test is stripped of.
fn with_symbols() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if host::other().is_some() {
            let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build-with-symbols");
            let mut build = Command::new(Path::new(TOP).join("qemu/cross"));
            let built =
                build.arg(host::name()).env("CARGO_PROFILE_RELEASE_STRIP", "none").env("CARGO_TARGET_DIR", target);
            return run(built).unwrap().split_whitespace().last().unwrap().into();
        }
        let dir = "build-with-symbols";
        let mut build = cargo(Path::new(TOP), dir, "build");
        run(build.args([
            "--release",
            "--quiet",
            "--bin",
            "binfmt_register",
            "--config",
            "profile.release.strip='none'",
        ]))
        .unwrap();
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(dir).join("release/binfmt_register")
    })
}

/// The symbols of the binary, one a line.
fn symbols(test: &str) -> Option<String> {
    tool(test, Command::new("readelf").args(["-sWC"]).arg(with_symbols()))
}

#[test]
fn it_is_small() {
    // Older ones need some 2,000 bytes more.
    let version = run(Command::new("rustc").arg("--version")).unwrap();
    let minor: u32 = version.split('.').nth(1).unwrap().parse().unwrap();
    if minor < SMALL {
        return skip("it_is_small", &format!("the sizes are those of Rust 1.{SMALL}, this is {}", version.trim()));
    }
    let (size, most) = (fs::metadata(host::file()).unwrap().len(), most());
    assert!(size <= most, "{size} bytes, at most {most} expected");
}

#[test]
fn it_is_static() {
    let Some(said) = readelf("it_is_static", &["-hldrW"]) else { return };
    let header = |name: &str| said.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap_or_default().trim();
    assert_eq!(header("Class:"), if matches!(host::name(), "arm" | "i386") { "ELF32" } else { "ELF64" });
    assert_eq!(header("Type:"), "EXEC (Executable file)", "position-independent");
    assert!(said.contains("There is no dynamic section") && said.contains("There are no relocations"), "{said}");
    for segment in ["INTERP", "DYNAMIC"] {
        assert!(segments(&said).all(|(kind, _)| kind != segment), "{said}");
    }
}

#[test]
fn nothing_is_writable_and_executable() {
    let Some(said) = readelf("nothing_is_writable_and_executable", &["-lW"]) else { return };
    let both = |flags: &str| flags.contains('W') && flags.contains('E');
    assert!(segments(&said).any(|(kind, flags)| kind == "LOAD" && flags.contains('E')), "{said}");
    assert!(!segments(&said).any(|(_, flags)| both(&flags)), "{said}");
    // Without this one the kernel would make the stack executable.
    let stack: Vec<_> = segments(&said).filter(|(kind, _)| *kind == "GNU_STACK").collect();
    assert_eq!(stack, [("GNU_STACK", "RW".into())]);
}

/// The type and the flags of each segment in what `readelf -lW` says: `LOAD 0x0 0x400000 0x400000 0x65ed 0x65ed R E
/// 0x1000`.
fn segments(said: &str) -> impl Iterator<Item = (&str, String)> {
    let headers = said.lines().skip_while(|line| !line.starts_with("Program Headers:")).skip(2);
    headers.take_while(|line| !line.is_empty()).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.len() > 7).then(|| (fields[0], fields[6..fields.len() - 1].concat()))
    })
}

#[test]
fn it_has_no_heap_and_no_libc() {
    let test = "it_has_no_heap_and_no_libc";
    let Some(symbols) = symbols(test) else { return };
    // The first symbol is none. On arm the unwinder's tables, which are left out, name its functions.
    let named = |line: &&str| !line.ends_with(" UND ") && !line.contains("__aeabi_unwind_cpp_pr");
    let undefined: Vec<&str> = symbols.lines().filter(|line| line.contains(" UND ")).filter(named).collect();
    assert!(undefined.is_empty(), "{undefined:#?}");
    let signs = ["__rust_alloc", "__rust_dealloc", "__rg_", "alloc::", "malloc", "__libc", "errno_location"];
    let found: Vec<&str> = symbols.lines().filter(|line| signs.iter().any(|sign| line.contains(sign))).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn it_needs_little_stack() {
    if host::cannot("it_needs_little_stack", "QEMU gives a program no less than 128 KiB") {
        return;
    }
    let (Some(free), Some(limited)) = (Namespace::new(), Namespace::new()) else { return };
    let limit = ["prlimit", &format!("--stack={STACK}:{STACK}"), "--"];
    free.tool(&[], &[]).exits(0);
    // No VERIFY, and no --status later: the interpreters would have the limit too, which is not for them.
    limited.under(&limit, &[], &["--status"]).exits(0);
    limited.under(&limit, &[], &["--explain", "/bin/true"]).exits(0);
    limited.under(&limit, &["ARCHES=all", "MODE=execution"], &["--print"]).exits(0);
    limited.under(&limit, &[], &["--help"]).exits(0);
    for variables in [&[][..], &["REPLACE=true"]] {
        limited.under(&limit, variables, &[]).exits(0);
        assert!(limited.entries().len() > 30);
        assert_eq!(limited.entries(), free.entries());
    }
    limited.under(&limit, &[], &["--status=full"]).exits(0);
    limited.under(&limit, &[], &["--uninstall", "*"]).exits(0);
    assert!(limited.entries().is_empty());
}

#[test]
fn it_is_built_from_little() {
    let tree = |arguments: &[&str]| {
        let mut tree = cargo(Path::new(TOP), "unused", "tree");
        let names = run(tree.args(["-e", "normal", "--prefix", "none", "--format", "{p}"]).args(arguments)).unwrap();
        let names = names.lines().filter_map(|line| line.split(' ').next().map(String::from));
        names.filter(|name| name != "binfmt-register").collect::<BTreeSet<String>>()
    };
    let direct = ["bitflags", "heapless", "linux-raw-sys", "rustix"];
    let theirs = ["byteorder", "hash32", "stable_deref_trait"];
    assert!(tree(&["--depth", "1"]).iter().eq(direct));
    let others: Vec<_> =
        tree(&[]).into_iter().filter(|name| ![&direct[..], &theirs].concat().contains(&&**name)).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn its_oldest_rust_is_stated() {
    let mut metadata = cargo(Path::new(TOP), "unused", "metadata");
    let package = run(metadata.args(["--no-deps", "--format-version", "1"])).unwrap();
    for stated in ["\"edition\":\"2024\"", &format!("\"rust_version\":\"{RUST}\"")] {
        assert!(package.contains(stated), "{stated}");
    }
}

/// By that Rust itself where rustup has it; else by clippy, which knows the library of each release, but not the
/// language.
#[test]
fn its_oldest_rust_builds_it() {
    let test = "its_oldest_rust_builds_it";
    let has = |words: &[&str]| run(Command::new(words[0]).args(&words[1..])).is_ok();
    let target = |name: &str| Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("build-{name}"));
    let (mut check, name) = if has(&["rustup", "run", RUST, "cargo", "--version"]) {
        let mut check = Command::new("rustup");
        check.env_remove("RUSTUP_TOOLCHAIN").args(["run", RUST, "cargo", "check"]);
        (check, RUST)
    } else if has(&["cargo", "clippy", "--version"]) {
        let _ =
            writeln!(stderr(), "{test}: by clippy only (better: rustup toolchain install --profile minimal {RUST})");
        let mut check = Command::new("cargo");
        check.arg("clippy");
        (check, "clippy")
    } else {
        return skip(test, &format!("neither Rust {RUST} (rustup toolchain install {RUST}) nor clippy"));
    };
    check.args(["--offline", "--quiet", "--release"]).current_dir(TOP).env("CARGO_TARGET_DIR", target(name));
    if name == "clippy" {
        check.args(["--", "-D", "clippy::incompatible_msrv"]);
    }
    run(&mut check).unwrap();
}

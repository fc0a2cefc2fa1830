//! What the tests share: the binary, Debian's packages, a namespace to register in, and how to skip.
#![allow(dead_code)] // each test program uses a part of it

pub mod host;
pub mod namespace;
pub mod targets;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::{collections::BTreeMap, env, fs, io, io::Write};

/// The repository.
pub const TOP: &str = env!("CARGO_MANIFEST_DIR");

/// The binary of this machine as it ships: built once, by the profile `release`. The one that cargo builds for the
/// tests is of the profile that these are built in, and nobody is to test that. What is tested is [`host::binary`].
///
/// `TEST_BINARY` in the environment names one that is there already: root, as whom some tests run, must not build in a
/// user's directory.
pub fn shipped() -> &'static str {
    static FILE: OnceLock<String> = OnceLock::new();
    FILE.get_or_init(|| {
        if let Some(file) = env::var("TEST_BINARY").ok().filter(|file| !file.is_empty()) {
            let file = Path::new(TOP).join(file);
            assert!(file.is_file(), "TEST_BINARY: {} is no file", file.display());
            return file.to_str().unwrap().into();
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut build = cargo(Path::new(TOP), "unused", "build");
        run(build.args(["--release", "--quiet", "--bin", "binfmt_register"]).env("CARGO_TARGET_DIR", target)).unwrap();
        target.join("release/binfmt_register").to_str().unwrap().into()
    })
}

/// A file of Debian trixie's packages for `arch`, by the path it has when installed. See [`fetch`].
pub fn debian(arch: &str, file: &str) -> PathBuf {
    debian_of("trixie", arch, file)
}

/// Brings a package of Debian trixie below [`debian`], unless it is there.
pub fn fetch(arch: &str, package: &str) -> Result<(), String> {
    static KNOWN: Mutex<BTreeMap<(String, String), Result<(), String>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap(); // held all along: tests run side by side, and one fetch is enough
    let bring = || fetch_of("trixie", arch, package);
    known.entry((arch.into(), package.into())).or_insert_with(bring).clone()
}

/// Brings several at once, which is quicker. Whether they came, [`fetch`] says of each.
pub fn fetch_together<'a>(arch: &str, packages: impl Iterator<Item = &'a str>) {
    let mut command = Command::new(Path::new(TOP).join("qemu/fetch"));
    let _ = run(command.args(["-s", "trixie", "-a", arch]).arg(debian(arch, "/")).args(packages));
}

/// The standard output of a command that succeeds; of another, what went wrong.
pub fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{name}: {}: {}", output.status, said.trim()))
        }
    }
}

/// Says aloud that a test is skipped, which libtest would swallow if it were printed by `eprintln!`. With
/// `REQUIRE_ALL=1` in the environment, fails it.
pub fn skip(test: &str, why: &str) {
    assert!(env::var_os("REQUIRE_ALL").is_none_or(|all| all != "1"), "{test} cannot run: {why}");
    let _ = writeln!(io::stderr(), "{test} SKIPPED: {why}");
}

/// As [`debian`], of any suite.
pub fn debian_of(suite: &str, arch: &str, file: &str) -> PathBuf {
    Path::new(TOP).join(format!("target/debian/{suite}-{arch}")).join(file.trim_start_matches('/'))
}

/// As [`fetch`], of any suite. While the mirror's trixie does not fit together for `arch`, sid has to do.
pub fn fetch_of(suite: &str, arch: &str, package: &str) -> Result<(), String> {
    let suites = if suite == "trixie" { "trixie,sid" } else { suite };
    let mut command = Command::new(Path::new(TOP).join("qemu/fetch"));
    run(command.args(["-s", suites, "-a", arch]).arg(debian_of(suite, arch, "/")).arg(package)).map(drop)
}

/// A directory for the files of one test, empty. Each host has its own: several may be tested at once.
pub fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", host::name()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// A copy of what the package is built from, below [`scratch`], for a test to change.
pub fn copy_of_the_package(name: &str) -> PathBuf {
    let copy = scratch(name);
    let parts = ["Cargo.toml", "Cargo.lock", "build.rs", "build", "src", "qemu/targets"];
    for part in parts.into_iter().filter(|part| Path::new(TOP).join(part).exists()) {
        let to = copy.join(part);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        run(Command::new("cp").arg("-R").arg(Path::new(TOP).join(part)).arg(to)).unwrap();
    }
    // It lies inside the repository, of whose package it is no part.
    let manifest = copy.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    if !text.contains("[workspace]") {
        fs::write(manifest, text + "\n[workspace]\n").unwrap();
    }
    copy
}

/// The cargo that runs this test, in `dir`, with what is already downloaded. `build` is the directory it builds in,
/// which is kept from one run to the next.
pub fn cargo(dir: &Path, build: &str, subcommand: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(build);
    cargo.current_dir(dir).args([subcommand, "--offline"]).env("CARGO_TARGET_DIR", target);
    // What cargo tells this test of its own package is not for the one built here.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo
}

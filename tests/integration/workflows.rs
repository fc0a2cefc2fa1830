//! What others run: the workflows of GitHub, that they are what `.ci/run` does and take nothing that can change unnoticed;
//! the scripts that these call, with a stand-in for `docker`; and which image Kubernetes, Compose and LinuxKit take. The
//! workflows themselves are looked at by `make check`.

use crate::common::namespace::Said;
use crate::common::{TOP, scratch};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(TOP).join(path)).unwrap()
}

/// The targets in the words after `make`.
fn targets(words: &str) -> impl Iterator<Item = &str> {
    let is_target = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    words.split(' ').filter(is_target)
}

#[test]
fn the_jobs_are_the_steps_of_ci_run() {
    let steps = read(".ci/run");
    let steps: BTreeSet<_> =
        steps.lines().filter_map(|line| line.trim().strip_prefix("make ")).flat_map(targets).collect();
    let jobs = read(".github/workflows/ci.yml");
    let (_, parts) = jobs.split_once("        part:\n").unwrap();
    let parts = parts.lines().map_while(|line| line.strip_prefix("          - "));
    let parts: Vec<_> = parts.flat_map(targets).collect();
    assert!(parts.len() > 10, "{parts:?}");
    assert_eq!(parts.iter().copied().collect::<BTreeSet<_>>(), steps);
}

#[test]
fn actions_are_taken_by_commit() {
    let mut seen = 0;
    for file in [".github/workflows/ci.yml", ".github/workflows/release.yml", "action.yml"] {
        for action in read(file).lines().filter_map(|line| line.split_once("uses: ").map(|(_, action)| action)) {
            let (commit, tag) = action.split_once('@').unwrap().1.split_once(" # v").unwrap();
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit && tag.split('.').count() == 3, "{file}: {action}");
            seen += 1;
        }
    }
    assert!(seen > 4, "{seen}");
}

/// A `docker` that notes its words, and says what a script asks of it; in a directory that is to be in front of `PATH`.
fn stand_in(name: &str, script: &str) -> PathBuf {
    let directory = scratch(name);
    let docker = directory.join("docker");
    fs::write(&docker, format!("#!/bin/sh\necho \"$*\" >>{}/said\n{script}\n", directory.display())).unwrap();
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

fn script(name: &str, directory: &Path) -> Command {
    let mut command = Command::new(Path::new(TOP).join(name));
    command.env("PATH", format!("{}:{}", directory.display(), std::env::var("PATH").unwrap()));
    command
}

fn said(directory: &Path) -> Vec<String> {
    fs::read_to_string(directory.join("said")).unwrap().lines().map(String::from).collect()
}

#[test]
fn the_action_hands_its_inputs_on() {
    let status = r#"case $* in *--status) printf '{\n  "supported": [\n    "linux/amd64",\n    "linux/386"\n  ],\n  "emulators": [\n    "linux/no"\n  ]\n}\n';; esac"#;
    let directory = stand_in("action", status);
    let output = directory.join("output");
    let mut command = script("scratch/action", &directory);
    command.env("GITHUB_OUTPUT", &output).env("IMAGE", "NAME:TAG").env("PLATFORMS", "arm64,linux/arm/v7");
    Said::of(command.env("MODE", "execution").env("REPLACE", "true")).exits(0);
    let docker = "run --rm --privileged --network none";
    let expected = [
        format!("{docker} -e ARCHES=arm64,linux/arm/v7 -e MODE=execution -e REPLACE=true NAME:TAG"),
        format!("{docker} NAME:TAG --status"),
    ];
    assert_eq!(said(&directory), expected);
    assert_eq!(fs::read_to_string(&output).unwrap(), "platforms=linux/amd64,linux/386\n");
    // What fails in the container fails the step.
    let directory = stand_in("action", "exit 1");
    Said::of(
        script("scratch/action", &directory).envs(["IMAGE", "PLATFORMS", "MODE", "REPLACE"].map(|name| (name, ""))),
    )
    .exits(1);
    // Its own release, unless it is told otherwise.
    assert!(read("action.yml").contains(&format!("/binfmt_register:{}\n", env!("CARGO_PKG_VERSION"))));
}

/// An image that does not say where its source lies is not released. (What one says has 170 MB, and was brought by hand.)
#[test]
fn an_image_without_its_source() {
    let says = r#"case $1 in create) echo container ;; cp) cd "${0%/*}" && echo "    zlib (= 1:1.3)" >SOURCE && tar -c SOURCE ;; esac"#;
    let directory = stand_in("sources", says);
    let place = directory.join("brought");
    let mut sources = script(".github/sources", &directory);
    let said = Said::of(sources.args(["NAME:1.2.3", place.to_str().unwrap(), "linux/arm64"])).exits(1);
    said.says(&["NAME:1.2.3 does not say which source it has for linux/arm64"]);
    assert_eq!(self::said(&directory)[0], "create --platform=linux/arm64 NAME:1.2.3");
    assert!(!place.exists());
}

#[test]
fn the_tag_of_a_release() {
    let version = env!("CARGO_PKG_VERSION");
    let check = |tag: &str| Said::of(Command::new(Path::new(TOP).join(".github/version")).arg(tag));
    check("v0.0.1").exits(1).says(&["the tag is v0.0.1", version]);
    let dated = read("CHANGELOG.md").contains(&format!("## [{version}] - 2"));
    let said = check(&format!("v{version}"));
    match dated {
        true => assert_eq!(said.exits(0).out, format!("{version}\n")),
        false => drop(said.exits(1).says(&["CHANGELOG.md has no date"])),
    }
}

/// What is deployed is what `make image` makes, until its one place says otherwise.
#[test]
fn the_image_is_that_of_make_image() {
    let bake = read("docker-bake.hcl");
    let (_, variable) = bake.split_once("variable \"IMAGE\" {\n  default = \"").unwrap();
    let image = variable.split('"').next().unwrap();
    for (file, line) in [
        ("scratch/compose.yaml", format!("image: ${{IMAGE:-{image}}}")),
        ("scratch/kubernetes/kustomization.yaml", format!("newName: {image}")),
        ("scratch/kubernetes/daemonset.yaml", format!("image: {image} #")),
        ("scratch/kubernetes/init-container.yaml", format!("image: {image}:latest")),
        ("scratch/linuxkit/build.yml", format!("- IMAGE={image}:latest")),
        ("scratch/linuxkit/Dockerfile", format!("ARG IMAGE={image}:latest")),
    ] {
        assert!(read(file).lines().any(|text| text.trim().starts_with(&line)), "{file}: no line '{line}'");
    }
    // Kubernetes would else ask a registry for what has the tag `latest`.
    for file in ["daemonset.yaml", "init-container.yaml"] {
        assert!(read(&format!("scratch/kubernetes/{file}")).contains("imagePullPolicy: IfNotPresent\n"), "{file}");
    }
}

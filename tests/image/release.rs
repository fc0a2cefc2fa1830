//! A release, pushed for one platform to a registry on this machine: its tags, and what is attested of each image. The
//! scanner is Anchore's syft, of PyPI, as it is in that of BuildKit.

use crate::common::namespace::{Said, Scratch};
use crate::common::{TOP, skip};
use crate::docker::{ARCHES, answers, command, some};
use crate::engine::{Engine, REGISTRY};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a tag of each target ends with.
const ENDS: [&str; 5] = ["", "-binfmt", "-interpreters", "-all", "-tool"];

/// What BuildKit asks of a scanner: a statement for each tree that it names.
const SCAN: &str = r#"#!/bin/sh
set -eu
for tree in "$BUILDKIT_SCAN_SOURCE" "$BUILDKIT_SCAN_SOURCE_EXTRAS"/*; do
    name=${tree##*/}
    {
        printf %s '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","predicate":'
        syft --quiet scan "dir:$tree" --source-name "$name" --output spdx-json
        echo '}'
    } >"$BUILDKIT_SCAN_DESTINATION/$name.spdx.json"
done
"#;

/// `None`, said aloud, where `.ci/linters` has not brought it.
fn syft(test: &str) -> Option<PathBuf> {
    let file = Path::new(TOP).join("target/linters/syft");
    if !file.exists() {
        skip(test, "no syft: .ci/linters brings it");
        return None;
    }
    Some(file)
}

/// Each package of an SPDX document: its name, its version, and its package URL, which others know it by.
fn packages(spdx: &Value) -> Vec<[String; 3]> {
    assert_eq!(spdx["spdxVersion"], "SPDX-2.3");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let url = |package: &Value| {
        let references = package["externalRefs"].as_array().into_iter().flatten();
        references
            .filter(|reference| reference["referenceType"] == "purl")
            .map(|url| text(&url["referenceLocator"]))
            .collect()
    };
    let packages = spdx["packages"].as_array().unwrap().iter();
    packages.map(|package| [text(&package["name"]), text(&package["versionInfo"]), url(package)]).collect()
}

/// That QEMU is in there as Debian's package.
fn knows_qemu(packages: &[[String; 3]]) {
    let [_, version, url] = packages.iter().find(|[name, ..]| name == "qemu-user").unwrap();
    assert!(version.starts_with("1:10.0.") && url.starts_with("pkg:deb/debian/qemu-user@1:10.0."), "{version} {url}");
    assert!(url.contains("distro=debian-13") && url.contains("upstream=qemu"), "{url}");
}

#[test]
fn a_scanner_finds_debians_package() {
    if !answers() {
        return;
    }
    let Some(syft) = syft("a_scanner_finds_debians_package") else { return };
    let scan = |target: &str| {
        let image = format!("docker:{}:{target}", some());
        let said = Said::of(command(syft.to_str().unwrap()).args(["--quiet", "scan", &image, "--output", "spdx-json"]));
        packages(&serde_json::from_str(&said.exits(0).out).unwrap())
    };
    for target in ["latest", "binfmt", "interpreters"] {
        knows_qemu(&scan(target));
    }
    assert!(scan("tool").iter().all(|[name, ..]| name != "qemu-user"));
}

#[test]
fn tags_sbom_and_provenance() {
    const TEST: &str = "tags_sbom_and_provenance";
    if !answers() {
        return;
    }
    let Some(syft) = syft(TEST) else { return };
    let Some(engine) = Engine::with_registry(TEST) else { return };
    let qemu = crate::docker::inspect(some(), "{{index .Config.Labels \"org.qemu.version\"}}");
    engine.load("debian:trixie-slim");
    let scanner = Scratch::new();
    fs::copy(syft, scanner.0.join("syft")).unwrap();
    fs::write(scanner.0.join("scan"), SCAN).unwrap();
    let file = "FROM debian:trixie-slim\nCOPY --chmod=755 syft scan /usr/bin/\nENTRYPOINT [\"/usr/bin/scan\"]\n";
    fs::write(scanner.0.join("Dockerfile"), file).unwrap();
    engine.docker(&["build", "-t", "binfmt_register-image/scan", scanner.path()]).exits(0);

    let names = ["one/name", "two"].map(|name| format!("{REGISTRY}/{name}"));
    let more = format!(
        "--sbom=generator=binfmt_register-image/scan --set *.platform=linux/amd64 --set *.args.ARCHES={ARCHES}"
    );
    let release = |version: &str| {
        Said::of(engine.command(".github/images").arg(version).args(&names).env("BAKE", &more).env("QEMU", "debian"))
    };
    let inspect = |image: &str, format: &str| {
        let words = ["buildx", "imagetools", "inspect", image, "--format", format];
        Said::of(engine.command("docker").args(words)).exits(0).out
    };
    let digest = |tag: &str| {
        let [one, two] = names.each_ref().map(|name| {
            let manifest = inspect(&format!("{name}:{tag}"), "{{json .Manifest}}");
            serde_json::from_str::<Value>(&manifest).unwrap()["digest"].as_str().unwrap().to_string()
        });
        assert_eq!(one, two, "{tag}");
        one
    };
    let all_tags = || {
        let [one, two] = ["one/name", "two"].map(|name| {
            let list = format!("http://{REGISTRY}/v2/{name}/tags/list");
            let said = Said::of(engine.command("curl").args(["-sS", &list])).exits(0).out;
            let tags = serde_json::from_str::<Value>(&said).unwrap()["tags"].clone();
            serde_json::from_value::<BTreeSet<String>>(tags).unwrap()
        });
        assert_eq!(one, two);
        one
    };
    // Those that are never moved, and those that are.
    let tags = |version: &str, end: &str| {
        let with_qemu = (end != "-tool").then(|| format!("{version}-qemu-{qemu}{end}"));
        let fixed: Vec<_> = [format!("{version}{end}")].into_iter().chain(with_qemu).collect();
        let last = if end.is_empty() { "latest" } else { &end[1..] };
        (fixed, [format!("1.2{end}"), format!("1{end}"), last.into()])
    };

    let images: Value = serde_json::from_str(&release("1.2.3").exits(0).out).unwrap();
    let mut expected = BTreeSet::new();
    let mut first = Vec::new();
    for end in ENDS {
        let (fixed, floating) = tags("1.2.3", end);
        let image = digest(&fixed[0]);
        assert!(fixed.iter().chain(&floating).all(|tag| digest(tag) == image), "{end}");
        assert!(images.as_array().unwrap().contains(&json!({ "name": names[0], "digest": image })), "{images} {end}");
        expected.extend(fixed.into_iter().chain(floating));
        first.push(image);
    }
    assert_eq!((images.as_array().unwrap().len(), all_tags()), (ENDS.len(), expected.clone()));

    let revision = Said::of(command("git").args(["rev-parse", "HEAD"])).exits(0).out;
    for end in ENDS {
        let image = format!("{}:1.2.3{end}", names[0]);
        let attested = |what: &str| -> Value { serde_json::from_str(&inspect(&image, what)).unwrap() };
        let sbom = attested("{{json .SBOM}}");
        match end {
            "-tool" => assert!(packages(&sbom["SPDX"]).iter().all(|[name, ..]| name != "qemu-user")),
            _ => knows_qemu(&packages(&sbom["SPDX"])),
        }
        // The crates, which are found in Cargo.lock.
        let crates = packages(&sbom["AdditionalSPDXs"][0]);
        let linked = crates.iter().any(|[_, _, url]| url.starts_with("pkg:cargo/rustix@"));
        assert_eq!(linked, end != "-interpreters", "{end}: {crates:?}");
        let provenance = attested("{{json .Provenance}}")["SLSA"].clone();
        assert_eq!(provenance["buildType"], "https://mobyproject.org/buildkit@v1");
        let label = &provenance["invocation"]["parameters"]["args"]["label:org.opencontainers.image.revision"];
        assert_eq!(label.as_str(), Some(revision.trim()));
        let materials = provenance["materials"].as_array().unwrap();
        let is_debian =
            |material: &Value| material["uri"].as_str().unwrap().starts_with("pkg:docker/debian@trixie-slim");
        assert!(materials.iter().any(is_debian), "{materials:?}");
    }

    // A version is never moved.
    release("1.2.3").exits(1).says(&["one/name:1.2.3 is there already"]);
    release("1.2.4").exits(0);
    for (end, image) in ENDS.into_iter().zip(first) {
        assert!(tags("1.2.3", end).0.iter().all(|tag| digest(tag) == image), "{end}");
        let (fixed, floating) = tags("1.2.4", end);
        let next = digest(&fixed[0]);
        assert!(next != image && floating.iter().all(|tag| digest(tag) == next), "{end}");
        expected.extend(fixed);
    }
    assert_eq!(all_tags(), expected);
}

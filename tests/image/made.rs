//! What the images are made of, and that it is the same each time.

use crate::common::namespace::{Said, Scratch};
use crate::common::{TOP, debian, fetch, run};
use crate::docker::{
    ARCHES, Host, alone, answers, built, busybox, command, container, inspect, layers, make_image, script, some,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Write, stderr};
use std::path::Path;
use std::{env, fs};

const TARGETS: [&str; 4] = ["latest", "binfmt", "interpreters", "tool"];

#[test]
fn nothing_but_the_tool_and_the_interpreters() {
    if !answers() {
        return;
    }
    // Without the directories.
    let files = |target| {
        let layers = layers(&format!("{}:{target}", some()));
        layers.into_iter().map(|layer| layer.into_iter().filter(|file| !file.ends_with('/')).collect()).collect()
    };
    let list = |files: &[&str]| files.iter().map(|file| format!("usr/{file}")).collect::<Vec<_>>();
    let doc = "share/doc/binfmt_register";
    let tool = list(&["bin/binfmt_register", &format!("{doc}/LICENSE-APACHE"), &format!("{doc}/LICENSE-MIT")]);
    let mut interpreters = list(&["bin/qemu-aarch64-static", "bin/qemu-riscv64-static", "lib/os-release"]);
    interpreters.extend(list(&["share/doc/qemu-user/SOURCE", "share/doc/qemu-user/copyright"]));
    interpreters.push("var/lib/dpkg/status.d/qemu-user".into());
    let link = vec!["usr/bin/binfmt".to_string()];
    let files: Vec<Vec<Vec<String>>> = TARGETS.into_iter().map(files).collect();
    assert_eq!(files[0], [interpreters.clone(), tool.clone()]);
    assert_eq!(files[1], [interpreters.clone(), tool.clone(), link]);
    assert_eq!(files[2], [interpreters]);
    assert_eq!(files[3], [tool]);
    // They share what they have in common.
    let layers = |target: &str| {
        let list = inspect(&format!("{}:{target}", some()), "{{json .RootFS.Layers}}");
        serde_json::from_str::<Vec<String>>(&list).unwrap()
    };
    assert_eq!(layers("latest")[..1], layers("interpreters"));
    assert_eq!(layers("latest"), layers("binfmt")[..2]);
}

#[test]
fn labels_and_entry_points() {
    let Some(_host) = Host::new() else { return }; // which removes the containers of tests that run meanwhile
    let version = env!("CARGO_PKG_VERSION");
    let git = |words: &str| run(command("git").args(words.split(' ')).env("TZ", "UTC")).unwrap().trim().to_string();
    let (commit, time) = (git("rev-parse HEAD"), git("log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ"));
    let mut exact = String::new();
    for (target, title, entry, licences) in [
        ("latest", "binfmt_register", "[/usr/bin/binfmt_register]", "(MIT OR Apache-2.0) AND GPL-2.0-only"),
        ("binfmt", "binfmt", "[/usr/bin/binfmt]", "(MIT OR Apache-2.0) AND GPL-2.0-only"),
        ("interpreters", "QEMU user-mode interpreters", "[]", "GPL-2.0-only"),
        ("tool", "binfmt_register", "[/usr/bin/binfmt_register]", "MIT OR Apache-2.0"),
    ] {
        let image = format!("{}:{target}", some());
        assert_eq!(inspect(&image, "{{.Config.Entrypoint}}"), entry);
        let labels = inspect(&image, "{{json .Config.Labels}}");
        let mut labels: BTreeMap<String, String> = serde_json::from_str(&labels).unwrap();
        let mut label = |name: &str| labels.remove(&format!("org.opencontainers.image.{name}")).unwrap_or_default();
        assert_eq!((label("title").as_str(), label("licenses").as_str()), (title, licences), "{target}");
        assert_eq!(label("version"), version, "{target}");
        assert_eq!((label("created"), inspect(&image, "{{.Created}}")), (time.clone(), time.clone()), "{target}");
        // Of a tree with changes of its own it is said that it has them.
        assert_eq!(label("revision").trim_end_matches("-dirty"), commit, "{target}");
        for name in ["source", "url", "documentation"] {
            assert!(label(name).starts_with("https://"), "{target}: {name}");
        }
        assert_eq!(label("vendor"), "The binfmt_register authors");
        assert!(!label("description").is_empty(), "{target}");
        let qemu = labels.remove("org.qemu.version");
        assert_eq!(qemu.is_some(), target != "tool");
        if let Some(qemu) = qemu {
            // What is in there says so itself.
            let said = container(&format!("--entrypoint /usr/bin/qemu-aarch64-static {image} --version")).exits(0);
            exact = said.out.split(' ').nth(2).unwrap().to_string();
            assert_eq!(qemu, "10.0", "Debian's, of this series");
            assert!(exact.starts_with("10.0."), "{exact}");
        }
        // Where there are interpreters the tool names their version too, to the last number.
        let said = |entry: &str| container(&format!("--entrypoint {entry} {image} --version")).exits(0).out;
        match target {
            "latest" => {
                assert_eq!(said("/usr/bin/binfmt_register"), format!("binfmt_register {version} qemu {exact}\n"))
            }
            "binfmt" => assert_eq!(said("/usr/bin/binfmt"), format!("binfmt/{version} qemu/v{exact}\n")),
            "tool" => assert_eq!(said("/usr/bin/binfmt_register"), format!("binfmt_register {version}\n")),
            _ => {}
        }
    }
}

/// Whose the programs are, and where their source lies, stands in the images.
#[test]
fn law() {
    if !answers() {
        return;
    }
    let file = |image: &str, name: &str| {
        let script = format!("docker save {image} -o image && tar -xf image && for layer in $(find . -name '*.tar' -o -path '*sha256/*'); do
            tar -xOf $layer usr/share/doc/{name} 2>/dev/null && exit; done; exit 1");
        let scratch = Scratch::new();
        Said::of(command("sh").args(["-c", &script]).current_dir(&scratch.0)).exits(0).out
    };
    let source = file(some(), "qemu-user/SOURCE");
    assert!(source.contains("    qemu-user 1:10.0.") && source.contains("    glibc (= "), "{source}");
    assert!(file(some(), "qemu-user/copyright").contains("GPL-2"));
    let here = |name| fs::read_to_string(Path::new(TOP).join(name)).unwrap();
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert_eq!(file(&format!("{}:tool", some()), &format!("binfmt_register/{licence}")), here(licence));
    }
}

/// From the same commit and the same packages comes the same image, all layers and all metadata: by `make image`, and by
/// `docker buildx bake` that is told the commit as docs/images.md has it. Without, the layers are the same.
#[test]
fn made_again_they_are_the_same() {
    if !answers() {
        return;
    }
    let page = fs::read_to_string(Path::new(TOP).join("docs/images.md")).unwrap();
    let export = page.lines().find_map(|line| line.strip_prefix("$ export REVISION=")).unwrap();
    let first = some();
    let bake = |image: &str, script: &str| {
        let _alone = alone();
        let mut shell = command("sh");
        shell.args(["-c", script]).env("IMAGE", image).env("ARCHES", ARCHES);
        Said::of(shell.env_remove("REVISION").env_remove("SOURCE_DATE_EPOCH")).exits(0);
    };
    let told = format!("export REVISION={export} && docker buildx bake --no-cache");
    bake("binfmt_register-image/again", &told);
    bake("binfmt_register-image/untold", "docker buildx bake");
    for target in TARGETS {
        let of = |image: &str, what: &str| inspect(&format!("{image}:{target}"), what);
        assert_eq!(of(first, "{{.Id}}"), of("binfmt_register-image/again", "{{.Id}}"), "{target}");
        let untold = "binfmt_register-image/untold";
        assert_eq!(of(first, "{{.RootFS.Layers}}"), of(untold, "{{.RootFS.Layers}}"), "{target}");
        assert!(!of(untold, "{{.Config.Labels}}").contains("revision"), "{target}");
    }
}

/// With interpreters of `make interpreters`, and programs of both architectures run.
#[test]
fn of_our_own_interpreters() {
    let Some(image) = built("of_our_own_interpreters") else { return };
    let Some(_host) = Host::new() else { return };
    container(&format!("--privileged {image}")).exits(0);
    for (arch, name) in [("arm64", "aarch64"), ("arm", "arm")] {
        let entry = format!("--entrypoint /usr/bin/qemu-{name}-static {image} --version");
        let said = container(&entry).exits(0);
        assert!(said.out.contains("binfmt_register)"), "{said:#?}");
        let debian = if arch == "arm" { "armhf" } else { arch };
        let options = format!("-v {}:/busybox:ro --entrypoint /busybox", busybox(debian).display());
        let said = container(&format!("{options} {}:tool seq 3", some())).exits(0);
        assert_eq!(said.out, "1\n2\n3\n");
    }
}

/// For another host, the images are made here and run in emulation.
#[test]
fn of_another_platform() {
    let Some(_host) = Host::new() else { return };
    let platforms = "BAKE=tool register --set tool.platform=linux/arm64 --set register.platform=linux/arm64";
    let arches = format!("ARCHES={ARCHES}");
    make_image(&["IMAGE=binfmt_register-image/cross", &arches, platforms]).exits(0);
    container(&format!("--privileged {}", some())).exits(0);
    let run = |words: &str| container(&format!("--platform linux/arm64 binfmt_register-image/cross{words}")).exits(0);
    let version = container(&format!("{}:tool --version", some())).exits(0).out;
    assert_eq!(run(":tool --version").out, version);
    let said = run(":latest --print"); // Debian's QEMU for arm64 has no interpreter of that machine's own programs
    assert!(said.out.starts_with(":qemu-riscv64:M:") && said.out.lines().count() == 1, "{said:#?}");
}

/// Debian 13 by two names, and an image of each to build in: a mirror brings the one up to date before the other, and so
/// may have only one as a whole.
const RELEASES: [(&str, &str); 2] = [("trixie", "debian:trixie-slim"), ("stable", "binfmt_register-image/stable")];

/// The version of QEMU in that release, if its lists of packages are whole for these architectures. `None` as of
/// [`Host::new`].
fn qemu_of_release(name: &str, image: &str, architectures: &str) -> Option<Result<String, String>> {
    if image != "debian:trixie-slim" {
        Said::of(command("tests/image/system").args(["-s", name, "amd64", image])).exits(0);
    }
    let look = format!(
        "for arch in {architectures}; do dpkg --add-architecture $arch; done
        apt-get -qq -o APT::Update::Error-Mode=any update || exit
        apt-cache show --no-all-versions qemu-user | sed -n 's/^Version: .*:\\([0-9.]*\\).*/\\1/p'
        apt-cache policy | sed -n 's/.* release v=\\([^,]*\\),.*,n=\\([^,]*\\),.*/\\2 \\1/p' | head -n 1",
    );
    let host = Host::new()?; // which removes all containers afterwards, those of other tests, too
    let said = script("", image, &look);
    drop(host);
    if said.status != 0 {
        return Some(Err(said.err));
    }
    let (qemu, exact) = said.out.trim().split_once('\n').unwrap();
    let _ = writeln!(stderr(), "of_every_platform: Debian {name} ({exact}), QEMU {qemu}");
    Some(Ok(qemu.into()))
}

/// All the others of docker-bake.hcl, at once.
#[test]
fn of_every_platform() {
    // QEMU for 32-bit Arm has no interpreters of 64-bit machines.
    const ARCHES: [&str; 2] = ["arm", "mips"];
    const PLATFORMS: [&str; 4] = ["linux/arm/v7", "linux/ppc64le", "linux/riscv64", "linux/s390x"];
    if !answers() {
        return;
    }
    let name = |kind: &str, platform: &str| format!("{kind}-{}", platform.replace('/', "-"));
    let image = |kind: &str, platform: &str| format!("binfmt_register-image/{}", name(kind, platform));
    let kinds = |platform| [("tool", platform), ("register", platform)];
    let bake = |release: &str, base: &str, qemu: &str| {
        let targets = PLATFORMS.into_iter().flat_map(kinds).map(|(kind, platform)| {
            let target = json!({
                "inherits": [kind],
                "platforms": [platform],
                "tags": [image(kind, platform)],
                "args": { "DEBIAN": release, "QEMU_VERSION": qemu },
                "contexts": { format!("debian:{release}-slim"): format!("docker-image://{base}") },
            });
            (name(kind, platform), target)
        });
        let targets: BTreeMap<_, _> = targets.collect();
        let scratch = Scratch::new();
        let file = scratch.0.join("bake.json");
        fs::write(&file, json!({ "target": targets }).to_string()).unwrap();
        let words = ["-f docker-bake.hcl -f", file.to_str().unwrap()];
        let bake = words.into_iter().chain(targets.keys().map(String::as_str)).collect::<Vec<_>>().join(" ");
        make_image(&[&format!("ARCHES={}", ARCHES.join(",")), &format!("BAKE={bake}")])
    };
    let mut made = Err(String::new());
    for (release, base) in RELEASES {
        let Some(qemu) = qemu_of_release(release, base, "armhf ppc64el riscv64 s390x") else { return };
        made = qemu.and_then(|qemu| {
            let said = bake(release, base, &qemu);
            // That the mirror lacks a package is known only when it is asked for.
            let lacks = said.status != 0 && said.err.contains("404  Not Found");
            if lacks {
                return Err(said.err);
            }
            said.exits(0);
            Ok(qemu)
        });
        match &made {
            Ok(_) => break,
            Err(why) => {
                let _ = writeln!(stderr(), "of_every_platform: Debian {release} is not whole on this mirror: {why}");
            }
        }
    }
    let qemu = made.unwrap();

    let Some(_host) = Host::new() else { return };
    fetch("amd64", "qemu-user").unwrap();
    let qemu_of = |file: &str| debian("amd64", &format!("usr/bin/{file}")).display().to_string();
    let qemus = format!("-v {}:/qemu:ro -e QEMU_BINARY_PATH=/qemu", qemu_of(""));
    container(&format!("--privileged {qemus} {}:tool --install {}", some(), PLATFORMS.join(","))).exits(0);
    let version = container(&format!("{}:tool --version", some())).exits(0).out;
    let interpreter = |arch| format!("-v {}:/usr/bin/qemu-{arch}-static:ro", qemu_of(&format!("qemu-{arch}")));
    let rules = container(&format!("{} {}:tool --print", ARCHES.map(interpreter).join(" "), some())).exits(0).out;
    assert_eq!(rules.lines().count(), ARCHES.len(), "{rules}");
    for platform in PLATFORMS {
        for kind in ["tool", "register"] {
            let made_for = inspect(&image(kind, platform), "{{.Os}}/{{.Architecture}}{{with .Variant}}/{{.}}{{end}}");
            assert_eq!(made_for, platform);
        }
        let run = |kind, options: &str, words: &str| {
            container(&format!("--platform {platform} {options} {} {words}", image(kind, platform))).exits(0).out
        };
        assert_eq!(run("tool", "", "--version"), version, "{platform}");
        // The rules are the same on every machine, but that none has one for its own programs.
        let own = if platform == "linux/arm/v7" { ":qemu-arm:" } else { "none" };
        let expected: Vec<_> = rules.lines().filter(|rule| !rule.starts_with(own)).collect();
        assert_eq!(run("register", "", "--print").lines().collect::<Vec<_>>(), expected, "{platform}");
        let said = run("register", "--entrypoint /usr/bin/qemu-mips-static", "--version");
        assert!(said.starts_with(&format!("qemu-mips version {qemu} ")), "{platform}: {said}");
    }
}

#[test]
fn an_architecture_there_is_not() {
    if !answers() {
        return;
    }
    let make =
        |arches| make_image(&["IMAGE=binfmt_register-image/none", &format!("ARCHES={arches}"), "BAKE=interpreters"]);
    let said = make("arm64,arm46");
    assert!(said.status != 0, "{said:#?}");
    let said = said.says(&["scratch/Dockerfile: ARCHES: 'arm46' is in no row of qemu/targets"]);
    // The last line of Docker says which step it was, and is not the step's whole script.
    let last = said.err.lines().rev().find(|line| line.starts_with("ERROR: ")).unwrap();
    assert!(last.contains("process \"/bin/sh -c choose-interpreters\" did not complete"), "{last}");
    let said = make("cris"); // a row, but QEMU 10 has dropped it
    assert!(said.status != 0, "{said:#?}");
    said.says(&["scratch/Dockerfile: ARCHES: this QEMU has no qemu-cris"]);
}

/// The labels and the tags of a release say which QEMU is in there; so the build fails when they would not be true.
#[test]
fn another_version_of_qemu() {
    if !answers() {
        return;
    }
    let said = make_image(&["IMAGE=binfmt_register-image/none", "QEMU_VERSION=10.0.1", "BAKE=interpreters"]);
    assert!(said.status != 0, "{said:#?}");
    said.says(&["scratch/Dockerfile: these interpreters are of QEMU", "build with QEMU_VERSION=", "now '10.0.1'"]);
}

#[test]
fn the_bake_file_names_targets_and_platforms() {
    if !answers() {
        return;
    }
    let bake = |target: &str| {
        let said = run(command("docker").args(["buildx", "bake", "--print", target])).unwrap();
        serde_json::from_str::<Value>(&said).unwrap()["target"].clone()
    };
    let names = |targets: &Value| targets.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&bake("default")), ["binfmt", "interpreters", "register", "tool"]);
    let all = bake("all");
    assert_eq!(names(&all), ["binfmt-all", "every-all", "interpreters-all", "register-all", "tool-all"]);
    // Each is a platform of scratch/Dockerfile.
    let file = fs::read_to_string(Path::new(TOP).join("scratch/Dockerfile")).unwrap();
    let platforms: Vec<_> =
        all["tool-all"]["platforms"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    assert_eq!(platforms.len(), 6);
    for platform in platforms {
        let name = platform.strip_prefix("linux/").unwrap().replace('/', "");
        let known = file.lines().any(|line| line.starts_with(&name) && line.contains(" echo deb="));
        assert!(known, "{platform}");
    }
    let unknown = make_image(&["BAKE=tool --set tool.platform=linux/mips64le"]);
    assert!(unknown.status != 0);
    unknown.says(&["scratch/Dockerfile: no Debian trixie for mips64le", "docker-bake.hcl"]);
}

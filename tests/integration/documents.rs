//! The README and the pages in docs/: their links lead somewhere, and the messages they quote are those of the source.

use crate::common::{TOP, run};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most lines the README may have.
const LINES: usize = 150;

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The README and the pages.
fn documents() -> Vec<PathBuf> {
    let pages = fs::read_dir(Path::new(TOP).join("docs")).unwrap().map(|file| file.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.chain([Path::new(TOP).join("README.md")]).collect()
}

/// The text without its blocks of code.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// What a link to each heading has after its `#`, as GitHub and others make it.
fn anchors(text: &str) -> BTreeSet<String> {
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let letters = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        letters.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    for document in documents() {
        let text = read(&document);
        let prose = prose(&text);
        for target in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("https://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            assert!(path.exists(), "{}: {target}", document.display());
            assert!(anchor.is_empty() || anchors(&read(&path)).contains(anchor), "{}: {target}", document.display());
        }
    }
}

#[test]
fn the_readme_is_short() {
    let lines = read(&Path::new(TOP).join("README.md")).lines().count();
    assert!(lines <= LINES, "{lines}");
}

/// Cargo.toml has the version. What cannot read it there says the same.
#[test]
fn the_version_is_that_of_the_package() {
    let version = env!("CARGO_PKG_VERSION");
    let changes = read(&Path::new(TOP).join("CHANGELOG.md"));
    let newest = changes.lines().find_map(|line| line.strip_prefix("## [")?.split(']').next());
    assert_eq!(newest, Some(version));
    // The Debian package's own, in debian/changelog.
    let debian = read(&Path::new(TOP).join("debian/changelog"));
    assert!(debian.starts_with(&format!("binfmt-register ({version}) ")), "{debian}");
    let bake = read(&Path::new(TOP).join("docker-bake.hcl"));
    let variable = |name: &str| {
        let (_, value) = bake.split_once(&format!("variable \"{name}\" {{\n  default = \"")).unwrap();
        value.split('"').next().unwrap()
    };
    assert_eq!(variable("VERSION"), version);
    // So it is with QEMU's, of which qemu/interpreters/version has that of Debian's source package: 1:10.0.13+ds-0+deb13u1.
    let source = read(&Path::new(TOP).join("qemu/interpreters/version"));
    let source = source.lines().find_map(|line| line.strip_prefix("trixie=")).unwrap();
    let (exact, _) = source.split_once(':').unwrap().1.split_once('+').unwrap();
    assert!(bake.contains(&format!("default = QEMU == \"built\" ? \"{exact}\" : \"10.0\"")), "{exact}");
}

/// Each command of the README, the file that runs it, and how it does there.
const RUN: [(&str, &str, &str); 24] = [
    (
        "sudo make register ARCHES=arm64,riscv64",
        "tests/integration/front_door.rs",
        "fn the_start_is_as_the_readme_has_it",
    ),
    (
        "sudo target/release/binfmt_register --status",
        "tests/integration/front_door.rs",
        "printed_by(&readme, \"sudo target",
    ),
    ("sudo make uninstall", "tests/integration/front_door.rs", "runs(\"sudo make uninstall\")"),
    ("make register", "tests/integration/front_door.rs", "printed_by(&readme, \"sudo make register\")"),
    ("apt-get install git make gcc cargo-web", "tests/deb/main.rs", "fn a_fresh_debian_builds_it"),
    ("make image", ".ci/run", "make image BAKE="),
    ("docker run --rm --privileged binfmt_register", "tests/image/reference.rs", "--privileged {NAME}"),
    ("make deb", "Makefile", "@$(MAKE) -s deb"),
    ("make test", ".ci/run", "make test\n"),
    ("make help", "tests/integration/documents.rs", "\"make\").arg(\"help\")"),
    ("systemctl restart systemd-binfmt", "tests/integration/systemd.rs", "namespace.sh(SERVICE)"),
    ("binfmt_register --print >/etc/binfmt.d/qemu.conf", "tests/integration/systemd.rs", "--print >{RULES}/qemu.conf"),
    (
        "docker run --rm --cap-drop ALL --cap-add SYS_ADMIN --read-only --network none binfmt_register",
        "tests/image/last.rs",
        "--cap-drop ALL --cap-add SYS_ADMIN --read-only --network none",
    ),
    ("unshare -Ur binfmt_register -- COMMAND", "tests/boot/rootless.rs", "unshare -Ur binfmt_register -- "),
    ("make test-boot", ".ci/run", "make test-boot\n"),
    ("make test-boot-hosts", "Makefile", "parts := test test-faults test-hosts test-boot test-boot-hosts"),
    ("make hosts", ".ci/run", "make hosts\n"),
    ("make test-hosts", ".ci/run", "make test-hosts\n"),
    ("make test-image", ".ci/run", "make test-image\n"),
    ("make test-podman", ".ci/run", "make test-podman\n"),
    ("make test-system", ".ci/run", "make test-system\n"),
    ("make test-hooks", ".ci/run", "make test-hooks\n"),
    ("make test-containers", ".ci/run", "make test-containers\n"),
    ("make bench", ".ci/run", "make bench\n"),
];

/// What is compared with is somebody else's; and a rustup would change this machine.
const NOT_OURS: [&str; 2] = ["apt install qemu-user-static", "rustup default stable"];

/// The commands of a document: after a prompt, and in its text.
fn commands(text: &str) -> BTreeSet<String> {
    let prompts = text.lines().filter_map(|line| line.strip_prefix("$ ")).map(|line| line.split("  #").next().unwrap());
    let programs = ["apt", "apt-get", "binfmt_register", "docker", "make", "rustup", "sudo", "systemctl", "unshare"];
    let prose = prose(text);
    let quoted = prose.split('`').skip(1).step_by(2);
    let inline = quoted.filter(|words| words.split_once(' ').is_some_and(|(program, _)| programs.contains(&program)));
    prompts.chain(inline).map(|command| command.trim().to_string()).collect()
}

/// What a reader may type has been typed.
#[test]
fn every_command_of_the_readme_is_run() {
    let readme = read(&Path::new(TOP).join("README.md"));
    let rows: BTreeSet<&str> = RUN.iter().map(|(command, ..)| *command).chain(NOT_OURS).collect();
    let commands = commands(&readme);
    let commands: BTreeSet<&str> = commands.iter().map(String::as_str).filter(|words| *words != "docker run").collect();
    assert_eq!(commands, rows, "commands of the README, and rows of the table");
    for (command, file, how) in RUN {
        assert!(read(&Path::new(TOP).join(file)).contains(how), "{command}: {file} has no '{how}'");
    }
    let help = run(Command::new("make").arg("help").current_dir(TOP)).unwrap();
    assert!(help.contains("make register") && help.contains("make test"), "{help}");
}

/// The picture of a terminal says what the README has, which a test compares with what is printed.
#[test]
fn the_terminal_shows_what_the_readme_has() {
    let readme = read(&Path::new(TOP).join("README.md"));
    let picture = read(&Path::new(TOP).join("docs/picture.svg"));
    let lines: Vec<_> = picture.lines().filter_map(|line| line.strip_suffix("</text>")?.split_once('>')).collect();
    let lines: Vec<_> = lines
        .into_iter()
        .map(|(_, text)| text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"))
        .collect();
    let (known, rest) = lines.split_at(3);
    assert!(known.iter().all(|line| readme.lines().any(|other| other == line)), "{known:?}");
    let expected = [
        "$ ./busybox-arm64 uname -m",
        "aarch64",
        "$ sudo make uninstall",
        "qemu-aarch64: removed",
        "qemu-riscv64: removed",
    ];
    assert_eq!(rest, expected);
}

/// The files of Rust below a module's directory, or its one file.
fn sources(module: &Path) -> Vec<PathBuf> {
    let inside = fs::read_dir(module).into_iter().flatten().map(|file| file.unwrap().path());
    let (directories, files): (Vec<_>, Vec<_>) = inside.partition(|path| path.is_dir());
    let own = [module.with_extension("rs")].into_iter().filter(|file| file.exists());
    files.into_iter().chain(own).chain(directories.iter().flat_map(|directory| sources(directory))).collect()
}

/// The arrows between the modules, and those of the source.
#[test]
fn the_picture_shows_the_imports() {
    let page = read(&Path::new(TOP).join("docs/architecture.md"));
    let arrows = page.lines().filter_map(|line| line.trim().split_once(" --> "));
    let drawn: BTreeSet<_> = arrows.map(|(from, to)| (from.to_string(), to.to_string())).collect();
    let library = read(&Path::new(TOP).join("src/lib.rs"));
    let modules: Vec<_> = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(modules.len() > 8, "{modules:?}");
    let mut imports = BTreeSet::new();
    for from in &modules {
        for file in sources(&Path::new(TOP).join("src").join(from)) {
            let text = read(&file);
            for to in modules.iter().filter(|to| *to != from && text.contains(&format!("crate::{to}::"))) {
                imports.insert((from.to_string(), to.to_string()));
            }
        }
    }
    assert_eq!(drawn, imports);
    assert!(imports.iter().all(|(from, to)| !imports.contains(&(to.clone(), from.clone()))));
    // What the other picture names is there.
    let files = page
        .split("src/")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && !"_./".contains(c)).next().unwrap());
    for file in files {
        let file = file.trim_end_matches('.');
        assert!(Path::new(TOP).join("src").join(file).exists(), "src/{file}");
    }
}

/// Each template that the reference has in its table. What it has in words of its own ends with an ellipsis.
#[test]
fn the_messages_are_those_of_the_source() {
    let page = read(&Path::new(TOP).join("docs/reference.md"));
    let (_, section) = page.split_once("\n## Messages\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let source = read(&Path::new(TOP).join("src/report/outcome.rs"));
    let messages: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(messages.len() > 10, "{messages:?}");
    for message in messages {
        let words =
            message.strip_prefix("not registered: ").or(message.strip_prefix("not replaced: ")).unwrap_or(message);
        assert!(source.contains(words.trim_end_matches('…').trim_end_matches([',', ' '])), "{message}");
    }
}

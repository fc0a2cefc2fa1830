//! The README and the pages in docs/: their links lead somewhere, and the messages they quote are those of the source.

use crate::common::TOP;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

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
    let images = read(&Path::new(TOP).join("scratch/Dockerfile"));
    assert_eq!(images.lines().find_map(|line| line.strip_prefix("ARG VERSION=")), Some(version));
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

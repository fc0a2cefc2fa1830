//! Who can replace an interpreter. In execution mode it is looked for at each execution, and with the flag `C` it runs with
//! the rights of setuid programs: whoever replaces it then becomes root.

use crate::common::host::{self, OLD};
use crate::common::namespace::{Namespace, Scratch, has, program};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;

const EXECUTION: &[&str] = &["MODE=execution", "ARCHES=arm64"];

/// A directory, another one in it, and an interpreter in that, all of them root's alone.
struct Place(Scratch);

impl Place {
    /// `None`, said aloud, for another host: QEMU shows the tool a directory of the test's own instead.
    fn new(test: &str) -> Option<Self> {
        if host::cannot(test, "whose a file is cannot be seen through QEMU's -L") {
            return None;
        }
        let scratch = Scratch::new();
        fs::create_dir_all(scratch.0.join("above/directory")).unwrap();
        scratch.copy(program("amd64"), "above/directory/qemu-aarch64");
        Some(Self(scratch))
    }

    fn path(&self, part: &str) -> PathBuf {
        self.0.0.join(part)
    }

    fn variable(&self, directory: &str) -> String {
        format!("QEMU_BINARY_PATH={}", self.path(directory).display())
    }

    /// Gives permissions to a part.
    fn permit(&self, part: &str, mode: u32) {
        fs::set_permissions(self.path(part), fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// Checks that execution mode with the flag `C` is refused there, that nothing changes, and what lets it pass.
#[track_caller]
fn is_refused(namespace: &Namespace, directory: &str) {
    let before = namespace.state();
    let run = |wrapper: &[&str], variables: &[&str]| {
        namespace.under(wrapper, &[EXECUTION, &[directory], variables].concat(), &[])
    };
    let path = directory.trim_start_matches("QEMU_BINARY_PATH=");
    for (wrapper, variables) in
        [(&[] as &[&str], &[] as &[&str]), (&[], &["REPLACE=true"]), (&[], &["CREDENTIALS=true"]), (OLD, &["MODE="])]
    {
        let said = run(wrapper, variables).exits(1).says(&["aarch64: not registered", "others than root", path]);
        said.says(&["CREDENTIALS=false", "TRUST=true"]);
        assert_eq!(namespace.state(), before);
    }
    for (variable, flags) in [("CREDENTIALS=false", "PO"), ("TRUST=true", "POC")] {
        run(&[], &[variable]).exits(0).says_only(&["aarch64: registered", path, &format!("({flags})")]);
        assert_eq!(namespace.entry("qemu-aarch64").unwrap().flags, flags);
        namespace.tool(&[], &["--uninstall", "arm64"]).exits(0);
    }
}

/// Checks that it is registered there, and nothing else said.
#[track_caller]
fn is_trusted(namespace: &Namespace, directory: &str) {
    namespace.tool(&[EXECUTION, &[directory]].concat(), &[]).exits(0).says_only(&["aarch64: registered", "(POC)"]);
    namespace.tool(&[], &["--uninstall", "arm64"]).exits(0);
}

#[test]
fn in_execution_mode_what_others_can_write_to_is_refused() {
    let Some(namespace) = Namespace::new() else { return };
    let Some(place) = Place::new("in_execution_mode_what_others_can_write_to_is_refused") else { return };
    let directory = place.variable("above/directory");
    is_trusted(&namespace, &directory);
    for part in ["above/directory/qemu-aarch64", "above/directory", "above"] {
        place.permit(part, 0o757);
        is_refused(&namespace, &directory);
        place.permit(part, 0o755);
        is_trusted(&namespace, &directory);
    }
    // In such a directory as /tmp nobody can replace a file of root's.
    place.permit("above", 0o1777);
    is_trusted(&namespace, &directory);
    place.permit("above/directory", 0o1777);
    is_trusted(&namespace, &directory);
    // An entry that is there stays when its replacement is refused.
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    let before = namespace.state();
    place.permit("above/directory", 0o777);
    let said = namespace.tool(&[EXECUTION, &[&directory, "REPLACE=true"]].concat(), &[]).exits(1);
    said.says(&["aarch64: not registered", "others than root"]);
    assert_eq!(namespace.state(), before);
    assert!(namespace.runs("arm64"));
}

/// In execution mode the interpreter need not be here. Whoever can make it can become root, as one who can replace it.
#[test]
fn in_execution_mode_what_others_can_make_is_refused() {
    let Some(namespace) = Namespace::new() else { return };
    let Some(place) = Place::new("in_execution_mode_what_others_can_make_is_refused") else { return };
    fs::remove_file(place.path("above/directory/qemu-aarch64")).unwrap();
    let directories = ["above/directory", "above/missing", "above/missing/missing", "above/missing/"];
    for directory in directories.map(|directory| place.variable(directory)) {
        is_trusted(&namespace, &directory);
    }
    for mode in [0o757, 0o1777] {
        place.permit("above", mode);
        for directory in &directories[1..] {
            is_refused(&namespace, &place.variable(directory));
        }
        place.permit("above", 0o755);
        place.permit("above/directory", mode);
        is_refused(&namespace, &place.variable("above/directory"));
        place.permit("above/directory", 0o755);
    }
}

#[test]
fn in_execution_mode_what_belongs_to_others_is_refused() {
    let Some(namespace) = Namespace::with_users() else { return };
    let Some(place) = Place::new("in_execution_mode_what_belongs_to_others_is_refused") else { return };
    let directory = place.variable("above/directory");
    is_trusted(&namespace, &directory);
    for part in ["above/directory/qemu-aarch64", "above/directory", "above"] {
        let own = |user, group| chown(place.path(part), Some(user), Some(group)).unwrap();
        own(1000, 0);
        is_refused(&namespace, &directory);
        // Also where it has such a directory as /tmp for itself.
        place.permit(part, 0o1755);
        is_refused(&namespace, &directory);
        // A group that can write.
        own(0, 1000);
        is_trusted(&namespace, &directory);
        place.permit(part, 0o775);
        is_refused(&namespace, &directory);
        own(0, 0);
        is_trusted(&namespace, &directory);
        place.permit(part, 0o755);
    }
}

/// There the interpreter is opened now. Who can replace it has to wait for the next run.
#[test]
fn in_registration_mode_what_others_can_replace_is_told() {
    let Some(namespace) = Namespace::new() else { return };
    let Some(place) = Place::new("in_registration_mode_what_others_can_replace_is_told") else { return };
    let directory = place.variable("above/directory");
    let run = |variables: &[&str]| {
        let said = namespace.tool(&[&["ARCHES=arm64", "REPLACE=true", &directory], variables].concat(), &[]).exits(0);
        assert!(namespace.entry("qemu-aarch64").unwrap().flags.ends_with('F'));
        said
    };
    let words = [place.0.path(), "others than root can replace it"];
    assert!(!run(&[]).err.contains(words[1]));
    for part in ["above/directory/qemu-aarch64", "above/directory"] {
        place.permit(part, 0o757);
        for variables in [&[] as &[&str], &["MODE=registration"]] {
            run(variables).says(&words);
        }
        for variable in ["CREDENTIALS=false", "TRUST=true"] {
            let said = run(&[variable]);
            assert!(!said.err.contains(words[1]), "{variable}: {said:#?}");
        }
        place.permit(part, 0o755);
    }
}

#[test]
fn the_directory_that_a_link_leads_to_counts() {
    let Some(namespace) = Namespace::new() else { return };
    let Some(place) = Place::new("the_directory_that_a_link_leads_to_counts") else { return };
    symlink(place.path("above/directory"), place.path("link")).unwrap();
    is_trusted(&namespace, &place.variable("link"));
    place.permit("above/directory", 0o757);
    is_refused(&namespace, &place.variable("link"));
}

#[test]
fn what_cannot_be_looked_at_is_not_trusted() {
    if !has("strace") {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let Some(place) = Place::new("what_cannot_be_looked_at_is_not_trusted") else { return };
    let directory = place.variable("above/directory");
    for inject in ["inject=stat,newfstatat,statx:error=EIO", "inject=fstat:error=EIO:when=1"] {
        let said =
            namespace.under(&["strace", "-o", "/dev/null", "-e", inject], &[EXECUTION, &[&directory]].concat(), &[]);
        said.exits(1).says(&["aarch64: not registered", "others than root"]);
        assert!(namespace.entries().is_empty(), "{inject}");
    }
}

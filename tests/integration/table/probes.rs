//! The probes: QEMU executes them, and so does this machine where it can.

use super::library;
use super::rule::printed;
use crate::common::targets::{Row, rows};
use crate::common::{debian, debian_of, fetch, fetch_of, host, scratch, skip};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// The exit status of `program`. Another test of this process may be starting one of its own while the file is still
/// open for writing here, and so holds it open for a moment.
fn execute(program: &Path, arguments: &[&Path]) -> std::io::Result<ExitStatus> {
    loop {
        match Command::new(program).args(arguments).stdin(Stdio::null()).status() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            done => return done,
        }
    }
}

/// Every probe as a file to execute.
fn write_probes(dir: &str) -> BTreeMap<String, PathBuf> {
    let dir = scratch(dir);
    let write = |(name, program): (String, Vec<u8>)| {
        let file = dir.join(&name);
        fs::write(&file, program).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
        (name, file)
    };
    library::probes().into_iter().map(write).collect()
}

/// The interpreter for a row, of Debian 13 or of the release that is beside the row.
fn interpreter(row: &Row, rows: &[Row]) -> Result<PathBuf, String> {
    let Some(suite) = &row.suite else {
        fetch("amd64", "qemu-user")?;
        return Ok(debian("amd64", &format!("/usr/bin/qemu-{}", row.name)));
    };
    let place = |name: &str| debian_of(suite, "amd64", &format!("/usr/bin/qemu-{name}-static"));
    let package = "qemu-user-static";
    fetch_of(suite, "amd64", package)?;
    if !place(&row.name).exists() {
        // It was removed below, before the table asked for it.
        fs::remove_file(debian_of(suite, "amd64", "/.fetched").join(package)).unwrap();
        fetch_of(suite, "amd64", package)?;
    }
    // The package has 300 MB and more. Only what the table asks for of this release is kept.
    let wanted: Vec<PathBuf> =
        rows.iter().filter(|row| row.suite.as_ref() == Some(suite)).map(|row| place(&row.name)).collect();
    for file in fs::read_dir(debian_of(suite, "amd64", "/usr/bin")).unwrap().map(|file| file.unwrap().path()) {
        if !wanted.contains(&file) {
            let _ = fs::remove_file(file); // another process may have done so
        }
    }
    Ok(place(&row.name))
}

#[test]
fn every_probe_exits_0_under_qemu() {
    let name = "every_probe_exits_0_under_qemu";
    let rows = rows();
    let probes = write_probes(name);
    let mut failed = Vec::new();
    for row in &rows {
        let qemu = match interpreter(row, &rows) {
            Ok(qemu) => qemu,
            Err(why) => return skip(name, &why),
        };
        match execute(&qemu, &[&probes[&row.name]]) {
            Ok(status) if status.success() => {}
            other => failed.push(format!("{}: {other:?}", row.name)),
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// QEMU has no interpreter that the table does not know, and the table none that QEMU never had.
#[test]
fn the_table_is_complete() {
    if let Err(why) = fetch("amd64", "qemu-user") {
        return skip("the_table_is_complete", &why);
    }
    let files = fs::read_dir(debian("amd64", "/usr/bin")).unwrap().map(Result::unwrap);
    let files = files.filter(|file| file.file_type().unwrap().is_file()); // links are other names of the same
    let names = files.filter_map(|file| Some(file.file_name().to_str()?.strip_prefix("qemu-")?.to_owned()));
    let qemu: BTreeSet<String> = names.collect();
    let (old, new): (Vec<Row>, Vec<Row>) = rows().into_iter().partition(|row| row.suite.is_some());
    assert!(old.iter().all(|row| !qemu.contains(&row.name)), "a row names a release whose QEMU is not the last");
    assert_eq!(qemu, new.into_iter().map(|row| row.name).collect());
}

/// A rule would take programs from the CPU that it executes itself: `--print` leaves exactly these out, all of which are
/// of the host's own family.
#[test]
fn own_probes_exit_0_without_qemu() {
    if host::cannot("own_probes_exit_0_without_qemu", "the CPU is not its own (tests/boot has it)") {
        return;
    }
    let (printed, rows) = (printed(), rows());
    let own = rows.iter().find(|row| row.name == host::name()).unwrap();
    let probes = write_probes("own_probes_exit_0_without_qemu");
    for row in &rows {
        let target = &row.name;
        let has_rule = printed.contains(&format!(":qemu-{target}:"));
        if row.family != own.family {
            assert!(has_rule, "{target} has no rule");
            continue;
        }
        let status = execute(&probes[target], &[]);
        assert_eq!(status.as_ref().is_ok_and(ExitStatus::success), !has_rule, "{target}: {status:?}");
        // A kernel may do without the others.
        assert!(target != &own.name || status.is_ok(), "{target}: {status:?}");
    }
}

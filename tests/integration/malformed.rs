//! A row of `qemu/targets` that makes no sense fails the build, with the line it stands on.

use crate::common::{cargo, copy_of_the_package};
use std::path::Path;
use std::process::Stdio;
use std::{fs, iter};

const TABLE: &str = "qemu/targets";

/// A row as it is good, in the columns of `qemu/targets`, of a machine that no other row has.
const GOOD: [&str; 9] = ["good", "64", "le", "4711", "0x1", "0x1", "good", "-", "00ff"];

const COLUMNS: [&str; 9] = ["name", "class", "order", "machine", "flags", "mask", "family", "oci", "code"];

/// What is put in the place of which column, and what the build says of it.
const BAD: &[(&str, &str, &str)] = &[
    ("code", "", "8 columns"),
    ("code", "00 ff", "10 columns"),
    ("class", "16", "class '16'"),
    ("order", "el", "byte order 'el'"),
    ("machine", "65536", "machine '65536'"),
    ("machine", "0xb7", "machine '0xb7'"),
    ("machine", "-1", "machine '-1'"),
    ("flags", "0x100000000", "e_flags '0x100000000'"),
    ("flags", "soft", "e_flags 'soft'"),
    ("mask", "0xg", "mask of e_flags '0xg'"),
    ("code", "00f", "code '00f'"),
    ("code", "00fg", "code '00fg'"),
    ("code", "+1-1", "code '+1-1'"),
    ("machine", "+4711", "machine '+4711'"),
    ("flags", "+1", "e_flags '+1'"),
    ("name", "a:b", "name 'a:b'"),
    ("name", "a/b", "name 'a/b'"),
    ("name", "*", "name '*'"),
    ("name", "all", "name 'all'"),
    ("oci", "a,,b", "name ''"),
    ("oci", "a/b", "name 'a/b'"),
    ("name", "riscv64", "'riscv64' is taken"),
    ("name", "arm64", "'arm64' is taken"),
    ("oci", "new,arm64", "'arm64' is taken"),
    ("oci", "new,riscv64", "'riscv64' is taken"),
    // riscv64 with another name: no rule could tell the two apart.
    ("machine", "243", "'good' cannot be told from 'riscv64'"),
];

#[test]
fn a_malformed_row_fails_the_build_with_its_line() {
    let copy = copy_of_the_package("malformed");
    let table = copy.join(TABLE);
    let text = fs::read_to_string(&table).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    let with = |at: usize, row: &str| [&rows[..at], &[row], &rows[at..]].concat().join("\n") + "\n";

    // The good row is good, and so are lines below it, so that it is the one bad column that fails each of the others.
    let twin = rows.iter().position(|row| row.starts_with("riscv64 ")).unwrap();
    let middle = twin + 1 + rows[twin + 1..].iter().take_while(|row| row.starts_with(' ')).count();
    let good = GOOD.join(" ");
    fs::write(&table, with(middle, &format!("{good}\n    suite bookworm\n\tvdso good # a file"))).unwrap();
    assert_eq!(build(&copy), Ok(()));

    for &(column, bad, says) in BAD {
        let mut row = GOOD;
        row[COLUMNS.iter().position(|name| *name == column).unwrap()] = bad;
        refused(&copy, &with(middle, &row.join(" ")), middle + 1, says);
    }
    let long: String = iter::repeat_n("00", 256).collect();
    let row = [&GOOD[..8], &[&long]].concat().join(" ");
    refused(&copy, &with(middle, &row), middle + 1, "1 to 32 expected");
    // The first and the last line, and a row that comes twice.
    refused(&copy, &with(0, "lost"), 1, "1 columns");
    refused(&copy, &with(rows.len(), "lost"), rows.len() + 1, "1 columns");
    refused(&copy, &with(rows.len(), rows[twin]), rows.len() + 1, "'riscv64' is taken");
    // What is below a row has keywords, of which the tests know more.
    refused(&copy, &with(middle, &format!("{good}\n    lost sheep")), middle + 2, "keyword 'lost'");
    refused(&copy, &with(middle, &format!("    {good}")), middle + 1, "keyword 'good'");
    refused(&copy, &with(0, "    suite bookworm"), 1, "no row above");
}

/// Expects that the build with this table fails for line `line`, and what it says of it.
fn refused(copy: &Path, text: &str, line: usize, says: &str) {
    fs::write(copy.join(TABLE), text).unwrap();
    let said = build(copy).expect_err(says);
    let at = format!("{TABLE}:{line}: ");
    let found = said.lines().find_map(|said| said.trim().strip_prefix(&at));
    assert!(found.is_some_and(|found| found.contains(says)), "not '{at}…{says}…': {said}");
}

/// Builds as far as the build script decides; what cargo says if that fails.
fn build(copy: &Path) -> Result<(), String> {
    let mut cargo = cargo(copy, "build-malformed", "check");
    let output = cargo.args(["--lib", "--quiet"]).stdin(Stdio::null()).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
}

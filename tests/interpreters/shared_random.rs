//! Random programs, each of which prints a sum of what it has computed: without a cache of translations, with an empty one,
//! and twice with one that all programs before it have filled.

use crate::common::TOP;
use crate::common::namespace::Said;
use crate::quick;
use crate::tree::{Tree, interpreter};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// `PROGRAMS` is their number; from `FIRST`.
fn number(name: &str, by_default: u32) -> u32 {
    let set = env::var(name).ok().filter(|number| !number.is_empty());
    set.map_or(by_default, |number| number.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn random_programs() {
    let Some(qemu) = interpreter() else { return };
    let (first, many) = (number("FIRST", 1), number("PROGRAMS", if quick() { 5 } else { 100 }));
    let directory = Path::new(TOP).join("target/debian/tcg/random");
    let mut tree = Tree::new(&qemu, "on");
    let (mut same, mut long) = (0, 0);
    for number in first..first + many {
        let mut make = Command::new(Path::new(TOP).join("tests/interpreters/random"));
        Said::of(make.args([number.to_string(), number.to_string()])).exits(0);
        for level in ["O0", "O2"] {
            let program = directory.join(format!("{number}-{level}"));
            let limited = |command: &Command| {
                let mut limited = Command::new("timeout");
                limited.arg("10").arg(command.get_program()).args(command.get_args());
                limited.env("QEMU_TBCACHE", "on");
                limited
            };
            let alone = limited(Command::new(&qemu).arg(&program));
            let in_tree = limited(&tree.command(&qemu, &[program.to_str().unwrap()]));
            let mut without = limited(Command::new(&qemu).arg(&program));
            let expected = Said::of(without.env("QEMU_TBCACHE", "off"));
            if expected.status == 124 {
                long += 1; // csmith does not promise that it ends
                continue;
            }
            assert!(expected.status == 0 && expected.out.starts_with("checksum = "), "{number}-{level}: {expected:?}");
            for (what, mut command) in [("alone", alone), ("in the tree", in_tree)] {
                for _ in 0..if what == "alone" { 1 } else { 2 } {
                    let said = Said::of(&mut command);
                    assert!((said.status, &said.out) == (0, &expected.out), "{number}-{level}, {what}: {said:?}");
                }
            }
            same += 1;
            fs::remove_file(program).unwrap();
        }
        assert_eq!(tree.refused(), 0, "{number}");
        // Before it is full, begin with another: what is added is to be used.
        if tree.tail() * 16 > 40 << 20 {
            tree = Tree::new(&qemu, "on");
        }
    }
    println!("{same} random programs are the same; {long} did not end");
    assert!(same > many, "{same} of {many}, and {long} did not end");
}

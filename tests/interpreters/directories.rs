//! 32-bit programs that read directories of a file system whose offsets have more bits: QEMU's issue 263.

use crate::common::TOP;
use crate::common::namespace::{Said, Scratch};
use crate::own::prepare;
use crate::{Board, Both};
use std::path::Path;
use std::process::Command;

/// Makes an ext4 in a mount namespace, and reads it there by the program and the interpreter given.
const SCRIPT: &str = r#"cd "$1"
test -e image || { truncate -s 256M image
    mkfs.ext4 -q -O dir_index -E hash_seed=01234567-89ab-cdef-0123-456789abcdef image; }
mkdir -p mount
mount -o loop image mount
test -e mount/dir || "$2/readdir-amd64" make mount/dir 5000
rm -rf mount/dir.tmp
"$4" "$2/readdir-$3" check mount/dir 5000 "$4""#;

#[test]
fn of_many_files() {
    let Some(both) = Both::new() else { return };
    prepare(&both);
    let programs = Path::new(TOP).join("target/debian/tcg/programs");
    let scratch = Scratch::new();
    let mut board = Board::new("3-directories", "32-bit programs that read a directory of 5,000 files on ext4");
    for name in ["arm", "i386", "mipsel"].into_iter().filter(|name| both.have(name)) {
        for (suffix, word) in [("", "off_t of 32 bits"), ("-lfs", "off_t of 64 bits")] {
            let check = |directory: &Path| {
                let mut command = Command::new("unshare");
                command.args(["--mount", "sh", "-euc", SCRIPT, "sh", scratch.path(), programs.to_str().unwrap()]);
                command.arg(format!("{name}{suffix}")).arg(directory.join(format!("qemu-{name}")));
                let said = Said::of(&mut command);
                let wrong: Vec<_> = said.out.lines().filter(|line| line.starts_with("WRONG")).collect();
                let passes = said.status == 0 && said.out.contains("ok ");
                if passes { Ok(()) } else { Err(format!("{}{}", wrong.join("; "), said.err)) }
            };
            board.row(&format!("{name}, {word}"), check(&both.ours), Some(check(&both.debians)));
        }
    }
    board.close();
}

//! Rules of the user's, in the machine's first user namespace: they last as QEMU's own entries do.

use super::{ARM64, LIST, MOUNT, NO_ARM64, NO_THEIR_PROGRAM, THEIR_PROGRAM, THEY_RAN, all_succeed, on};
use crate::common::debian;
use std::fs;

on_every_kernel! {
    rules_last
}

fn rules_last(suite: &str) {
    let rule = fs::read_to_string(debian("amd64", "/usr/lib/binfmt.d/qemu-aarch64.conf")).unwrap();
    let pattern = rule.trim().strip_prefix(":qemu-aarch64:").unwrap().rsplitn(3, ':').last().unwrap();
    let write = format!(
        "mkdir -p /etc/binfmt.d && echo ':mine:{pattern}:/usr/bin/qemu-aarch64:OF' >/etc/binfmt.d/a.conf &&
         echo ':theirs:E::theirs::/bin/cat:' >/etc/binfmt.d/b.conf && ln -s /dev/null /etc/binfmt.d/c.conf &&
         echo 'echo not by their interpreter' >/program.theirs && chmod +x /program.theirs"
    );
    let left = "aarch64: left to entry mine, which RULES asks for\n";
    let new = format!("mine: registered /usr/bin/qemu-aarch64 (OF)\ntheirs: registered /bin/cat ()\n{left}");
    let kept =
        "mine: kept, entry mine handles it\ntheirs: kept, entry theirs handles it where /bin/cat exists (no flag F)\n";
    all_succeed(
        suite,
        &[
            (&write, ""),
            // No /proc and no /dev, and nothing loaded or mounted.
            ("mv /dev /away && RULES=/etc/binfmt.d binfmt_register && mv /away /dev", &new),
            (ARM64, "aarch64\n"),
            (THEIR_PROGRAM, THEY_RAN),
            ("binfmt_register --rules /etc/binfmt.d", &format!("{kept}{left}")),
            ("mkdir /proc && mount -t proc proc /proc", ""),
            (MOUNT, ""),
            (LIST, "binfmt_register\nmine\nregister\nstatus\ntheirs\n"),
            ("umount /proc/sys/fs/binfmt_misc", ""),
            ("binfmt_register --uninstall mine", "mine: removed\n"),
            (NO_ARM64, ""),
            (THEIR_PROGRAM, THEY_RAN),
            ("binfmt_register --uninstall theirs", "theirs: removed\nbinfmt_register: removed\n"),
            (NO_THEIR_PROGRAM, ""),
        ],
    );
}

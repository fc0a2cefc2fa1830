//! `--hold` in the machine's first namespaces, where the pin is set, and whether each kernel notifies it.

use super::{
    ALL_REMOVED, ARM64, KEPT, LIST, MOUNT, NO_ARM64, THEIR_PROGRAM, THEIRS, THEY_RAN, UMOUNT, all_succeed, on,
    registered,
};

on_every_kernel! {
    it_holds
}

/// What stands for a holder that has registered, and sleeps.
pub const HOLD: &str = "
    binfmt_register --hold >/said 2>&1 & echo $! >/pid
    for try in 1 2 3 4 5 6 7 8 9; do sleep 0.3; grep -q aarch64 /said && break; done; sleep 1";
pub const SAID: &str = "kill $(cat /pid); sleep 0.5; cat /said";
/// What it says when it has registered, and when it has done so again.
pub const HOLDING: &str = "--hold: stays; what others remove is registered again; SIGTERM ends it\n";
const AGAIN: &str = "--hold: registered again, because it had been removed\n";
const AWAKE: &str = "grep ctxt /proc/$(cat /pid)/status";

/// What is said of a new entry of a holder's, with its mark in the path.
pub fn held(suite: &str) -> String {
    registered(suite, "OCF").replace("/usr/bin/", "/usr/bin/././")
}

fn it_holds(suite: &str) {
    let (new, again) = (&(held(suite) + HOLDING), &(held(suite) + AGAIN));
    let all = "binfmt_register\nqemu-aarch64\nregister\nstatus\n";
    all_succeed(
        suite,
        &[
            // Nothing mounted, not even /proc. (The shell wants /dev/null for what it puts into the background.)
            ("mknod /dev/null c 1 3", ""),
            (HOLD, ""),
            (ARM64, "aarch64\n"),
            ("binfmt_register", KEPT),
            (SAID, &format!("{new}{ALL_REMOVED}")),
            (NO_ARM64, ""),
            // It is asleep until an entry goes, whoever removes it through whichever mount; and so does the pin.
            ("mkdir /proc && mount -t proc proc /proc", ""),
            (HOLD, ""),
            (&format!("{AWAKE} >/before; sleep 2; {AWAKE} | cmp - /before"), ""),
            (MOUNT, ""),
            (LIST, all),
            (
                &format!("echo -1 >/proc/sys/fs/binfmt_misc/status; {LIST}; sleep 1.5; {LIST}"),
                &format!("register\nstatus\n{all}"),
            ),
            ("echo -1 >/proc/sys/fs/binfmt_misc/qemu-aarch64; sleep 1.5", ""),
            (&format!("unshare -m sh -c '{UMOUNT}; binfmt_register --uninstall arm64'; sleep 1.5"), ALL_REMOVED),
            (UMOUNT, ""),
            (ARM64, "aarch64\n"),
            (&format!("{AWAKE} >/before; sleep 2; {AWAKE} | cmp - /before"), ""),
            (SAID, &format!("{new}{again}{again}{again}{ALL_REMOVED}")),
            (NO_ARM64, ""),
            // What one leaves that was killed is the next one's.
            (HOLD, ""),
            ("kill -9 $(cat /pid)", ""),
            (ARM64, "aarch64\n"),
            (HOLD, ""),
            (SAID, &format!("{KEPT}{HOLDING}{ALL_REMOVED}")),
            (NO_ARM64, ""),
            // What was there before stays: an entry of ours with its pin, and one of others that a mount keeps.
            ("binfmt_register", &registered(suite, "OCF")),
            (HOLD, ""),
            (SAID, &format!("{KEPT}{HOLDING}")),
            (ARM64, "aarch64\n"),
            ("binfmt_register --uninstall '*'", ALL_REMOVED),
            (MOUNT, ""),
            (THEIRS, ""),
            (HOLD, ""),
            (SAID, &format!("{new}{ALL_REMOVED}")),
            (LIST, "register\nstatus\ntheirs\n"),
            // Where nothing else keeps it, the pin stays.
            (HOLD, ""),
            (UMOUNT, ""),
            (SAID, &format!("{new}qemu-aarch64: removed\n")),
            (THEIR_PROGRAM, THEY_RAN),
            (MOUNT, ""),
            (LIST, "binfmt_register\nregister\nstatus\ntheirs\n"),
        ],
    );
}

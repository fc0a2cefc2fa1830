//! An ordinary user, in a user namespace of their own.

use super::{NO_ARM64, all_succeed, on, registered};

on_every_kernel! {
    an_ordinary_user_runs_a_foreign_root_file_system
}

fn an_ordinary_user_runs_a_foreign_root_file_system(suite: &str) {
    let run = "su user -c 'unshare -Ur binfmt_register -- chroot /root/arm64 /bin/sh -c \"busybox uname -m; id -u\"'";
    let there = "/proc/sys/fs/binfmt_misc";
    let own = &format!("{}registered for this user namespace, by the mount at {there}\n", registered(suite, "OCF"));
    let setup = "mkdir /proc /etc && mount -t proc proc /proc && echo user:x:1000:1000::/:/bin/sh >/etc/passwd &&
        mkdir -p /root/arm64/bin && cp /arm64/busybox /root/arm64/bin && chmod 755 /root /bin/binfmt_register &&
        for name in sh id; do ln -s busybox /root/arm64/bin/$name; done && mknod -m 666 /dev/null c 1 3";
    if matches!(suite, "bullseye" | "bookworm") {
        let release = format!(
            "test \"$({run} 2>&1)\" = \"binfmt_misc: EPERM: a user namespace has its own from Linux 6.7 on, this is $(uname -r); run on the host\""
        );
        return all_succeed(suite, &[(setup, ""), (&format!("! {run} 2>/dev/null"), ""), (&release, "")]);
    }
    all_succeed(
        suite,
        &[
            (setup, ""),
            ("su user -c 'id -u; ! binfmt_register 2>/dev/null'", "1000\n"),
            (run, &format!("{own}aarch64\n0\n")),
            (NO_ARM64, ""),
            // What root has registered is hidden, and said to be where it can be seen.
            ("binfmt_register", &registered(suite, "OCF")),
            (run, &format!("{own}aarch64\n0\n")),
            (&format!("mount -t binfmt_misc binfmt_misc {there}"), ""),
            (
                run,
                &format!(
                    "in this user namespace its parent's entries are out of force: qemu-aarch64\n{own}aarch64\n0\n"
                ),
            ),
        ],
    );
}

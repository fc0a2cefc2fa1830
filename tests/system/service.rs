//! The service of `make install`.

use crate::common::{TOP, run, scratch};
use crate::machine::REBOOT;
use crate::{NO_HANDLER, RUN, system};
use std::path::Path;
use std::process::Command;

/// The entries. To look at them mounts binfmt_misc.
const ENTRIES: &str = "cd /proc/sys/fs/binfmt_misc && echo *";

#[test]
fn entries_come_back_when_systemd_binfmt_is_restarted_and_after_a_reboot() {
    let Some(mut machine) = system("service", "landlock") else { return };
    // As an administrator installs it, with an interpreter of their own.
    let root = scratch("system-service");
    let make = ["install", "ARCHES=arm64", &format!("DESTDIR={}", root.display())];
    run(Command::new("make").current_dir(TOP).args(make)).unwrap();
    for file in [
        "etc/binfmt_register.conf",
        "usr/local/bin/binfmt_register",
        "usr/local/lib/systemd/system/binfmt_register.service",
    ] {
        machine = machine.file(&format!("/root/{file}"), Path::new(&root).join(file));
    }
    let all = "binfmt_register qemu-aarch64 register status theirs\n";
    machine.all_succeed(&[
        ("cp -R /test/root/. / && cp /test/binfmt_register/usr/bin/qemu-* /usr/bin", ""),
        ("echo ':theirs:E::theirs::/bin/true:' >/etc/binfmt.d/theirs.conf", ""),
        ("systemctl daemon-reload && systemctl enable --now binfmt_register 2>/dev/null", ""),
        (RUN, "aarch64\n"),
        REBOOT,
        ("systemctl is-active systemd-binfmt binfmt_register", "active\nactive\n"),
        (ENTRIES, all),
        (RUN, "aarch64\n"),
        // This removes all entries, and registers its own. It does not wait for what follows it.
        ("systemctl restart systemd-binfmt", ""),
        ("for i in $(seq 100); do [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || break; sleep 0.1; done", ""),
        (RUN, "aarch64\n"),
        (ENTRIES, all),
        ("systemctl reload binfmt_register", ""),
        (ENTRIES, all),
        // It stops with the other one.
        ("systemctl stop systemd-binfmt && systemctl is-active binfmt_register || true", "inactive\n"),
        (&format!("{RUN} {NO_HANDLER}"), ""),
        ("systemctl start systemd-binfmt binfmt_register", ""),
        (ENTRIES, all),
        ("systemctl stop binfmt_register", ""),
        (ENTRIES, "register status theirs\n"),
    ]);
}

//! The service of `make install`.

use crate::common::{TOP, run, scratch};
use crate::machine::REBOOT;
use crate::{COME_BACK, NO_HANDLER, RUN, system};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The entries. To look at them mounts binfmt_misc.
const ENTRIES: &str = "cd /proc/sys/fs/binfmt_misc && echo *";

/// What makes it a holder, as docs/how-it-lasts.md has it.
const DROP_IN: &str = "/etc/systemd/system/binfmt_register.service.d";
const HOLD: &str = "[Service]
Type=exec
ExecStart=
ExecStart=/usr/local/bin/binfmt_register --hold
ExecReload=
ExecStop=
";

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
    let page = fs::read_to_string(Path::new(TOP).join("docs/how-it-lasts.md")).unwrap();
    assert!(page.contains(HOLD));
    fs::write(root.join("hold.conf"), HOLD).unwrap();
    machine = machine.file("/hold.conf", root.join("hold.conf"));
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
        (COME_BACK, all),
        (RUN, "aarch64\n"),
        ("systemctl reload binfmt_register", ""),
        (ENTRIES, all),
        // It stops with the other one.
        ("systemctl stop systemd-binfmt && systemctl is-active binfmt_register || true", "inactive\n"),
        (&format!("{RUN} {NO_HANDLER}"), ""),
        ("systemctl start systemd-binfmt binfmt_register", ""),
        (ENTRIES, all),
        ("systemctl stop binfmt_register", ""),
        (ENTRIES, "register status theirs\n"),
        // As a holder, which needs no help of systemd's to notice.
        (&format!("mkdir -p {DROP_IN} && cp /test/hold.conf {DROP_IN} && systemctl daemon-reload"), ""),
        ("systemctl start binfmt_register", ""),
        (COME_BACK, all),
        ("/usr/lib/systemd/systemd-binfmt", ""),
        (COME_BACK, all),
        (RUN, "aarch64\n"),
        ("systemctl stop binfmt_register", ""),
        (ENTRIES, "register status theirs\n"),
    ]);
}

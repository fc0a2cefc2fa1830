//! The pin, in the machine's first user namespace: whose it is, what repairs it, and what is said without it.

use super::hold::{HOLD, HOLDING, SAID, held};
use super::{
    ALL_REMOVED, ARM64, KEPT, LIST, MOUNT, NO_ARM64, REMOVED, UMOUNT, all_succeed, on, registered, the_machine,
};
use crate::common::{run, skip};
use crate::machine::Machine;
use std::process::Command;

on_every_kernel! {
    it_is_known_by_its_contents_and_repaired
    where_it_is_refused_the_line_names_hold
}

/// With `/proc`, to look at it.
const PROC: &str = "mkdir /proc && mount -t proc proc /proc && modprobe fs-binfmt_misc";

/// Whether it is enabled.
const LOOK: &str = "head -n 1 /proc/sys/fs/binfmt_misc/binfmt_register";

/// What is said where nothing but the mount keeps the entries.
fn while_mounted(error: &str) -> String {
    format!("registered as long as binfmt_misc is mounted at /proc/sys/fs/binfmt_misc, no pin ({error})\n")
}

fn it_is_known_by_its_contents_and_repaired(suite: &str) {
    let new = &registered(suite, "OCF");
    all_succeed(
        suite,
        &[
            (PROC, ""),
            (MOUNT, ""),
            // An entry of somebody else's that has its name keeps nothing, and is left alone.
            ("cd /proc/sys/fs/binfmt_misc && echo :binfmt_register:E::theirs::/bin/cat: >register", ""),
            ("binfmt_register", &format!("{new}{}", while_mounted("EEXIST"))),
            (LOOK, "enabled\n"),
            ("binfmt_register --uninstall '*'", REMOVED),
            (LIST, "binfmt_register\nregister\nstatus\n"),
            ("binfmt_register --uninstall binfmt_register", "binfmt_register: removed\n"),
            (LIST, "register\nstatus\n"),
            // As a run leaves it that is killed before it has disabled it.
            ("binfmt_register", new),
            (&format!("echo 1 >/proc/sys/fs/binfmt_misc/binfmt_register; {LOOK}"), "enabled\n"),
            ("binfmt_register", KEPT),
            (LOOK, "disabled\n"),
            // It serves as before.
            (UMOUNT, ""),
            (ARM64, "aarch64\n"),
            ("binfmt_register --uninstall '*'", ALL_REMOVED),
            (NO_ARM64, ""),
        ],
    );
}

/// A machine that has this one's strace too, by which calls fail that do not by themselves.
fn with_strace(test: &str, suite: &str) -> Option<Machine> {
    let files = run(Command::new("sh").args(["-c", "command -v strace && ldd \"$(command -v strace)\""]));
    let files = files.map_err(|why| skip(test, &why)).ok()?;
    let mut machine = the_machine(suite);
    for path in files.split_whitespace().filter(|word| word.starts_with('/')) {
        let (directory, name) = path.rsplit_once('/').unwrap();
        let place = if directory.starts_with("/lib") { "/lib64" } else { "/bin" };
        machine = machine.file(&format!("{place}/{name}"), path);
    }
    Some(machine)
}

/// Here because there can be no mount namespace to make it in. A later kernel may refuse it altogether.
fn where_it_is_refused_the_line_names_hold(suite: &str) {
    let Some(machine) = with_strace("where_it_is_refused_the_line_names_hold", suite) else { return };
    let new = &registered(suite, "OCF");
    // Linux 5.10 keeps the entries all the same, and nothing is to be said.
    let (status, why, after) = match suite {
        "bullseye" => ("0\n", ("test ! -s /why", ""), (ARM64, "aarch64\n")),
        _ => {
            ("1\n", ("grep -c 'gone with this process: no pin (EPERM).*stay with --hold' /why", "1\n"), (NO_ARM64, ""))
        }
    };
    let tool = "LD_LIBRARY_PATH=/lib64 strace -D -f -o /dev/null -e inject=unshare:error=EPERM binfmt_register";
    machine.all_succeed(&[
        (PROC, ""),
        ("mknod -m 666 /dev/null c 1 3", ""),
        (&format!("{tool} 2>/said; echo $?"), status),
        ("head -n 1 /said; tail -n +2 /said >/why", new),
        why,
        after,
        ("binfmt_register --uninstall '*' 2>/dev/null", ""),
        // A holder does without.
        (&HOLD.replace("binfmt_register", tool), ""),
        (ARM64, "aarch64\n"),
        (SAID, &format!("{}{HOLDING}{REMOVED}", held(suite))),
        (NO_ARM64, ""),
        // And so does whoever has it mounted.
        (MOUNT, ""),
        (tool, &format!("{new}{}", while_mounted("EPERM"))),
        (ARM64, "aarch64\n"),
    ]);
}

/// Linux 7.3 registers an entry disabled, so that it is at no moment enabled. Others refuse the rule, and get another one.
#[test]
fn where_the_kernel_can_it_is_registered_disabled() {
    let test = "where_the_kernel_can_it_is_registered_disabled";
    on("trixie", test, |suite| {
        let Some(machine) = with_strace(test, suite) else { return };
        let rule = ":binfmt_register:M::binfmt_register keeps binfmt_misc alive::file:F";
        // What is written to the kernel by the process that sets it.
        let strace = "LD_LIBRARY_PATH=/lib64 strace -f -s 100 -o /trace -e write";
        let written = |count: usize| {
            let writes = [format!("\"{rule}D\""), format!("\"{rule}\""), "\"0\"".into()];
            writes.iter().take(count).map(|write| format!("{write}\n")).collect::<String>()
        };
        let look = r#"sed -n 's/.*write([0-9]*, \(":bin[^"]*"\|"0"\).*/\1/p' /trace"#;
        // The second write of each process has no effect, and counts as done: here the rule with `D`.
        let taken =
            format!("{strace} -e inject=write:retval={}:when=2 binfmt_register >/dev/null 2>&1", rule.len() + 1);
        machine.all_succeed(&[
            (PROC, ""),
            ("mknod -m 666 /dev/null c 1 3", ""),
            (&format!("{strace} binfmt_register 2>&1"), &registered(suite, "OCF")),
            (look, &written(3)),
            ("binfmt_register --uninstall '*'", ALL_REMOVED),
            (&taken, ""),
            (look, &written(1)),
        ]);
    });
}

//! The tool as the machine's init: the kernel starts it, and it the harness's `/sbin/init`.

use super::{ARM64, NO_ARM64, debian, on, registered, shipped};
use crate::common::namespace::Scratch;
use crate::common::scratch;
use crate::machine::{Console, Machine};
use std::fs;
use std::io::{Write, stderr};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

on_every_kernel! {
    it_registers_and_boots
    whatever_fails_is_said_and_the_machine_boots
    registrations_outlive_the_initramfs
    an_interpreter_that_does_not_end_does_not_stop_the_boot
    without_an_init_it_halts
    without_a_console_it_writes_to_the_kernel_log
}

const QEMU: &str = "/usr/bin/qemu-aarch64";

/// One that is started by `/init`, has a foreign program, and nothing mounted.
fn without_interpreter(suite: &str) -> Machine {
    Machine::new(suite).file("/init", shipped()).file("/arm64/busybox", debian("arm64", "/usr/bin/busybox"))
}

/// The same with an interpreter.
fn machine(suite: &str) -> Machine {
    without_interpreter(suite).file(QEMU, debian("amd64", QEMU))
}

/// A script to put into the machine.
fn script(test: &str, suite: &str, text: &str) -> PathBuf {
    let file = scratch(&format!("{test}-{suite}")).join("script");
    fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file
}

/// Checks that the console said a line before the next init was there.
#[track_caller]
fn said(console: &Console, line: &str) {
    let before = console.text.split("@@@ 1 begins").next().unwrap();
    assert!(before.lines().any(|other| other == line), "not said: {line}");
}

fn it_registers_and_boots(suite: &str) {
    // What the kernel does not know is for its init: variables and arguments. Those are no options of this tool.
    let console = machine(suite)
        .append("CREDENTIALS=false OTHER=value single --version -- --help -x")
        .run(ARM64)
        // What was passed on, to the same process; there is no place for a mount yet.
        .run("echo $$ \"$0\" \"$@\"; echo $CREDENTIALS $OTHER; ls -1 /")
        .run("mkdir /proc && mount -t proc proc /proc && cut -d ' ' -f 5 /proc/self/mountinfo")
        .run("for file in /proc/1/fd/*; do readlink $file; done")
        .run("mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && ls -1 /proc/sys/fs/binfmt_misc")
        .boot();
    said(&console, registered(suite, "OF").trim());
    let [runs, passed_on, mounts, open, entries] = console.ran();
    assert_eq!(runs.said(), (0, "aarch64\n"));
    let of_the_machine = "arm64\nbin\ndev\ninit\nlib\nroot\nsbin\nusr\n";
    let arguments = "1 /sbin/init single --version --help -x\nfalse value\n";
    assert_eq!(passed_on.said(), (0, &*format!("{arguments}{of_the_machine}")));
    assert_eq!(mounts.said(), (0, "/\n/proc\n"));
    // The console, and the script for the shell.
    assert!(open.output.starts_with("/dev/console\n/dev/console\n/sbin/init\n/dev/console\n"), "{}", open.output);
    assert_eq!(entries.said(), (0, "binfmt_register\nqemu-aarch64\nregister\nstatus\n"));
}

fn whatever_fails_is_said_and_the_machine_boots(suite: &str) {
    let no_init = "/none: not executed: ENOENT";
    // Garbage, and an init that is not there.
    let console = machine(suite).append("MODE=both INIT=/none").run("echo $$; /arm64/busybox true 2>&-").boot();
    said(&console, "MODE: 'both' is none of these: registration execution");
    said(&console, no_init);
    assert!(console.ran.len() == 1 && console.ran[0].output.starts_with("1\n") && console.ran[0].status != 0);
    // No interpreter, and this itself as the init.
    let console = without_interpreter(suite).append("INIT=/init").run(NO_ARM64).boot();
    said(
        &console,
        "no interpreter /usr/bin/qemu-ARCH-static, nor one without -static; QEMU_BINARY_PATH is the directory",
    );
    said(&console, "/init: not executed: ELOOP");
    assert_eq!(console.ran::<1>()[0].said(), (0, ""));
    // No module; started by a script, with a command that is not there.
    let first = script("no-module", suite, "busybox rm -r /lib/modules\nexec /tool --install arm64 -- /none");
    let console = machine(suite).file("/tool", shipped()).file("/init", first).run("echo $$").boot();
    said(&console, "binfmt_misc: ENODEV: this kernel has none; run 'modprobe binfmt_misc' on the host");
    said(&console, no_init);
    assert_eq!(console.ran::<1>()[0].said(), (0, "1\n"));
}

fn registrations_outlive_the_initramfs(suite: &str) {
    // What an initramfs does at its end: a new root, on which there is no interpreter, and all else is removed.
    let first = script(
        "switch",
        suite,
        "busybox mkdir /new && busybox mount -t tmpfs tmpfs /new && busybox cp -a /arm64 /bin /sbin /new && \
         exec busybox switch_root /new /sbin/init \"$@\"",
    );
    let console = machine(suite)
        .file("/first", first)
        .append("INIT=/first single")
        .run(ARM64)
        .run("echo $$ $@; ls -1 /")
        .run("VARIABLE=value /arm64/busybox sh -c 'echo $VARIABLE'")
        .boot();
    let [runs, root, shell] = console.ran();
    assert_eq!(runs.said(), (0, "aarch64\n"));
    assert_eq!(root.said(), (0, "1 single\narm64\nbin\nsbin\n"));
    assert_eq!(shell.said(), (0, "value\n"));
}

fn an_interpreter_that_does_not_end_does_not_stop_the_boot(suite: &str) {
    let scratch = Scratch::new();
    let source = "#include <signal.h>\n#include <unistd.h>\n\
        int main(void) { for (int s = 1; s < 65; s++) signal(s, SIG_IGN); fork(); for (;;) pause(); }\n";
    let Some(endless) = scratch.compiled("qemu-aarch64", source) else { return };
    let console = without_interpreter(suite)
        .file(QEMU, endless)
        .append("VERIFY=true")
        .run("mknod /dev/kmsg c 1 11; echo mark >/dev/kmsg; dmesg")
        .run("mkdir /proc && mount -t proc proc /proc && ! grep -l qemu-aarch64 /proc/[0-9]*/cmdline")
        .boot();
    said(
        &console,
        &format!(
            "aarch64: taken back: no program runs through {QEMU}: it was started, and did not end in time, or was killed"
        ),
    );
    let [log, running] = console.ran();
    let took = since_boot(&log.output, "] mark") - since_boot(&log.output, "Run /init as init process");
    assert!((8_000.0..12_000.0).contains(&took), "{took} ms");
    assert_eq!(running.said(), (0, ""));
}

/// A kernel whose init ends panics, and `panic=-1`, as the harness has it, would reset the machine.
fn without_an_init_it_halts(suite: &str) {
    let file = scratch(&format!("no-init-{suite}")).join("file");
    fs::write(&file, "").unwrap();
    let last = "System halted";
    let console = machine(suite).file("/sbin/init", &file).file("/bin/sh", &file).boot_until(Some(last));
    said(&console, registered(suite, "OCF").trim());
    said(&console, "/sbin/init: not executed: EACCES");
    said(&console, "/bin/sh: not executed: EACCES");
    said(&console, "no init found, the machine is halted; name one: INIT=/path");
    said(&console, "/etc/init: not executed: ENOENT");
    assert!(!console.text.contains("panic"));
}

fn without_a_console_it_writes_to_the_kernel_log(suite: &str) {
    let first = script("console", suite, "busybox mknod /dev/ttyS0 c 4 64; exec /sbin/init <>/dev/ttyS0 >&0 2>&0");
    let console = machine(suite)
        // A directory in the place of the device, so that the kernel cannot open it.
        .file("/dev/console/file", &first)
        .file("/first", &first)
        .append("INIT=/first ARCHES=all MODE=execution")
        .run("dmesg | grep 'initial console'")
        .run("dmesg | grep -c ': registered /usr/bin/qemu-'")
        .run("dmesg | grep -o 'aarch64: registered .*'")
        .run(ARM64)
        .run("mkdir /proc && mount -t proc proc /proc && for file in /proc/1/fd/*; do readlink $file; done")
        .boot();
    let [warning, registered, line, runs, open] = console.ran();
    assert!(warning.output.contains("unable to open an initial console"));
    assert_eq!(registered.status, 0);
    assert!(registered.output.trim().parse::<u32>().unwrap() > 30, "{}", registered.output);
    assert!(line.output.starts_with("aarch64: registered /usr/bin/qemu-aarch64 ("), "{}", line.output);
    assert_eq!(runs.said(), (0, "aarch64\n"));
    assert!(!open.output.contains("kmsg") && open.output.contains("ttyS0"), "{}", open.output);
}

/// When the kernel's log has such a line; in milliseconds.
fn since_boot(log: &str, what: &str) -> f64 {
    let line = log.lines().find(|line| line.contains(what)).unwrap();
    line.trim_start_matches('[').split(']').next().unwrap().trim().parse::<f64>().unwrap() * 1000.0
}

/// How long it takes from when the kernel starts `/init` to the next init's first command, and how long that takes to
/// load the module, if it is not loaded; in milliseconds.
fn times(machine: Machine) -> (f64, f64) {
    let console = machine
        .run("mknod /dev/kmsg c 1 11; echo mark 1 >/dev/kmsg; modprobe binfmt_misc; echo mark 2 >/dev/kmsg; dmesg")
        .count_instructions()
        .boot();
    let time = |what| since_boot(&console.ran::<1>()[0].output, what);
    let [start, first, second] = ["Run /init as init process", "] mark 1", "] mark 2"].map(time);
    (first - start, second - first)
}

/// In emulation the clock says how busy this host is, so instructions are counted, one a nanosecond: what these two
/// kernels do, and QEMU 7.2 does not boot the later ones reliably so. The module has to be loaded for any registration;
/// what is left is this tool, with the pin.
#[test]
fn it_adds_little_to_the_boot() {
    for suite in ["bullseye", "bookworm"] {
        on(suite, "it_adds_little_to_the_boot", |suite| {
            let (with, _) = times(machine(suite));
            let (without, module) = times(Machine::new(suite).file(QEMU, debian("amd64", QEMU)));
            let added = with - without;
            let _ = writeln!(
                stderr(),
                "{suite}: {added:.1} ms added to the boot at an instruction a nanosecond, {module:.1} by loading the module"
            );
            assert!(added > 0.0 && added - module < 5.0, "{with} ms, without it {without} ms");
        });
    }
}

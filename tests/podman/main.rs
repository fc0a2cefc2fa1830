//! Rootless podman: what an ordinary user's container does to the next ones. It needs root, but changes nothing on this
//! machine: podman runs in a user namespace that has everybody in it, and a binfmt_misc of its own.

#[path = "../common/mod.rs"]
mod common;

use common::namespace::{MOUNT, Said, clean};
use common::{debian, fetch, run, shipped, skip};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::{fs, thread};

/// What is said to a user of rootless podman.
const REFUSED: &[&str] = &["binfmt_misc", "run as root (sudo podman run)"];

/// A program for arm64 in a container; the end of a command.
const ARM64: &[&str] = &["--entrypoint=/busybox-arm64", "one", "uname", "-m"];

/// Makes all of it, in the directory that an ordinary user can reach everywhere. Below `/sys/fs/cgroup` there may be the
/// older hierarchies, which crun does not want.
const SETUP: &str = r#"set -e
mount --make-rshared /
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
mount -t tmpfs -o mode=755 tmpfs /srv
mkdir -p /srv/home /srv/run /srv/root /srv/image/usr/bin
cp "$TOOL" /srv/image/usr/bin/binfmt_register
cp "$QEMU" /srv/image/usr/bin/qemu-aarch64-static
cp "$BUSYBOX" /srv/image/busybox-arm64
tar -C /srv/image -cf /srv/image.tar .
(cat /etc/passwd; echo tester:x:54321:54321::/srv/home:/bin/sh) >/srv/passwd
echo tester:6000000:65536 >/srv/ids
(cat /etc/group; echo tester:x:54321:) >/srv/group
mount --bind /srv/passwd /etc/passwd
mount --bind /srv/group /etc/group
mount --bind /srv/ids /etc/subuid
mount --bind /srv/ids /etc/subgid
chown 54321:54321 /srv/home /srv/run
echo ready
exec cat"#;

/// A machine as podman sees it.
struct Machine {
    // It waits for its standard input to end, and takes all that runs there with it.
    holder: Child,
    /// Its process 1.
    process: String,
}

impl Machine {
    /// With the tool and an interpreter as an image of the user's, and the handler for arm64 registered by root.
    fn new() -> Option<Self> {
        let machine = Self::start().and_then(|machine| {
            machine.import(Who::User)?;
            match machine.runs_arm64() {
                false => Err("no arm64 program runs in a container of podman's".into()),
                true => Ok(machine),
            }
        });
        if let Err(why) = &machine {
            skip(thread::current().name().unwrap_or_default(), why);
        }
        machine.ok()
    }

    fn start() -> Result<Self, String> {
        run(Command::new("podman").arg("--version"))?;
        run(Command::new("sh").args(["-c", "command -v newuidmap"])).map_err(|_| "no newuidmap (package uidmap)")?;
        fetch("amd64", "qemu-user")?;
        fetch("arm64", "busybox-static")?;
        let inside = "unshare -mCpf --kill-child --mount-proc sh -c \"$SETUP\"";
        let mut unshare = Command::new("unshare");
        clean(&mut unshare);
        let holder = unshare
            .args([
                "-U",
                "sh",
                "-c",
                &format!("echo new; read go; exec setpriv --reuid=0 --regid=0 --clear-groups {inside}"),
            ])
            .env("SETUP", SETUP)
            .env("TOOL", shipped())
            .env("QEMU", debian("amd64", "/usr/bin/qemu-aarch64"))
            .env("BUSYBOX", debian("arm64", "/usr/bin/busybox"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let id = holder.id();
        let mut machine = Self { process: String::new(), holder };
        let mut said = BufReader::new(machine.holder.stdout.take().unwrap()).lines().map_while(Result::ok);
        if said.next().is_none() {
            return Err("no user namespace".into());
        }
        // With all users but one, so that crun sees that this is a user namespace, and makes no devices.
        for map in ["uid_map", "gid_map"] {
            fs::write(format!("/proc/{id}/{map}"), "0 0 4294967294").map_err(|error| format!("{map}: {error}"))?;
        }
        machine.holder.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
        if said.next().is_none() {
            return Err("no user namespace with a binfmt_misc of its own (Linux 6.7)".into());
        }
        machine.process = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap().trim().into();
        machine.root(shipped(), &[]).exits(0).says(&["aarch64: registered"]);
        Ok(machine)
    }

    /// A command of somebody's there.
    fn command(&self, who: Who, program: &str) -> Command {
        let mut command = Command::new("timeout");
        clean(&mut command);
        command.args(["60", "nsenter", "-U", "-m", "-C", "-p", "-t", &self.process, "--", "env", "--chdir=/srv/home"]);
        if who == Who::User {
            command.args(["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]);
            command.env("HOME", "/srv/home").env("XDG_RUNTIME_DIR", "/srv/run");
        }
        command.arg(program);
        command
    }

    fn root(&self, program: &str, arguments: &[&str]) -> Said {
        let mut command = self.command(Who::Root, program);
        Said::of(command.env("ARCHES", "arm64").env("QEMU_BINARY_PATH", "/srv/image/usr/bin").args(arguments))
    }

    /// `podman` with these arguments.
    fn podman(&self, who: Who, arguments: &[&str]) -> Said {
        let mut command = self.command(who, "podman");
        command.args(["--cgroup-manager=cgroupfs", "--storage-driver=vfs", "--events-backend=file"]);
        if who == Who::Root {
            command.args(["--root=/srv/root/storage", "--runroot=/srv/root/run", "--tmpdir=/srv/root/tmp"]);
        }
        Said::of(command.args(arguments))
    }

    /// `podman run`, which ends.
    fn run(&self, who: Who, arguments: &[&str]) -> Said {
        self.podman(who, &[&["run", "--rm", "--network=none", "--cgroups=disabled"], arguments].concat())
    }

    fn import(&self, who: Who) -> Result<(), String> {
        let change = "--change=ENTRYPOINT [\"/usr/bin/binfmt_register\"]";
        let said = self.podman(who, &["import", change, "/srv/image.tar", "one"]);
        if said.status == 0 { Ok(()) } else { Err(format!("podman import: {said:?}")) }
    }

    /// Whether a program for arm64 runs in the user's next container.
    fn runs_arm64(&self) -> bool {
        let said = self.run(Who::User, ARM64);
        said.status == 0 && said.out == "aarch64\n"
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Root,
    User,
}

#[test]
fn a_registration_that_would_hide_the_hosts_is_refused() {
    let Some(machine) = Machine::new() else { return };
    for options in [
        &["--privileged"][..],
        &["--privileged", "--init"],
        &["--privileged", "--userns=keep-id"],
        &["--cap-drop=ALL", "--cap-add=SYS_ADMIN", "--read-only"],
        // Without any right.
        &[],
    ] {
        machine.run(Who::User, &[options, &["one"]].concat()).exits(1).says(REFUSED);
        assert!(machine.runs_arm64(), "{options:?}");
    }
    for arguments in [&["--install", "all"][..], &["--install", "arm64", "--status"]] {
        let said = machine.run(Who::User, &[&["--privileged", "one"], arguments].concat());
        said.exits(1).says(REFUSED);
        assert!(machine.runs_arm64(), "{arguments:?}");
    }
}

#[test]
fn what_does_not_register_hides_nothing() {
    let Some(machine) = Machine::new() else { return };
    let run = |arguments: &[&str]| machine.run(Who::User, &[&["--privileged", "one"], arguments].concat()).exits(0);
    let status = run(&["--status"]);
    assert!(status.out.contains("\"linux/arm64\""), "{status:?}");
    run(&["--uninstall", "*"]).says(&["*: nothing registered"]);
    run(&["--uninstall", "qemu-aarch64"]).says(&["qemu-aarch64: nothing registered"]);
    assert!(run(&["--print"]).out.starts_with(":qemu-aarch64:M:"));
    assert!(machine.runs_arm64());
}

/// Who asks for one that is there only meanwhile gets it. Afterwards it hides the host's until podman gives the user
/// another user namespace.
#[test]
fn a_command_and_hold_have_their_own() {
    let Some(machine) = Machine::new() else { return };
    let said = machine.run(Who::User, &["--privileged", "one", "--", "/busybox-arm64", "uname", "-m"]).exits(0);
    assert_eq!(said.says(&["aarch64: registered"]).out, "aarch64\n");
    assert!(!machine.runs_arm64());
    machine.podman(Who::User, &["system", "migrate"]).exits(0);
    assert!(machine.runs_arm64());

    let detached = ["run", "--detach", "--name=hold", "--network=none", "--cgroups=disabled", "--privileged"];
    machine.podman(Who::User, &[&detached[..], &["one", "--hold"]].concat()).exits(0);
    let registered = (0..50).any(|_| {
        thread::sleep(std::time::Duration::from_millis(100));
        machine.podman(Who::User, &["logs", "hold"]).err.contains("aarch64: registered")
    });
    assert!(registered && machine.runs_arm64(), "for the user's other containers, too");
    machine.podman(Who::User, &["stop", "hold"]).exits(0);
    machine.podman(Who::User, &["logs", "hold"]).says(&["qemu-aarch64: removed"]);
    machine.podman(Who::User, &["rm", "hold"]).exits(0);
}

/// Root's containers serve everybody. This root is that of a user namespace, and so has to show where it has binfmt_misc.
#[test]
fn what_root_registers_serves_the_user() {
    let Some(machine) = Machine::new() else { return };
    machine.root(shipped(), &["--uninstall", "*"]).exits(0).says(&["qemu-aarch64: removed"]);
    assert!(!machine.runs_arm64());
    machine.import(Who::Root).unwrap();
    let volume = format!("--volume={MOUNT}:{MOUNT}");
    machine.run(Who::Root, &["--privileged", &volume, "one"]).exits(0).says(&["aarch64: registered"]);
    assert!(machine.runs_arm64());
}

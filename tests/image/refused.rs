//! What stands in the way, in a container, and what is said of it.

use crate::common::namespace::{MOUNT, Said, Scratch};
use crate::docker::{Host, build, command, container, make_image, mounted, script, some, with_shell};
use crate::engine::Engine;
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

/// A seccomp profile under which `fsopen` fails with this error; everything else is allowed.
fn without_fsopen(scratch: &Scratch, errno: i32) -> String {
    let file = scratch.0.join(format!("{errno}.json"));
    let rule = format!(r#"{{"names": ["fsopen"], "action": "SCMP_ACT_ERRNO", "errnoRet": {errno}}}"#);
    fs::write(&file, format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{rule}]}}"#)).unwrap();
    format!("--cap-drop ALL --cap-add SYS_ADMIN --security-opt seccomp={}", file.display())
}

#[test]
fn seccomp_without_fsopen() {
    let Some(host) = Host::new() else { return };
    let scratch = Scratch::new();
    // ENOSYS and EPERM: runtimes that do not know the call give the one or the other.
    for (errno, name) in [(38, "ENOSYS"), (1, "EPERM")] {
        let options = without_fsopen(&scratch, errno);
        if !mounted() {
            let said = container(&format!("{options} {}", some())).exits(1);
            said.says(&[&format!("gone with this process: no pin ({name})"), "mount binfmt_misc on the host"]);
            assert!(host.is_soon_empty() && !host.runs_arm64(), "{name}");
        }
        // Where it is mounted, entries last as long.
        let mut holder = Command::new("unshare")
            .args(["-m", "sh", "-c", &format!("mount -t binfmt_misc binfmt_misc {MOUNT} && echo mounted && exec cat")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 8];
        holder.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        container(&format!("{options} {}", some())).exits(0).says(&["aarch64: registered"]);
        let runs = host.runs_arm64();
        drop(holder.stdin.take()); // it ends
        holder.wait().unwrap();
        assert!(runs, "{name}");
        assert!(mounted() || host.is_soon_empty(), "{name}");
    }
}

#[test]
fn no_mount_point_and_no_proc() {
    let Some(host) = Host::new() else { return };
    // Not needed, where the kernel has the newer mount calls.
    script("--privileged", with_shell(), "umount -l /proc && exec binfmt_register")
        .exits(0)
        .says(&["aarch64: registered"]);
    assert!(host.runs_arm64());
    host.tool(&["--uninstall", "*"]).exits(0);
    // Where it has not, or may not be asked.
    let scratch = Scratch::new();
    let options = without_fsopen(&scratch, 38).replace("--cap-drop ALL ", "");
    let said = script(&options, with_shell(), "umount -l /proc && exec binfmt_register").exits(1);
    said.says_only(&["binfmt_misc: ENOENT", &format!("cannot mount it at {MOUNT}"), "--mount"]);
    // A read-only one, as it is without --privileged, is a place like any other.
    script(&options, with_shell(), &format!("test ! -w {MOUNT} && binfmt_register")).says(&["aarch64: registered"]);
    assert!(mounted() || host.is_soon_empty());
}

#[test]
fn a_user_namespace_inside_a_container() {
    let Some(host) = Host::new() else { return };
    let script = |words: &str| script("--privileged", with_shell(), words);
    let said = script("unshare -Urm sh -c 'binfmt_register && echo done'; exit $?").exits(0);
    said.says(&["aarch64: registered"]).says(&["registered for this user namespace", MOUNT]);
    // As the container's own process, after which there is nobody left.
    script("exec unshare -Urm binfmt_register").exits(1).says_only(&["binfmt_misc", "run as root"]);
    let said = script("exec unshare -Ur binfmt_register").exits(1);
    said.says_only(&["binfmt_misc: EPERM", "CAP_SYS_ADMIN in a mount namespace of this user namespace"]);
    assert!(host.names().is_empty() && !host.runs_arm64(), "this machine has nothing of it");
}

/// An engine whose containers are in a user namespace.
#[test]
fn an_engine_with_userns_remap() {
    let Some(host) = Host::new() else { return };
    // Who may be whom is a matter of files, which are changed for this engine only.
    let setup = "echo nobody:1000000:65536 >ids && mount --bind ids /etc/subuid && mount --bind ids /etc/subgid && ";
    let configuration = r#"{"userns-remap": "nobody:nogroup"}"#;
    let Some(engine) = Engine::start("an_engine_with_userns_remap", configuration, setup) else { return };
    engine.load(some());
    let run = |options: &str| {
        let words = format!("run --rm --network none {options} {}", some());
        engine.docker(&words.split_whitespace().collect::<Vec<_>>())
    };
    run("--cap-add SYS_ADMIN").exits(1).says(&["binfmt_misc", "run as root"]);
    assert_eq!(host.names(), "", "this machine has nothing of it");
    run("--cap-drop ALL").exits(1).says(&["binfmt_misc: EPERM", "CAP_SYS_ADMIN"]);
    run("--userns host --privileged").exits(0).says(&["aarch64: registered"]);
    assert!(host.runs_arm64());
}

#[test]
fn interpreters_that_cannot_serve() {
    let Some(host) = Host::new() else { return };
    // Those for arm64, beside the tool for this machine; made by the cross build, and so of that platform.
    make_image(&[
        "IMAGE=binfmt_register-image/other",
        "ARCHES=riscv64",
        "BAKE=interpreters --set interpreters.platform=linux/arm64",
    ])
    .exits(0);
    let file = format!(
        "FROM --platform=linux/arm64 binfmt_register-image/other:interpreters AS interpreters\nFROM {}\n\
         COPY --from={} /usr/bin/binfmt_register /usr/bin/\nCOPY --from=interpreters / /\n\
         RUN cp /bin/true /usr/bin/qemu-s390x-static && printf 'not found' >/usr/bin/qemu-mips-static\n\
         ENTRYPOINT [\"/usr/bin/binfmt_register\"]\n",
        "debian:trixie-slim",
        some(),
    );
    build("binfmt_register-image/mistaken", "", &file, true).exits(0);
    let said = container("--privileged binfmt_register-image/mistaken").exits(1);
    said.says(&["riscv64: not registered: /usr/bin/qemu-riscv64-static: a program of another machine than this one"])
        .says(&["s390x: not registered: /usr/bin/qemu-s390x-static: dynamically linked"])
        .says(&["mips: not registered: /usr/bin/qemu-mips-static: not an ELF program"]);
    assert_eq!(host.names(), "");
    // In execution mode a dynamic one can serve, where its libraries are.
    let said = container("--privileged -e MODE=execution -e ARCHES=s390x binfmt_register-image/mistaken").exits(0);
    said.says(&["s390x: registered"]);
}

#[test]
fn the_tool_alone() {
    let Some(host) = Host::new() else { return };
    let tool = format!("{}:tool", some());
    let said = container(&format!("--privileged {tool}")).exits(1);
    said.says_only(&["no interpreter /usr/bin/qemu-ARCH-static", "QEMU_BINARY_PATH"]);
    assert_eq!(host.names(), "");
    container(&format!("--privileged -e MODE=execution -e ARCHES=arm64 {tool}"))
        .exits(0)
        .says(&["aarch64: registered"]);
    assert_eq!(host.entry("qemu-aarch64"), ("/usr/bin/qemu-aarch64-static".into(), "POC".into()));
    let said = container(&format!("--privileged -e ARCHES=arm46 {tool}")).exits(2);
    said.says_only(&["ARCHES", "'arm46'"]);
    Said::of(command("docker").args(["run", "--rm", &tool, "--nonsense"]))
        .exits(2)
        .says_only(&["--nonsense", "--help"]);
}

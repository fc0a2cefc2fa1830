//! What ships the tool to container hosts, with a real Docker Engine: the container of the Kubernetes manifests with
//! just the rights it has there, Compose, and the package of LinuxKit. It registers in this machine's kernel; every
//! test removes what it has made, see [`Host`].

#[path = "../common/mod.rs"]
mod common;

use common::namespace::{Said, Scratch};
use common::{TOP, debian, fetch, run, shipped, skip};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// On every container of a test, so that none is left.
const LABEL: &str = "binfmt_register-test";

/// The tool and one interpreter, as the images of this project have them.
const IMAGE: &str = "binfmt_register-test/one";

/// A program for arm64.
const ARM64: &str = "binfmt_register-test/busybox-arm64";

/// The package of LinuxKit, made from [`IMAGE`].
const PACKAGE: &str = "binfmt_register-test/linuxkit";

/// `docker` with these arguments.
fn docker(arguments: &[&str]) -> Said {
    Said::of(Command::new("timeout").args(["120", "docker"]).args(arguments))
}

/// This machine's kernel and its Docker, for one test at a time.
struct Host {
    _alone: MutexGuard<'static, ()>,
}

impl Host {
    /// With the images made. `None`, said aloud, where there is no Docker, or arm64 programs run already.
    fn new() -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = images().and_then(|()| match runs_arm64() {
            true => Err("this machine runs arm64 programs already".into()),
            false => Ok(()),
        });
        if let Err(why) = ready {
            skip(thread::current().name().unwrap_or_default(), &why);
            return None; // what is registered is not ours
        }
        Some(Self { _alone: alone })
    }

    /// `docker run` of a manifest's container, with more options.
    fn container(&self, manifest: &str, more: &[&str]) -> Said {
        self.container_without(manifest, "", more)
    }

    /// The same, without one of its own.
    fn container_without(&self, manifest: &str, option: &str, more: &[&str]) -> Said {
        let (options, arguments) = container(manifest);
        let options = options.iter().map(String::as_str).filter(|word| *word != option);
        let words: Vec<&str> = options.chain(more.iter().copied()).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        docker(&[&["run", "--label", LABEL], &words[..], &[IMAGE], &arguments].concat())
    }

    /// Removes what is registered for arm64.
    fn uninstall(&self) -> Said {
        Said::of(Command::new(shipped()).args(["--uninstall", "arm64"]))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let left = docker(&["ps", "-aq", "--filter", &format!("label={LABEL}")]);
        for id in left.out.lines() {
            docker(&["rm", "-f", id]);
        }
        docker(&["rmi", "-f", IMAGE, ARM64, PACKAGE]);
        self.uninstall();
    }
}

/// Whether a program for arm64 runs in a container of its own.
fn runs_arm64() -> bool {
    let words = ["run", "--rm", "--label", LABEL, "--network=none", "--platform=linux/arm64", ARM64, "/busybox"];
    let said = docker(&[&words, &["uname", "-m"][..]].concat());
    said.status == 0 && said.out == "aarch64\n"
}

/// Makes the images.
fn images() -> Result<(), String> {
    if env::var_os("TEST_CONTAINERS").is_none() {
        return Err("it registers in this machine's kernel; run make test-containers".into());
    }
    run(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]))?;
    fetch("amd64", "qemu-user")?;
    fetch("arm64", "busybox-static")?;
    let one = Scratch::new();
    let bin = one.0.join("usr/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::copy(shipped(), bin.join("binfmt_register")).unwrap();
    fs::copy(debian("amd64", "/usr/bin/qemu-aarch64"), bin.join("qemu-aarch64-static")).unwrap();
    import(&one, "--platform=linux/amd64 --change 'ENTRYPOINT [\"/usr/bin/binfmt_register\"]'", IMAGE)?;
    let arm64 = Scratch::new();
    fs::copy(debian("arm64", "/usr/bin/busybox"), arm64.0.join("busybox")).unwrap();
    import(&arm64, "--platform=linux/arm64", ARM64)
}

fn import(directory: &Scratch, options: &str, image: &str) -> Result<(), String> {
    let script = format!("tar -C {} -c . | docker import {options} - {image}", directory.path());
    run(Command::new("sh").args(["-c", &script])).map(drop)
}

/// A manifest of ours.
fn manifest(name: &str) -> PathBuf {
    Path::new(TOP).join("scratch/kubernetes").join(name)
}

/// A program of the validator's, which also has Python's yaml.
fn validator(program: &str) -> Result<Command, String> {
    let directory = run(&mut Command::new(Path::new(TOP).join("tests/containers/validator")))?;
    Ok(Command::new(Path::new(directory.trim()).join(program)))
}

/// The options and the arguments of a manifest's container.
fn container(name: &str) -> (Vec<String>, Vec<String>) {
    let mut python = validator("python").unwrap();
    let said = run(python.arg(Path::new(TOP).join("tests/containers/options")).arg(manifest(name))).unwrap();
    let (options, arguments) = said.split_once("\n\n").unwrap();
    let lines = |text: &str| text.lines().map(String::from).collect();
    (lines(options), lines(arguments))
}

/// Waits for something to come true, for at most so many seconds.
fn within(seconds: u64, what: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        if what() {
            return true;
        }
        thread::sleep(Duration::from_millis(200));
    }
    false
}

/// What kustomize makes of the directory, and the other manifest, against the schemas of Kubernetes, nothing unknown
/// allowed.
#[test]
fn kubernetes_manifests_fit_its_schemas() {
    let test = "kubernetes_manifests_fit_its_schemas";
    let ready = fetch("amd64", "kubectl").and_then(|()| validator("kubernetes-validate"));
    if let Err(why) = ready {
        return skip(test, &why);
    }
    let scratch = Scratch::new();
    let built = run(Command::new(debian("amd64", "/usr/bin/kubectl")).arg("kustomize").arg(manifest(""))).unwrap();
    assert!(built.contains("kind: DaemonSet\n") && built.contains("- --hold\n"), "{built}");
    let daemonset = scratch.0.join("daemonset.yaml");
    fs::write(&daemonset, &built).unwrap();
    // A word misspelt is refused, so the validator looks at it all.
    let misspelt = scratch.0.join("misspelt.yaml");
    fs::write(&misspelt, built.replace("readOnlyRootFilesystem", "readonlyRootFilesystem")).unwrap();
    for version in ["1.30", "1.33", "1.37"] {
        let validate = |file: &Path| {
            let mut validate = validator("kubernetes-validate").unwrap();
            Said::of(validate.args(["--strict", "-k", version]).arg(file)).status
        };
        assert_eq!(validate(&daemonset), 0, "{version}: {built}");
        assert_eq!(validate(&manifest("init-container.yaml")), 0, "{version}");
        assert_eq!(validate(&misspelt), 1, "{version}");
    }
}

#[test]
fn kubernetes_daemon_set_holds() {
    let Some(host) = Host::new() else { return };
    let id = host.container("daemonset.yaml", &["--detach"]).exits(0).out;
    let registered = within(20, runs_arm64);
    assert!(registered, "{:?}", docker(&["logs", id.trim()]));
    // SIGTERM, and after the grace period SIGKILL, as the node's agent does.
    docker(&["stop", id.trim()]).exits(0);
    let ended = docker(&["inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", id.trim()]);
    assert_eq!(ended.out, "0 false\n", "{:?}", docker(&["logs", id.trim()]));
    assert!(!runs_arm64());
}

#[test]
fn kubernetes_init_container_registers() {
    let Some(host) = Host::new() else { return };
    // Without its one capability it cannot.
    let less = host.container_without("init-container.yaml", "--cap-add=SYS_ADMIN", &["--rm"]);
    less.exits(1).says(&["CAP_SYS_ADMIN"]);
    assert!(!runs_arm64());
    host.container("init-container.yaml", &["--rm"]).exits(0).says(&["aarch64: registered"]);
    assert!(runs_arm64());
    host.uninstall().exits(0);
    // With half the memory, even when it starts the interpreter.
    let half = ["--rm", "--memory=8m", "--memory-swap=8m", "--env=VERIFY=true"];
    host.container("init-container.yaml", &half).exits(0).says(&["aarch64: registered"]);
    assert!(runs_arm64());
}

/// A project that includes ours, with a container of another architecture.
#[test]
fn compose_registers_before_others_start() {
    let Some(_host) = Host::new() else { return };
    if let Err(why) = fetch("amd64", "docker-compose") {
        return skip("compose_registers_before_others_start", &why);
    }
    let project = Scratch::new();
    let file = format!(
        "include: [{TOP}/scratch/compose.yaml]
services:
  app:
    image: {ARM64}
    platform: linux/arm64
    network_mode: none
    command: [/busybox, uname, -m]
    depends_on: {{ binfmt_register: {{ condition: service_completed_successfully }} }}
"
    );
    fs::write(project.0.join("compose.yaml"), file).unwrap();
    let compose = |words: &str| {
        let mut compose = Command::new("timeout");
        compose.arg("120").arg(debian("amd64", "/usr/libexec/docker/cli-plugins/docker-compose"));
        compose.current_dir(&project.0).env("IMAGE", IMAGE).env("ARCHES", "arm64");
        Said::of(compose.args(words.split(' ')))
    };
    compose("config --quiet").exits(0);
    let app = compose("run --rm --no-TTY app");
    let logs = compose("logs --no-color binfmt_register");
    compose("down").exits(0);
    assert_eq!((app.status, app.out.as_str()), (0, "aarch64\n"), "{app:?}");
    assert!(logs.out.contains("aarch64: registered"), "{logs:?}");
    assert!(runs_arm64());
}

/// What action.yml runs on GitHub, with its inputs.
#[test]
fn the_action_registers() {
    let Some(_host) = Host::new() else { return };
    let scratch = Scratch::new();
    let output = scratch.0.join("output");
    let action = |platforms: &str, replace: &str| {
        let mut action = Command::new(Path::new(TOP).join("scratch/action"));
        let inputs = [("IMAGE", IMAGE), ("PLATFORMS", platforms), ("MODE", ""), ("REPLACE", replace)];
        Said::of(action.env("GITHUB_OUTPUT", &output).envs(inputs))
    };
    action("linux/arm64", "false").exits(0).says(&["aarch64: registered"]);
    assert!(runs_arm64());
    action("all", "true").exits(0).says(&["aarch64: replaced"]);
    for line in fs::read_to_string(&output).unwrap().lines() {
        let platforms: Vec<_> = line.strip_prefix("platforms=").unwrap().split(',').collect();
        assert!(platforms.contains(&"linux/amd64") && platforms.contains(&"linux/arm64"), "{line}");
    }
}

/// LinuxKit's builder takes what `build.yml` adds from there; the rest is Docker's.
#[test]
fn linuxkit_package_is_the_image() {
    let Some(_host) = Host::new() else { return };
    let directory = format!("{TOP}/scratch/linuxkit");
    docker(&["build", "-t", PACKAGE, "--build-arg", &format!("IMAGE={IMAGE}"), &directory]).exits(0);
    let layers =
        |image| docker(&["image", "inspect", "--format", "{{.RootFS.Layers}} {{.Config.Entrypoint}}", image]).out;
    assert_eq!(layers(PACKAGE), layers(IMAGE));
    assert!(layers(PACKAGE).ends_with(" [/usr/bin/binfmt_register]\n"));
}

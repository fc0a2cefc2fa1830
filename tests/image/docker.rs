//! Docker, by its command line: the images under test, others to try them with, and this machine's kernel, which a
//! privileged container registers in.

use crate::common::namespace::{Said, Scratch};
use crate::common::{TOP, debian, fetch, run, shipped, skip};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use std::{env, fs, thread};

/// On every container of a test, so that none is left.
const LABEL: &str = "binfmt_register-image";

/// An image with few interpreters, which is quick to make: see [`some`].
const SOME: &str = "binfmt_register-image/some";
pub const ARCHES: &str = "arm64,riscv64";

/// A command that is stopped when it hangs.
pub fn command(program: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["600", program]).current_dir(TOP);
    command
}

/// `docker` with these arguments, separated by blanks.
pub fn docker(words: &str) -> Said {
    Said::of(command("docker").args(words.split_whitespace()))
}

/// `docker run --rm`: options, image and arguments, separated by blanks.
pub fn container(words: &str) -> Said {
    docker(&format!("run --rm --label {LABEL} {words}"))
}

/// A shell script in a container.
pub fn script(options: &str, image: &str, script: &str) -> Said {
    let words = format!("run --rm --label {LABEL} {options} --entrypoint /bin/sh {image} -c");
    Said::of(command("docker").args(words.split_whitespace()).arg(script))
}

/// Builds come one after the other: two that share steps, one with `--no-cache`, now and then crash Docker 26.1 (a null
/// pointer in BuildKit's `walkProvenance`).
pub fn alone() -> MutexGuard<'static, ()> {
    static BUILDS: Mutex<()> = Mutex::new(());
    BUILDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `docker build -t TAG OPTIONS -` of a Dockerfile, by the builder of the day (BuildKit) or the one it replaced.
pub fn build(tag: &str, options: &str, dockerfile: &str, buildkit: bool) -> Said {
    let _alone = alone();
    let mut docker = command("docker");
    docker.env("DOCKER_BUILDKIT", if buildkit { "1" } else { "0" });
    docker.args(["build", "-t", tag]).args(options.split_whitespace()).arg("-");
    docker.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = docker.spawn().unwrap();
    child.stdin.take().unwrap().write_all(dockerfile.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

/// `make image` with these variables.
pub fn make_image(variables: &[&str]) -> Said {
    let _alone = alone();
    Said::of(command("make").args(["-s", "image", "QEMU=debian"]).args(variables))
}

/// The images with interpreters for [`ARCHES`]: `:latest`, `:binfmt`, `:interpreters` and `:tool`.
pub fn some() -> &'static str {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        make_image(&[&format!("IMAGE={SOME}"), &format!("ARCHES={ARCHES}")]).exits(0);
    });
    SOME
}

/// Where `make interpreters` has put them.
pub fn interpreters() -> PathBuf {
    env::var_os("INTERPRETERS").map_or(Path::new(TOP).join("target/interpreters"), Into::into)
}

/// An image with interpreters of `make interpreters` for arm64 and armhf. `None`, said aloud, where there are none.
pub fn built(test: &str) -> Option<&'static str> {
    const BUILT: &str = "binfmt_register-image/built";
    static MADE: OnceLock<()> = OnceLock::new();
    if !["key", "qemu-aarch64", "qemu-arm"].iter().all(|file| interpreters().join("amd64").join(file).exists()) {
        skip(test, "make interpreters NAMES='aarch64 arm'");
        return None;
    }
    MADE.get_or_init(|| {
        make_image(&["QEMU=built", &format!("IMAGE={BUILT}"), "ARCHES=arm64,arm"]).exits(0);
    });
    Some(BUILT)
}

/// Debian with a shell, the tool, and those interpreters.
pub fn with_shell() -> &'static str {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let dockerfile = format!("FROM debian:trixie-slim\nCOPY --from={} / /\n", some());
        build("binfmt_register-image/shell", "", &dockerfile, true).exits(0);
    });
    "binfmt_register-image/shell"
}

/// Debian's static busybox for an architecture.
pub fn busybox(arch: &str) -> PathBuf {
    fetch(arch, "busybox-static").unwrap();
    debian(arch, "usr/bin/busybox")
}

/// An image of another architecture, by its name in OCI platforms: Debian's static busybox for it, and `/bin/sh`.
pub fn foreign(arch: &str) -> String {
    static MADE: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    let make = || {
        let context = Scratch::new();
        let bin = context.0.join("bin");
        fs::create_dir(&bin).unwrap();
        fs::copy(busybox(arch), bin.join("busybox")).unwrap();
        std::os::unix::fs::symlink("busybox", bin.join("sh")).unwrap();
        let tag = format!("binfmt_register-image/{arch}");
        let tar = format!("tar -C {} -c . | docker import --platform linux/{arch} - {tag}", context.path());
        Said::of(command("sh").args(["-c", &tar])).exits(0);
        tag
    };
    made.entry(arch.into()).or_insert_with(make).clone()
}

/// The layers of an image, from the lowest on: the files of each, directories with a slash at the end.
pub fn layers(image: &str) -> Vec<Vec<String>> {
    let scratch = Scratch::new();
    let unpack = format!("docker save {image} | tar -x -C {}", scratch.path());
    Said::of(command("sh").args(["-c", &unpack])).exits(0);
    let manifest = fs::read_to_string(scratch.0.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let files = |layer: &serde_json::Value| {
        let list = Said::of(command("tar").arg("-tf").arg(scratch.0.join(layer.as_str().unwrap()))).exits(0);
        list.out.lines().map(String::from).collect()
    };
    manifest[0]["Layers"].as_array().unwrap().iter().map(files).collect()
}

/// What `docker image inspect` says.
pub fn inspect(image: &str, format: &str) -> String {
    let said = Said::of(command("docker").args(["image", "inspect", "--format", format, image])).exits(0);
    said.out.trim().into()
}

/// Whether Docker answers; `false`, said aloud, where it does not, or where nobody has said that this machine's kernel
/// may be registered in, as `make test-image` does.
pub fn answers() -> bool {
    static ANSWERS: OnceLock<Result<(), String>> = OnceLock::new();
    let ask = || {
        if env::var_os("TEST_IMAGE").is_none() {
            return Err("it registers in this machine's kernel; run make test-image".into());
        }
        // Its client says what is wrong.
        run(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]))?;
        run(Command::new("docker").args(["buildx", "version"])).map(drop)
    };
    let answer = ANSWERS.get_or_init(ask);
    if let Err(why) = answer {
        skip(thread::current().name().unwrap_or_default(), why);
    }
    answer.is_ok()
}

/// This machine's kernel, for one test at a time, with nothing registered before, and nothing afterwards.
pub struct Host {
    _alone: MutexGuard<'static, ()>,
}

impl Host {
    /// `None`, said aloud, where there is no Docker, or this machine has entries of its own.
    pub fn new() -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        if !answers() {
            return None;
        }
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let why = match look() {
            Ok(entries) if entries.is_empty() => return Some(Self { _alone: alone }),
            Ok(entries) => format!("this machine has entries: {}", entries.into_keys().collect::<Vec<_>>().join(" ")),
            Err(why) => format!("cannot look at this machine's entries, as root: {why}"),
        };
        skip(thread::current().name().unwrap_or_default(), &why);
        None
    }

    /// All that is registered: the name and the text of each entry.
    pub fn entries(&self) -> BTreeMap<String, String> {
        look().unwrap()
    }

    /// The names of all entries, separated by blanks.
    pub fn names(&self) -> String {
        self.entries().into_keys().collect::<Vec<_>>().join(" ")
    }

    /// Whether nothing is registered any more, where the last mount has gone with a process: the kernel takes its time.
    pub fn is_soon_empty(&self) -> bool {
        (0..50).any(|_| {
            thread::sleep(Duration::from_millis(100));
            self.entries().is_empty()
        })
    }

    /// The interpreter and the flags of an entry.
    pub fn entry(&self, name: &str) -> (String, String) {
        let entries = self.entries();
        let text = entries.get(name).unwrap_or_else(|| panic!("no {name} in {entries:?}"));
        let line = |start| text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default().to_string();
        (line("interpreter "), line("flags: "))
    }

    /// Whether a program for arm64 runs, outside of any container.
    pub fn runs_arm64(&self) -> bool {
        // Through a shell: to execute what cannot be executed would be an error here.
        let said = Said::of(command("sh").args(["-c", "exec \"$0\" uname -m"]).arg(busybox("arm64")));
        said.status == 0 && said.out == "aarch64\n"
    }

    /// Whether such a program runs in a container of its own.
    pub fn container_runs_arm64(&self) -> bool {
        let said = container(&format!("--platform linux/arm64 {} /bin/busybox uname -m", foreign("arm64")));
        said.status == 0 && said.out == "aarch64\n"
    }

    /// Runs the tool here, outside of any container.
    pub fn tool(&self, arguments: &[&str]) -> Said {
        Said::of(command(shipped()).args(arguments))
    }
}

impl Drop for Host {
    /// Leaves the machine as it was, and says so if that fails.
    fn drop(&mut self) {
        let left = docker(&format!("ps -aq --filter label={LABEL}"));
        for id in left.out.lines() {
            docker(&format!("rm -f {id}"));
        }
        self.tool(&["--uninstall", "*"]);
        let names = self.names();
        if !thread::panicking() {
            assert!(names.is_empty() && left.out.is_empty(), "left behind: {names} {}", left.out);
        }
    }
}

/// The entries of this machine, looked at in a mount namespace that is gone afterwards.
fn look() -> Result<BTreeMap<String, String>, String> {
    let place = Scratch::new();
    let mut entries = BTreeMap::new();
    let script = "mount -t binfmt_misc binfmt_misc \"$0\" && cd \"$0\" && for name in *; do
        case $name in register | status) ;; *) printf '\\035%s\\n' \"$name\" && cat \"$name\" ;; esac
    done";
    let said = run(Command::new("unshare").args(["-m", "sh", "-c", script, place.path()]))?;
    for entry in said.split('\x1d').skip(1) {
        let (name, text) = entry.split_once('\n').unwrap_or((entry, ""));
        entries.insert(name.into(), text.into());
    }
    Ok(entries)
}

/// Whether binfmt_misc is mounted anywhere that this process sees.
pub fn mounted() -> bool {
    fs::read_to_string("/proc/self/mountinfo").unwrap().contains(" - binfmt_misc ")
}

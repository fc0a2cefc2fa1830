//! A second engine beside the one that runs: with another configuration, an own network namespace, and nothing left of
//! it afterwards.

use crate::common::namespace::{Said, Scratch};
use crate::common::{run, skip};
use crate::docker::{busybox, command};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, fs, process, thread};

/// Where the registry of [`Engine::with_registry`] answers.
pub const REGISTRY: &str = "127.0.0.1:5000";

pub struct Engine {
    daemon: Child,
    dir: Scratch,
}

impl Engine {
    /// Starts one with this configuration, after `setup`, a shell script in its mount namespace. `None`, said aloud,
    /// where there is no program to start.
    pub fn start(test: &str, configuration: &str, setup: &str) -> Option<Self> {
        // Without a network of its own it would remove the bridge of the other engine.
        Self::launch(test, configuration, setup, "--bridge none --iptables=false")
    }

    /// Starts one that can make and push all that a release needs: its builds reach what this machine reaches, and
    /// Debian's registry answers at [`REGISTRY`], for it and for [`Engine::command`].
    pub fn with_registry(test: &str) -> Option<Self> {
        for program in ["docker-registry", "slirp4netns"] {
            if let Err(why) = run(Command::new(program).arg("--help")) {
                skip(test, &why);
                return None;
            }
        }
        // Both end with the engine, whose parent is in this machine's network. In files the registry would now and then
        // find a tag empty that is just being moved.
        let setup = "
            printf 'version: 0.1\nstorage: {inmemory: {}}\nhttp: {addr: \":5000\"}\n' >registry.yml
            setpriv --pdeathsig TERM docker-registry serve registry.yml >registry.log 2>&1 &
            setpriv --pdeathsig TERM nsenter --net=/proc/$PPID/ns/net \
                slirp4netns --configure --disable-host-loopback $$ network >network.log 2>&1 &
            ";
        Self::launch(test, r#"{"features": {"containerd-snapshotter": true}}"#, setup, "")
    }

    fn launch(test: &str, configuration: &str, setup: &str, options: &str) -> Option<Self> {
        let path = match daemon() {
            Some(path) => path,
            None => {
                skip(test, "no dockerd in PATH, and none that runs here");
                return None;
            }
        };
        // The path of a socket is short.
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let name = format!("binfmt_register-{}-{}", process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let dir = Scratch(env::temp_dir().join(name));
        fs::create_dir_all(&dir.0).unwrap();
        fs::write(dir.0.join("daemon.json"), configuration).unwrap();
        let script = format!(
            "cd \"$0\" && {setup} exec dockerd --config-file daemon.json --host unix://$0/socket --data-root $0/data \
             --exec-root $0/exec --pidfile $0/pid {options} >log 2>&1",
        );
        let daemon = Command::new("unshare")
            .args(["--net", "--mount", "sh", "-c", &script, dir.path()])
            .env("PATH", path)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let engine = Self { daemon, dir };
        for _ in 0..120 {
            if engine.docker(&["version"]).status == 0 {
                return Some(engine);
            }
            thread::sleep(Duration::from_millis(250));
        }
        let log = fs::read_to_string(engine.dir.0.join("log")).unwrap_or_default();
        panic!("the second engine does not answer: {log}")
    }

    /// `docker`, asking this engine.
    pub fn docker(&self, words: &[&str]) -> Said {
        Said::of(command("docker").args(words).env("DOCKER_HOST", format!("unix://{}/socket", self.dir.path())))
    }

    /// A command in this engine's network, whose `docker` asks this engine.
    pub fn command(&self, program: &str) -> Command {
        let mut command = command("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.daemon.id())).arg(program);
        command.env("DOCKER_HOST", format!("unix://{}/socket", self.dir.path()));
        command
    }

    /// Gives it an image of the other engine.
    pub fn load(&self, image: &str) {
        let script = "docker save \"$0\" | DOCKER_HOST=unix://$1/socket docker load";
        Said::of(command("sh").args(["-c", script, image, self.dir.path()])).exits(0);
    }

    /// What a command says in a `RUN` step of one build for all these architectures at once.
    pub fn build_everywhere(&self, architectures: &[&str], script: &str) -> Vec<String> {
        let context = Scratch::new();
        for arch in architectures {
            fs::copy(busybox(arch), context.0.join(arch)).unwrap();
        }
        let file = format!(
            "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /bin/busybox\n\
             RUN [\"/bin/busybox\", \"sh\", \"-c\", \"{script} >/said\"]\n",
        );
        fs::write(context.0.join("Dockerfile"), file).unwrap();
        let platforms = architectures.iter().map(|arch| format!("linux/{arch}")).collect::<Vec<_>>().join(",");
        let out = Scratch::new();
        let output = format!("type=local,dest={}", out.path());
        self.docker(&[
            "buildx",
            "build",
            "--network",
            "none",
            "--platform",
            &platforms,
            "--output",
            &output,
            context.path(),
        ])
        .exits(0);
        let said = |arch| fs::read_to_string(out.0.join(format!("linux_{arch}/said"))).unwrap();
        architectures.iter().map(said).collect()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It ends what it has started.
        let _ = Command::new("kill").arg(self.daemon.id().to_string()).status();
        let _ = self.daemon.wait();
    }
}

/// A `PATH` with the daemon and what it calls: this process's, or that of one that runs.
fn daemon() -> Option<String> {
    let own = env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/bin:/sbin:/bin";
    let has = |path: &str| path.split(':').any(|dir| fs::exists(format!("{dir}/dockerd")).unwrap_or(false));
    if has(&own) {
        return Some(own);
    }
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Ok(program) = fs::read_link(process.path().join("exe")) else { continue };
        if program.ends_with("dockerd") {
            let variables = fs::read_to_string(process.path().join("environ")).unwrap_or_default();
            let path = variables.split('\0').find_map(|variable| variable.strip_prefix("PATH="));
            return Some(format!("{}:{own}", path.unwrap_or_default())).filter(|path| has(path));
        }
    }
    None
}

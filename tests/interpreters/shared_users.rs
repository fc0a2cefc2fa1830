//! Who has which cache of translations while users change, in a real Debian: apt's sandbox, su and sudo.

use crate::common::namespace::Said;
use crate::shared_systems::debian;
use crate::tree::Waiting;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// A process of the system: its effective user, and the owner and the number of its cache, if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Process {
    user: u32,
    cache: Option<(u32, u64)>,
}

/// All processes that have that directory as their root. Whatever ends meanwhile is left out.
fn processes(root: &Path) -> Vec<Process> {
    let is_there = |directory: &Path| fs::read_link(directory.join("root")).is_ok_and(|of| of == root);
    let look = |directory: PathBuf| {
        let status = fs::read_to_string(directory.join("status")).ok()?;
        let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let user = users.split_whitespace().nth(1)?.parse().ok()?;
        let link = directory.join("fd/1000");
        let named = fs::read_link(&link).is_ok_and(|to| to.to_string_lossy().contains("qemu-translations"));
        let mapped = fs::read_to_string(directory.join("maps")).ok()?.contains("qemu-translations");
        assert!(named || !mapped, "{}: closed, but in memory", directory.display());
        let cache = fs::metadata(link).ok().filter(|_| named).map(|of| (of.uid(), of.ino()));
        Some(Process { user, cache })
    };
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    all.filter(|directory| is_there(directory)).filter_map(look).collect()
}

/// Nobody has a cache of another user's, or the same one as another user has.
#[track_caller]
fn apart(processes: &[Process]) {
    let mut users: BTreeMap<u64, u32> = BTreeMap::new();
    for process in processes {
        if let Some((owner, number)) = process.cache {
            assert_eq!(owner, process.user, "{processes:?}");
            assert_eq!(*users.entry(number).or_insert(process.user), process.user, "{processes:?}");
        }
    }
}

/// Root becomes nobody, who becomes root again, who becomes another user.
#[test]
fn su_and_sudo() {
    let Some((_, inside)) = debian() else { return };
    let root = inside.root.canonicalize().unwrap();
    fs::write(root.join("etc/sudoers.d/nobody"), "nobody ALL=(ALL) NOPASSWD: ALL\n").unwrap();
    let script = r#"true; su nobody -s /bin/sh -c '
        id -un; read -r _; sudo -n sh -c "
            id -un; read -r _; su daemon -s /bin/sh -c \"id -un; read -r _\"; id -un; read -r _"
        id -un; read -r _'; id -un; read -r _"#;
    let mut command = inside.namespace.long_command("chroot");
    let mut shell = Waiting::new(command.arg(&root).args(["/bin/bash", "-c", script]).env("QEMU_TBCACHE", "on"));
    for user in ["nobody", "root", "daemon", "root", "nobody", "root"] {
        assert_eq!(shell.line(), user);
        let all = processes(&root);
        apart(&all);
        let of_root = all.iter().filter(|process| process.cache.is_some_and(|(owner, _)| owner == 0)).count();
        assert!(of_root > 0, "{user}: {all:?}");
        shell.go_on();
    }
}

/// Makes a package, and a list of it, as apt wants it.
const PACKAGE: &str = r#"rm -rf /repo /tmp/p; mkdir -p /repo /tmp/p/DEBIAN /tmp/p/usr/share/sandboxed
    printf 'Package: sandboxed\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a\n' >/tmp/p/DEBIAN/control
    seq 100000 >/tmp/p/usr/share/sandboxed/numbers
    dpkg-deb -b /tmp/p /repo/sandboxed.deb >/dev/null
    cd /repo; { dpkg-deb -f sandboxed.deb
        echo "Filename: ./sandboxed.deb"; echo "Size: $(stat -c %s sandboxed.deb)"
        echo "SHA256: $(sha256sum sandboxed.deb | cut -d ' ' -f 1)"; } >Packages"#;

/// Gets it, by HTTP from the port that it is given.
const GET: &str = r#"echo "deb [trusted=yes] http://127.0.0.1:$1/ ./" >/repo/list
    apt() { apt-get -q -o Dir::Etc::SourceList=/repo/list -o Dir::Etc::SourceParts=/none -o Acquire::Languages=none "$@"; }
    apt update && apt install -y --reinstall sandboxed >/dev/null && tail -n 1 /usr/share/sandboxed/numbers
    cd /var/tmp && mkdir -p got && chown _apt got && cd got && rm -f *.deb && apt download sandboxed && ls"#;

/// Answers one request with a file of that directory.
fn answer(directory: &Path, mut client: TcpStream, look: &dyn Fn()) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut request = String::new();
    while reader.read_line(&mut request).is_ok_and(|length| length > 0) {
        if !request.ends_with("\r\n\r\n") {
            continue;
        }
        // It waits for the answer now.
        look();
        let name = request.split_whitespace().nth(1).unwrap_or_default().trim_start_matches(['/', '.']);
        let (status, body) = match fs::read(directory.join(name)) {
            Ok(body) if !name.is_empty() => ("200 OK", body),
            _ => ("404 Not Found", Vec::new()),
        };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
        if client.write_all(head.as_bytes()).and_then(|()| client.write_all(&body)).is_err() {
            return;
        }
        request.clear();
    }
}

/// What apt gets from elsewhere, it gets as a user without rights; whose processes have nothing of root's.
#[test]
fn sandbox_of_apt() {
    let Some((_, inside)) = debian() else { return };
    let root = inside.root.canonicalize().unwrap();
    let in_system = |script: &str, port: &str| {
        let mut command = inside.namespace.long_command("chroot");
        command
            .arg(&root)
            .args(["/bin/bash", "-c", script, "bash", port])
            .env("HOME", "/root")
            .env("LC_ALL", "C.UTF-8");
        Said::of(command.env("QEMU_TBCACHE", "on")).exits(0)
    };
    in_system(PACKAGE, "");
    let passwd = fs::read_to_string(root.join("etc/passwd")).unwrap();
    let sandboxed: u32 =
        passwd.lines().find(|line| line.starts_with("_apt:")).unwrap().split(':').nth(2).unwrap().parse().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port().to_string();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (directory, at, to) = (root.join("repo"), root.clone(), seen.clone());
    thread::spawn(move || {
        for client in server.incoming() {
            let look = || to.lock().unwrap().push(processes(&at));
            answer(&directory, client.unwrap(), &look);
        }
    });
    let said = in_system(GET, &port);
    assert!(said.out.contains("100000\n") && said.out.contains("sandboxed_1_all.deb\n"), "{said:?}");
    let seen = seen.lock().unwrap();
    assert!(seen.len() >= 3, "{seen:?}");
    for all in seen.iter() {
        apart(all);
        let of = |user: u32| all.iter().filter(move |process| process.user == user);
        assert!(of(sandboxed).count() > 0 && of(0).any(|process| process.cache.is_some()), "{all:?}");
        assert!(of(sandboxed).all(|process| process.cache.is_none_or(|(owner, _)| owner == sandboxed)), "{all:?}");
    }
}

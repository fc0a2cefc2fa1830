//! What is registered and mounted, and how it is set.

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

pub const MOUNT: &str = "/proc/sys/fs/binfmt_misc";

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The name and the text of each entry.
    pub entries: BTreeMap<String, String>,
    /// Where which type of file system is mounted.
    pub mounts: Vec<(String, String)>,
}

impl State {
    /// Reads it. Where binfmt_misc is not mounted it is for the moment: what keeps its entries is not this.
    pub fn read() -> Self {
        let mounts = mounts();
        let mounted = is_mounted(&mounts);
        if !mounted {
            mount_it();
        }
        let entries = entries();
        if !mounted {
            umount2(MOUNT, MntFlags::MNT_DETACH).unwrap();
        }
        Self { entries, mounts }
    }
}

/// Mounts binfmt_misc as often as `mounts` has it, and registers these lines and nothing else.
pub fn reset(mounts: &[(String, String)], lines: &[String]) {
    while is_mounted(&self::mounts()) {
        fs::write(Path::new(MOUNT).join("status"), "-1").unwrap();
        umount2(MOUNT, MntFlags::MNT_DETACH).unwrap();
    }
    mount_it();
    let file = |name: &str| Path::new(MOUNT).join(name);
    fs::write(file("status"), "-1").unwrap();
    for line in lines {
        fs::write(file("register"), line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    if !is_mounted(mounts) {
        umount2(MOUNT, MntFlags::MNT_DETACH).unwrap();
    }
    assert_eq!(self::mounts(), mounts, "mounts of an earlier run are left");
}

pub fn mounts() -> Vec<(String, String)> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = |line: &str| {
        let (place, kind) = line.split_once(" - ").unwrap();
        (place.split(' ').nth(4).unwrap().to_string(), kind.split(' ').next().unwrap().to_string())
    };
    table.lines().map(mount).collect()
}

fn is_mounted(mounts: &[(String, String)]) -> bool {
    mounts.iter().rfind(|(place, _)| place == MOUNT).is_some_and(|(_, kind)| kind == "binfmt_misc")
}

fn mount_it() {
    mount(Some("binfmt_misc"), MOUNT, Some("binfmt_misc"), MsFlags::empty(), None::<&str>).unwrap();
}

fn entries() -> BTreeMap<String, String> {
    let names = fs::read_dir(MOUNT).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names = names.filter(|name| name != "register" && name != "status");
    let read = |name: String| -> io::Result<_> { Ok((name.clone(), fs::read_to_string(Path::new(MOUNT).join(name))?)) };
    names.map(|name| read(name).unwrap()).collect()
}

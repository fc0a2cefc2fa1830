//! `--explain`: each answer is compared with the truth, which is to execute the file. No shell is in between, which would
//! take what the kernel refuses for a script of its own.

use crate::common::host::{self, is_for_everybody};
use crate::common::namespace::{MOUNT, Namespace, Said, Scratch, has, interpreters, program};
use crate::common::{debian, fetch};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Executes a file, with arguments, in a root directory.
const EXECUTE: &str = r#"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int main(int count, char **words)
{
    if (strcmp(words[1], "/") && (chroot(words[1]) || chdir("/")))
        return 99;
    execve(words[2], words + 2, environ);
    perror(words[2]);
    return 126;
}
"#;

/// A magic that no program starts with, and what starts with it.
const MAGIC: &str = "explained";

/// What a test has.
struct Place {
    namespace: Namespace,
    scratch: Scratch,
    execute: PathBuf,
}

impl Place {
    /// `None`, said aloud, where it cannot be.
    fn new(test: &str) -> Option<Self> {
        Self::with(test, Namespace::new)
    }

    fn with(test: &str, namespace: fn() -> Option<Namespace>) -> Option<Self> {
        if host::cannot(test, "the programs that are executed here are not those that the tool is shown") {
            return None;
        }
        let scratch = Scratch::new();
        let execute = scratch.compiled("execute", EXECUTE)?;
        Some(Self { namespace: namespace()?, scratch, execute })
    }

    fn register(&self, arch: &str) {
        self.namespace.tool(&[&format!("ARCHES={arch}")], &[]).exits(0);
    }

    /// Explains a file, executes it with these arguments, and checks that the answer is so, and right. There are these
    /// words in its lines, and what to type at their end.
    #[track_caller]
    fn explains(&self, root: &str, file: &Path, arguments: &[&str], runs: bool, words: &[&str]) -> Said {
        let file = file.to_str().unwrap();
        let before = self.namespace.state();
        let options: &[&str] = if root == "/" { &["--explain", file] } else { &["--explain", "--root", root, file] };
        let said = self.namespace.tool(&[], options);
        let mut truth = self.namespace.command(&self.execute);
        let truth = Said::of(truth.args([&[root, file], arguments].concat()));
        assert_eq!(truth.status == 0, runs, "the truth: {truth:#?}");
        self.check(&said, runs, words);
        assert_eq!(self.namespace.state(), before);
        said
    }

    #[track_caller]
    fn check(&self, said: &Said, runs: bool, words: &[&str]) {
        assert_eq!((said.status, &*said.err), (if runs { 0 } else { 1 }, ""), "{said:#?}");
        for words in words {
            assert!(said.out.contains(words), "no '{words}': {said:#?}");
        }
        let last = said.out.lines().last().unwrap();
        assert_eq!(last.ends_with(": runs here"), runs, "{said:#?}");
        assert_eq!(said.out.contains(": does not run here: "), !runs, "{said:#?}");
        assert!(runs || last.starts_with("try"), "{said:#?}");
        assert!(said.out.lines().count() < 14, "{said:#?}");
    }

    /// A root directory of Debian's for arm64, with a program that is dynamically linked; `None`: it cannot be had.
    fn arm64_root(&self) -> PathBuf {
        for package in ["hello", "libc6"] {
            fetch("arm64", package).unwrap();
        }
        let root = self.scratch.0.join("root");
        let libraries = "usr/lib/aarch64-linux-gnu";
        fs::create_dir_all(root.join(libraries)).unwrap();
        fs::create_dir(root.join("usr/bin")).unwrap();
        for file in ["ld-linux-aarch64.so.1", "libc.so.6"] {
            let file = format!("{libraries}/{file}");
            self.scratch.copy(debian("arm64", &file), &format!("root/{file}"));
        }
        self.scratch.copy(debian("arm64", "usr/bin/hello"), "root/usr/bin/hello");
        // Absolute, so that it means another file outside.
        symlink("/usr/lib", root.join("lib")).unwrap();
        symlink("aarch64-linux-gnu/ld-linux-aarch64.so.1", root.join("usr/lib/ld-linux-aarch64.so.1")).unwrap();
        root
    }
}

/// What cannot be looked for by other programs.
const STATIC: &[&str] = &["true"];

#[test]
fn what_runs() {
    let Some(place) = Place::new("what_runs") else { return };
    let explains = |file: &Path, arguments: &[&str], words: &[&str]| place.explains("/", file, arguments, true, words);
    let said = explains(Path::new("/bin/true"), &[], &["x86_64 (linux/amd64)", "its dynamic linker /lib", " is there"]);
    assert!(said.out.contains("ELF, 64 bits, little-endian, machine 62, flags 0x0"), "{said:#?}");
    explains(&program("amd64"), STATIC, &["statically linked"]);
    // Emulated, and scripts for both, one of which leads to another.
    place.register("arm64");
    let arm64 = program("arm64");
    let entry = format!("entry qemu-aarch64 (POCF) takes it: {}/qemu-aarch64", interpreters().display());
    let proven = "a program of aarch64 (linux/arm64) was executed, and runs";
    explains(&arm64, STATIC, &["machine 183", "aarch64 (linux/arm64)", &entry, proven]);
    let native = place.scratch.executable("native", "#! /bin/sh -e\nexit 0\n");
    explains(&native, &[], &["a script for /bin/sh\n"]);
    let busybox = place.scratch.copy(&arm64, "busybox");
    let script = place.scratch.executable("script", format!("#!{} true\n", busybox.display()));
    explains(&script, &[], &["a script for", &entry, proven]);
    let deep = (0..4).fold(script, |script, number| {
        place.scratch.executable(&format!("deep{number}"), format!("#!{}\n", script.display()))
    });
    let deeper = place.scratch.executable("deeper", format!("#!{}\n", deep.display()));
    place.explains("/", &deeper, &[], false, &["lead to more than five"]);
    let shallow = place.scratch.0.join("deep2");
    explains(&shallow, &[], &[proven]);
    // Several at once: the exit status is that of the worst.
    let both = [arm64.to_str().unwrap(), "/nonexistent"];
    let said = place.namespace.tool(&[], &["--explain", both[0], both[1]]).exits(1);
    assert!(said.out.contains(&format!("{}: runs here\n", both[0])), "{said:#?}");
    let said = place.namespace.tool(&[], &["--explain", "--", both[0], both[0]]).exits(0);
    assert_eq!(said.out.matches(": runs here\n").count(), 2, "{said:#?}");
    // i386 is asked of the kernel.
    if crate::common::namespace::runs_i386() {
        explains(&program("i386"), STATIC, &["this machine runs i386 (linux/386) by itself"]);
    }
}

#[test]
fn wrong_usage_says_so() {
    let Some(place) = Place::new("wrong_usage_says_so") else { return };
    for (arguments, words) in [
        (&["--explain"][..], "--explain: needs a value"),
        (&["--explain", "--"], "--explain: needs a value"),
        (&["--explain", "--root"], "--root: needs a value"),
        (&["--explain", "/bin/true", "--root", "/"], "--root: options come before FILE"),
        (&["/bin/true"], "unknown option"),
    ] {
        place.namespace.tool(&[], arguments).exits(2).says_only(&[words]);
    }
}

/// The first three of the ten: nothing takes it, the entry is disabled, all are.
#[test]
fn no_handler_or_a_disabled_one() {
    let Some(place) = Place::new("no_handler_or_a_disabled_one") else { return };
    let explains = |runs, words: &[&str]| place.explains("/", &program("arm64"), STATIC, runs, words);
    explains(false, &["no entry takes", "does not run aarch64 (linux/arm64) by itself", "--install aarch64\n"]);
    place.register("arm64");
    explains(true, &[]);
    let set = |file: &str, value: &str| place.namespace.sh(&format!("echo {value} >{MOUNT}/{file}")).exits(0);
    set("qemu-aarch64", "0");
    explains(false, &["entry qemu-aarch64 is disabled", &format!("echo 1 >{MOUNT}/qemu-aarch64\n")]);
    // An older one may be enabled.
    place.namespace.tool(&["ARCHES=arm64"], &["--print"]).exits(0);
    let rule = place.namespace.tool(&["ARCHES=arm64"], &["--print"]).exits(0).out;
    place.namespace.register(rule.trim().replace(":qemu-aarch64:", ":second:").as_str());
    explains(true, &["entry second (POCF) takes it"]);
    set("qemu-aarch64", "1");
    explains(true, &["entry second (POCF) takes it"]);
    set("status", "0");
    let all = "binfmt_misc is disabled as a whole";
    explains(false, &[all, &format!("echo 1 >{MOUNT}/status\n")]);
    // What the machine runs by itself does not need it.
    place.explains("/", Path::new("/bin/true"), &[], true, &["disabled as a whole"]);
}

/// The next two: the interpreter is missing, or is dynamically linked, and what it needs is missing. Without the flag `F`
/// both are looked for in the root directory of the program.
#[test]
fn an_interpreter_that_is_missing_or_dynamic() {
    let Some(place) = Place::new("an_interpreter_that_is_missing_or_dynamic") else { return };
    let execution = ["MODE=execution", "CREDENTIALS=false", "ARCHES=arm64", "QEMU_BINARY_PATH=/nonexistent"];
    place.namespace.tool(&execution, &[]).exits(0);
    let gone = "/nonexistent/qemu-aarch64-static, the interpreter of entry qemu-aarch64: no such file";
    let replace = "REPLACE=true binfmt_register --install aarch64\n";
    place.explains("/", &program("arm64"), STATIC, false, &["entry qemu-aarch64 (PO) takes it", gone, replace]);

    let root = place.arm64_root();
    let path = root.to_str().unwrap();
    let hello = Path::new("/usr/bin/hello");
    fs::create_dir(root.join("nonexistent")).unwrap();
    let qemu = place.scratch.copy(interpreters().join("qemu-aarch64"), "root/nonexistent/qemu-aarch64-static");
    place.explains(path, hello, &[], true, &["qemu-aarch64-static: statically linked"]);
    fs::set_permissions(&qemu, fs::Permissions::from_mode(0o644)).unwrap();
    place.explains(path, hello, &[], false, &["qemu-aarch64-static: not executable"]);
    fs::remove_file(&qemu).unwrap();
    place.explains(path, hello, &[], false, &[gone]);
    place.scratch.copy("/bin/true", "root/nonexistent/qemu-aarch64-static");
    let dynamic = "the dynamic linker of the interpreter is missing; take a static one";
    place.explains(path, hello, &[], false, &[dynamic, "its dynamic linker /lib", replace]);
    // Where its dynamic linker is, it serves.
    let outside = Path::new("/bin/true");
    place.namespace.tool(&[], &["--uninstall", "*"]).exits(0);
    let execution =
        ["MODE=execution", "CREDENTIALS=false", "ARCHES=arm64", &format!("QEMU_BINARY_PATH={path}/nonexistent")];
    place.namespace.tool(&execution, &[]).exits(0);
    place.explains("/", &program("arm64"), STATIC, true, &["its dynamic linker /lib", " is there"]);
    place.explains("/", outside, &[], true, &[]);
    // The kernel has it open, but not its dynamic linker.
    let rule = place.namespace.tool(&["ARCHES=arm64"], &["--print"]).exits(0).out;
    let (start, _) = rule.trim().rsplit_once(":/").unwrap();
    place.namespace.tool(&[], &["--uninstall", "*"]).exits(0);
    place.namespace.register(&format!("{start}:/bin/true:F"));
    place.explains("/", &program("arm64"), STATIC, true, &["entry qemu-aarch64 (F) takes it: /bin/true"]);
    place.explains(path, hello, &[], false, &[dynamic]);
}

/// The next three: its mode, its mount, its dynamic linker.
#[test]
fn the_file_itself() {
    let Some(place) = Place::new("the_file_itself") else { return };
    place.register("arm64");
    let file = place.scratch.copy(program("arm64"), "busybox");
    place.explains("/", &file, STATIC, true, &[]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let chmod = format!("chmod +x {}\n", file.display());
    place.explains("/", &file, STATIC, false, &["busybox: not executable", &chmod]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();

    let mount = place.scratch.0.join("noexec");
    fs::create_dir(&mount).unwrap();
    let there = mount.join("busybox");
    let script = format!("mount -t tmpfs -o noexec tmpfs {0} && cp {1} {0}", mount.display(), file.display());
    place.namespace.sh(&script).exits(0);
    let remount = "mount -o remount,exec \"$(findmnt -nro TARGET -T";
    place.explains("/", &there, STATIC, false, &["on a file system mounted with noexec", remount]);
    // An interpreter there does not serve either.
    place.namespace.register(&format!(":there:M::{MAGIC}::{}:", there.display()));
    let explained = place.scratch.executable("explained", MAGIC);
    place.explains("/", &explained, &[], false, &["entry there", "noexec/busybox: on a file system mounted"]);

    for package in ["hello", "libc6"] {
        fetch("arm64", package).unwrap();
    }
    let hello = place.scratch.copy(debian("arm64", "usr/bin/hello"), "hello");
    let missing = "its dynamic linker /lib/ld-linux-aarch64.so.1 is not in /";
    place.explains("/", &hello, &[], false, &[missing, "its dynamic linker is missing\ntry: --root DIR, if"]);
    // The script's interpreter, and that of a script from another system.
    let script = place.scratch.executable("script", "#!/nonexistent/sh\n");
    place.explains(
        "/",
        &script,
        &[],
        false,
        &["/nonexistent/sh, which its first line names: no such file", "head -n 1"],
    );
    let script = place.scratch.executable("dos", "#!/bin/sh\r\n");
    place.explains("/", &script, &[], false, &["/bin/sh\\x0d, which its first line names"]);
}

/// The ninth: it belongs to another root directory, in which it runs.
#[test]
fn a_wrong_root() {
    let Some(place) = Place::new("a_wrong_root") else { return };
    place.register("arm64");
    let root = place.arm64_root();
    let path = root.to_str().unwrap();
    let inside = root.join("usr/bin/hello");
    let chroot = format!("chroot {path} /usr/bin/hello\n");
    let elsewhere = format!("its dynamic linker is missing, but there in {path}\n");
    place.explains("/", &inside, &[], false, &["its dynamic linker /lib/ld-linux-aarch64.so.1", &elsewhere, &chroot]);
    let there = "its dynamic linker /lib/ld-linux-aarch64.so.1 is there";
    place.explains(path, Path::new("/usr/bin/hello"), &[], true, &[there, "/usr/bin/hello: runs here"]);
    place.explains(
        path,
        Path::new("/bin/true"),
        &[],
        false,
        &["/bin/true: no such file", &format!("{path}/bin/true\n")],
    );
    // A script in it.
    place.scratch.executable("root/script", "#!/usr/bin/hello\n");
    place.explains(path, Path::new("/script"), &[], true, &["a script for /usr/bin/hello", there]);
    place.explains(
        "/",
        &root.join("script"),
        &[],
        false,
        &["/usr/bin/hello, which its first line names: no such file"],
    );
    fs::remove_file(root.join("usr/lib/ld-linux-aarch64.so.1")).unwrap();
    let missing = format!("its dynamic linker /lib/ld-linux-aarch64.so.1 is not in {path}");
    place.explains(path, Path::new("/usr/bin/hello"), &[], false, &[&missing]);
    let said = place.namespace.tool(&[], &["--explain", "--root", "/nonexistent", "/bin/true"]).exits(1);
    assert!(
        said.out.contains("/bin/true: cannot tell whether it runs here: ") && said.out.contains("ENOENT"),
        "{said:#?}"
    );
    // The entries may be seen below it only, as in a container that has the host's root directory.
    let bare = Namespace::bare().unwrap();
    fs::create_dir_all(format!("{path}{MOUNT}")).unwrap();
    let script = format!(
        "mount -t binfmt_misc binfmt_misc {path}{MOUNT} && exec \"$TOOL\" --mount {path}{MOUNT} --install arm64"
    );
    bare.sh(&script).exits(0);
    place.scratch.copy(program("arm64"), "root/program");
    let said = bare.tool(&[], &["--explain", "--root", path, "/program"]);
    place.check(&said, true, &[&format!("mounted at {path}{MOUNT}"), "entry qemu-aarch64 (POCF) takes it"]);
    let said = bare.tool(&[], &["--explain", program("arm64").to_str().unwrap()]);
    place.check(&said, true, &["binfmt_misc: not mounted at", "was executed, and runs"]);
}

/// The tenth: a user namespace has a binfmt_misc of its own, seen or not.
#[test]
fn hidden_by_a_user_namespace() {
    let Some(place) = Place::new("hidden_by_a_user_namespace") else { return };
    place.register("arm64");
    let file = program("arm64");
    let (file, execute) = (file.display(), place.execute.display());
    let inside = |mount: &str| {
        let script = format!(
            "{mount}; {execute} / {file} true 2>/dev/null; truth=$?; \"$TOOL\" --explain {file}; exit $((truth * 10 % 256 + $?))"
        );
        place.namespace.sh(&format!("exec unshare -Urm sh -c '{script}'"))
    };
    // Without one, its parent's is in force.
    let said = inside("true").exits(0);
    place.check(&said, true, &["entry qemu-aarch64 (POCF) takes it"]);
    let failed = 126 * 10 % 256 + 1;
    let mut said = inside(&format!("mount -t binfmt_misc binfmt_misc {MOUNT}")).exits(failed);
    said.status = 1;
    place.check(&said, false, &["this user namespace's own: its parent's entries do not count", "no entry takes"]);
    let elsewhere = place.scratch.0.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let mut said = inside(&format!("mount -t binfmt_misc binfmt_misc {}", elsewhere.display())).exits(failed);
    said.status = 1;
    place.check(
        &said,
        false,
        &[
            "entry qemu-aarch64 is out of force: this user namespace has a binfmt_misc of its own",
            "--install aarch64\n",
        ],
    );
}

#[test]
fn what_is_no_program() {
    let Some(place) = Place::new("what_is_no_program") else { return };
    let explains = |file: &Path, words: &[&str]| place.explains("/", file, &[], false, words);
    explains(Path::new("/nonexistent"), &["/nonexistent: no such file", "ls -ld /nonexistent\n"]);
    explains(Path::new("/bin/true/x"), &["no such file"]);
    explains(Path::new("/usr"), &["/usr: a directory", "--explain /usr/*\n"]);
    explains(Path::new("/dev/null"), &["/dev/null: no regular file"]);
    explains(&place.scratch.executable("empty", ""), &["empty: empty", "nothing here knows what"]);
    explains(&place.scratch.executable("garbage", [0xfe; 300]), &["neither ELF nor a script", "file /"]);
    explains(&place.scratch.executable("text", "echo no first line\n"), &["neither ELF nor a script"]);
    explains(&place.scratch.executable("blank", "#!\n"), &["neither ELF nor a script"]);
    // A pipe that nobody writes to is not opened.
    let pipe = place.scratch.0.join("pipe");
    place.namespace.sh(&format!("mkfifo {}", pipe.display())).exits(0);
    explains(&pipe, &["pipe: no regular file"]);
    // ELF files that are no programs, or not whole.
    let whole = fs::read(program("amd64")).unwrap();
    let cut = place.scratch.executable("cut", &whole[..whole.len() / 2]);
    let said = place.namespace.tool(&[], &["--explain", cut.to_str().unwrap()]);
    place.check(&said, false, &["cut: truncated", "copy it again"]);
    explains(&place.scratch.executable("header", &whole[..64]), &["truncated"]);
    explains(&place.scratch.executable("start", &whole[..20]), &["neither ELF nor a script"]);
    for (name, at, bytes, words) in [
        ("object", 16, &[1, 0][..], "nothing here knows what"),
        ("machine", 18, &[0xff, 0xfe], "an unknown architecture"),
        ("entries", 54, &[1, 0], "an ELF file that the kernel does not take"),
    ] {
        let mut changed = whole.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        explains(&place.scratch.executable(name, changed), &[words]);
    }
    // Links that lead nowhere or in a circle.
    let link = place.scratch.0.join("link");
    symlink("nowhere", &link).unwrap();
    explains(&link, &["no such file"]);
    let circle = place.scratch.0.join("circle");
    symlink("circle", &circle).unwrap();
    let said = place.namespace.tool(&[], &["--explain", circle.to_str().unwrap()]).exits(1);
    assert!(said.out.contains("cannot tell whether it runs here") && said.out.contains("ELOOP"), "{said:#?}");
}

/// Entries that are none of the table's: by a magic, by an extension.
#[test]
fn entries_of_other_kinds() {
    let Some(place) = Place::new("entries_of_other_kinds") else { return };
    place.namespace.register(&format!(":mine:M::{MAGIC}::/bin/cat:"));
    place.namespace.register(":theirs:E::theirs::/bin/cat:F");
    place.namespace.register(":gone:E::gone::/nonexistent/java:");
    let magic = place.scratch.executable("magic", MAGIC);
    place.explains(
        "/",
        &magic,
        &[],
        true,
        &["neither ELF nor a script", "entry mine () takes it: /bin/cat", "/bin/cat: ELF"],
    );
    let extension = place.scratch.executable("text.theirs", "#!/nonexistent\n");
    place.explains("/", &extension, &[], true, &["a script for /nonexistent", "entry theirs (F) takes it: /bin/cat"]);
    let other = place.scratch.executable("text.theirs.other", "text");
    place.explains("/", &other, &[], false, &["nothing here knows what"]);
    let gone = place.scratch.executable("text.gone", "text");
    let words = ["/nonexistent/java, the interpreter of entry gone: no such file", "by hand"];
    place.explains("/", &gone, &[], false, &words);
    // They come before what the kernel runs by itself.
    let native = place.scratch.copy("/bin/true", "true.theirs");
    place.explains("/", &native, &[], true, &["entry theirs (F) takes it"]);
    place.namespace.sh(&format!("echo 0 >{MOUNT}/theirs")).exits(0);
    place.explains("/", &native, &[], true, &["is there"]);
    place.explains("/", &extension, &[], false, &["/nonexistent, which its first line names"]);
    place.explains("/", &magic, &[], true, &[]);
    place.namespace.sh(&format!("echo 0 >{MOUNT}/mine")).exits(0);
    place.explains("/", &magic, &[], false, &["entry mine is disabled"]);
}

/// An interpreter that does not work is found by executing a program.
#[test]
fn an_interpreter_that_fails() {
    let Some(place) = Place::new("an_interpreter_that_fails") else { return };
    let rule = place.namespace.tool(&["ARCHES=arm64"], &["--print"]).exits(0).out;
    let (start, _) = rule.trim().rsplit_once(":/").unwrap();
    place.namespace.register(&format!("{start}:/bin/false:"));
    let words = ["no program of aarch64 (linux/arm64) runs: it was started, and failed", "REPLACE=true"];
    place.explains("/", &program("arm64"), STATIC, false, &words);
    // One that is gone does no harm if the kernel has it open.
    let Some(place) = Place::new("an_interpreter_that_fails") else { return };
    place.scratch.copy(interpreters().join("qemu-aarch64"), "qemu-aarch64");
    place.namespace.tool(&[&place.scratch.variable(), "ARCHES=arm64"], &[]).exits(0);
    fs::remove_file(place.scratch.0.join("qemu-aarch64")).unwrap();
    place.explains("/", &program("arm64"), STATIC, true, &["cannot be looked at here; the kernel has it open"]);
}

/// A program that needs more than the CPU has; and one that does not.
#[test]
fn levels() {
    let Some(place) = Place::new("levels") else { return };
    let info = fs::read_to_string("/proc/cpuinfo").unwrap();
    let has_v4 = info.contains("avx512f") && info.contains("avx512vl");
    for (bits, level) in [(1_u8, 1), (3, 2), (15, 4)] {
        let file = place.scratch.executable(&format!("v{level}"), needing(bits, level == 4));
        let runs = level < 4 || has_v4;
        let needs = format!("needs x86-64-v{level}");
        let words: &[&str] = if level > 1 { &[&needs] } else { &[] };
        let said = place.explains("/", &file, &[], runs, words);
        assert_eq!(said.out.contains("needs x86-64"), level > 1, "{said:#?}");
        assert_eq!(said.out.contains("more than this CPU has"), !runs, "{said:#?}");
    }
}

/// A program that exits with status 0, with a property that says what it needs; with an instruction of the fourth level.
fn needing(bits: u8, executes_it: bool) -> Vec<u8> {
    let mut elf = vec![0; 64 + 2 * 56];
    let instruction: &[u8] = if executes_it { b"\x62\xf1\x7d\x48\xfe\xc0" } else { b"" };
    let code = [instruction, b"\x31\xff\x6a\x3c\x58\x0f\x05"].concat();
    let note =
        [&b"\x04\0\0\0\x10\0\0\0\x05\0\0\0GNU\0\x02\x80\0\xc0\x04\0\0\0"[..], &[bits, 0, 0, 0, 0, 0, 0, 0]].concat();
    let place = elf.len() as u64;
    let (length, start) = (note.len() as u64, place + note.len() as u64);
    elf.extend([note, code].concat());
    let end = elf.len() as u64;
    for (at, bytes) in [
        (0, b"\x7fELF\x02\x01\x01".to_vec()),
        (16, b"\x02\0\x3e\0\x01".to_vec()),
        (24, (0x40_0000 + start).to_le_bytes().to_vec()),
        (32, b"\x40".to_vec()),
        (52, b"\x40\0\x38\0\x02".to_vec()),
        (64, b"\x01\0\0\0\x05".to_vec()),
        (82, b"\x40".to_vec()),
        (96, end.to_le_bytes().to_vec()),
        (104, end.to_le_bytes().to_vec()),
        (113, b"\x10".to_vec()),
        (120, b"\x53\xe5\x74\x64\x04".to_vec()),
        (128, place.to_le_bytes().to_vec()),
        (152, length.to_le_bytes().to_vec()),
        (160, length.to_le_bytes().to_vec()),
        (168, b"\x08".to_vec()),
    ] {
        elf[at..at + bytes.len()].copy_from_slice(&bytes);
    }
    elf
}

/// The label means something only where there is SELinux; a file can have one everywhere.
#[test]
fn a_label_that_keeps_others_out() {
    let Some(place) = Place::new("a_label_that_keeps_others_out") else { return };
    let source = "#include <string.h>\n#include <sys/xattr.h>\n\
        int main(int count, char **words) { return setxattr(words[1], \"security.selinux\", words[2], strlen(words[2]), 0); }";
    let Some(set_label) = place.scratch.compiled("set-label", source) else { return };
    let labelled = place.scratch.0.join("labelled");
    fs::create_dir(&labelled).unwrap();
    let (directory, from) = (labelled.display(), interpreters());
    let label = "system_u:object_r:container_file_t:s0:c1,c2";
    let script = format!(
        "mount -t tmpfs tmpfs {directory} && cp {}/qemu-aarch64 {directory} && \
         {} {directory}/qemu-aarch64 {label} && \
         QEMU_BINARY_PATH={directory} MODE=execution TRUST=true exec \"$TOOL\" --install arm64",
        from.display(),
        set_label.display()
    );
    place.namespace.sh(&script).exits(0);
    let words = ["qemu-aarch64: where SELinux is on, it denies this to other containers"];
    place.explains("/", &program("arm64"), STATIC, true, &words);
}

/// Without a right it tells the same; with a file that it may not read, that it cannot tell.
#[test]
fn without_privilege() {
    let Some(place) = Place::with("without_privilege", Namespace::with_users) else { return };
    if !is_for_everybody() {
        return;
    }
    place.register("arm64");
    let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
    let explain = |arguments: &[&str]| place.namespace.under(&user, &[], &[&["--explain"], arguments].concat());
    let file = program("arm64");
    let file = file.to_str().unwrap();
    place.check(&explain(&[file]), true, &["entry qemu-aarch64 (POCF) takes it", "was executed, and runs"]);
    let root = place.arm64_root();
    let path = root.to_str().unwrap();
    place.check(&explain(&["--root", path, "/usr/bin/hello"]), true, &["was executed, and runs"]);
    place.check(&explain(&[&format!("{path}/usr/bin/hello")]), false, &["but there in"]);
    // It may be executed, and not be read.
    let secret = place.scratch.copy(file, "secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o711)).unwrap();
    let said = explain(&[secret.to_str().unwrap()]).exits(1);
    assert!(said.out.contains("cannot tell whether it runs here") && said.out.contains("EACCES"), "{said:#?}");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o744)).unwrap();
    place.check(&explain(&[secret.to_str().unwrap()]), false, &["secret: not executable"]);
}

/// It mounts nothing, and opens nothing to be written but the program that it executes from memory.
#[test]
fn it_only_reads() {
    let Some(place) = Place::new("it_only_reads") else { return };
    if !has("strace") {
        return;
    }
    place.register("arm64");
    let trace = place.scratch.0.join("trace");
    let strace = ["strace", "-f", "-o", trace.to_str().unwrap(), "-E", "LC_ALL=C"];
    let root = place.arm64_root();
    let arm64 = program("arm64");
    for arguments in [
        &["--explain", arm64.to_str().unwrap(), "/bin/true", "/nonexistent"][..],
        &["--explain", "--root", root.to_str().unwrap(), "/usr/bin/hello"],
    ] {
        place.namespace.under(&strace, &[], arguments);
        let calls = fs::read_to_string(&trace).unwrap();
        assert!(calls.contains("execveat("), "{calls}");
        let (own, _) = calls.split_once("execveat(").unwrap();
        for call in ["mount(", "fsopen(", "fsmount(", "open_tree(", "O_WRONLY", "O_RDWR", "O_CREAT", "unlink", "mkdir"]
        {
            assert!(!own.contains(call), "{call}: {own}");
        }
    }
}

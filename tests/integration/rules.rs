//! Rules of the user's (`RULES`, `--rules`): registered with the guarantees of this tool's own entries.

use crate::common::namespace::{MOUNT, Namespace, Said, Scratch, kill, program, program_that_ends};
use crate::common::{debian, fetch, host};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The rules as the projects document them, with their own paths: Rosetta (Apple's documentation of its virtual machines),
/// FEX, box64, wasmtime, Wine and Java (the kernel's documentation), Go, AppImageLauncher. Each with the bytes that a file
/// starts with that it is for, or the name of such a file.
const PROJECTS: [(&str, &str, &[u8]); 10] = [
    (
        r":rosetta:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xfe\xfe\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/media/rosetta/rosetta:OCF",
        "arm64",
        b"",
    ),
    (
        r":FEX-x86:M:0:\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00:\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff:/usr/bin/FEXInterpreter:POCF",
        "armhf",
        b"",
    ),
    (
        r":box64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00:\xff\xff\xff\xff\xff\xfe\xfe\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/local/bin/box64:",
        "riscv64",
        b"",
    ),
    (r":wasm32-wasmtime:M::\x00asm\x01\x00\x00\x00::/usr/bin/wasmtime:", "a.wasm", b"\0asm\x01\0\0\0"),
    (r":wasm:M::\x00\x61\x73\x6d:\xff\xff\xff\xff:/usr/bin/wasmer:F", "b.wasm", b"\0asm\x02\0\0\0"),
    (":DOSWin:M::MZ::/usr/bin/wine:", "a.exe", b"MZ\x90\0"),
    (r":Java:M::\xca\xfe\xba\xbe::/usr/local/bin/javawrapper:", "A.class", b"\xca\xfe\xba\xbe\0\0\0\x34"),
    (":ExecutableJAR:E::jar::/usr/local/bin/jarwrapper:", "a.jar", b"PK\x03\x04"),
    (":golang:E::go::/usr/local/bin/gorun:OC", "a.go", b"package main\n"),
    (
        r":appimage-type2:M:8:AI\x02::/usr/bin/AppImageLauncher:F",
        "a.AppImage",
        b"\x01ELF\x02\x01\x01\0AI\x02\0\0\0\0\0",
    ),
];

/// Interpreters that print what they are called with, at any path, and files with rules for them.
struct Rules(Scratch);

impl Rules {
    fn new() -> Self {
        let scratch = Scratch::new();
        scratch.copy(program("amd64"), "busybox");
        // Busybox goes by its name, which here says what it does.
        symlink(scratch.0.join("busybox"), scratch.0.join("echo")).unwrap();
        if let Some(host) = host::other() {
            host.show(&scratch.0);
        }
        Self(scratch)
    }

    /// A file with this text; returns its path.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().into()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.0.join(name)
    }

    /// A rule for files with that extension, which `echo` prints.
    fn rule(&self, name: &str, extension: &str, flags: &str) -> String {
        format!(":{name}:E::{extension}::{}/echo:{flags}\n", self.0.path())
    }

    /// A rule for arm64, with the mask that others use.
    fn arm64(&self, name: &str, interpreter: &str, flags: &str) -> String {
        let (_, rest) = PROJECTS[0].0.split_once(":M:").unwrap();
        let (pattern, _) = rest.rsplit_once(":/media").unwrap();
        format!(":{name}:M:{}:{}/{interpreter}:{flags}\n", host::exchanged(pattern), self.0.path())
    }

    /// Whether a program for arm64 goes to `echo`.
    fn has_arm64(&self, namespace: &Namespace) -> bool {
        let said = Said::of(namespace.command(program("arm64")).args(["echo", "it runs"]));
        said.out.contains("busybox echo it runs")
    }

    /// `RULES` with these files and directories.
    fn variable(&self, names: &[&str]) -> String {
        let paths: Vec<_> = names.iter().map(|name| self.path(name).to_str().unwrap().to_string()).collect();
        format!("RULES={}", paths.join(":"))
    }

    /// What an executable file called so, which starts so, is given to.
    fn executes(&self, namespace: &Namespace, name: &str, start: &[u8]) -> String {
        let file = self.0.executable(name, [start, &[0; 300]].concat());
        let said = Said::of(namespace.command("sh").args(["-c", "\"$0\" it runs"]).arg(file));
        said.out.trim().to_string()
    }
}

/// Why some tests are not for an emulated host.
const SHOWN: &str = "the files it is shown are those of its start, and these interpreters are this machine's";

/// No architecture but those that the test is about.
const NONE: &str = "ARCHES=xtensaeb";

#[test]
fn the_rules_that_projects_document() {
    if host::cannot("the_rules_that_projects_document", SHOWN) {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    let mut text = String::from("# As their pages have them\n");
    for (rule, _, _) in PROJECTS {
        let fields: Vec<_> = rule.rsplitn(3, ':').collect();
        // In a directory called as their interpreter is one that prints.
        let name = Path::new(fields[1]).file_name().unwrap().to_str().unwrap();
        fs::create_dir(rules.path(name)).unwrap();
        symlink(rules.path("busybox"), rules.path(name).join("echo")).unwrap();
        text += &format!("{}:{}/{name}/echo:{}\n; and\n\n", fields[2], rules.0.path(), fields[0]);
    }
    let file = rules.file("binfmt.d/projects.conf", &text);
    let said = namespace.tool(&[NONE, "TRUST=true"], &["--rules", &file]).exits(0);
    for (rule, file, start) in PROJECTS {
        let name = rule.split(':').nth(1).unwrap();
        let flags = rule.rsplit(':').next().unwrap();
        let said = said.err.lines().find(|line| line.starts_with(&format!("{name}: registered "))).unwrap_or_default();
        assert!(said.ends_with(&format!("({flags})")), "{name}: {said}, not {flags}");
        let entry = namespace.entry(name).unwrap();
        assert!(entry.enabled);
        let is = match start {
            b"" => Said::of(namespace.command(program(file)).args(["it", "runs"])).out.trim().to_string(),
            _ => rules.executes(&namespace, file, start),
        };
        assert!(is.ends_with("it runs"), "{name}: {is:?}");
    }
    assert_eq!(said.err.lines().filter(|line| line.contains(": registered ")).count(), PROJECTS.len() + 1);
}

/// Rules of Debian's that are for its own QEMU: an independent table.
#[test]
fn the_rules_of_debian() {
    if host::cannot("the_rules_of_debian", SHOWN) {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    fetch("amd64", "qemu-user-binfmt").unwrap();
    let directory = debian("amd64", "usr/lib/binfmt.d");
    let scratch = Scratch::new();
    let mut count = 0;
    for file in fs::read_dir(directory).unwrap() {
        let file = file.unwrap().path();
        let text =
            fs::read_to_string(&file).unwrap().replace(":/usr/", &format!(":{}/", debian("amd64", "usr").display()));
        fs::write(scratch.0.join(file.file_name().unwrap()), text).unwrap();
        count += 1;
    }
    assert!(count > 20, "{count}");
    let variable = format!("RULES={}", scratch.path());
    let said = namespace.tool(&[&variable, "TRUST=true"], &[]).exits(0);
    assert!(namespace.entries().len() >= count, "{said:#?}");
    assert_eq!(said.err.lines().filter(|line| line.contains(": left to entry qemu-")).count(), count, "{said:#?}");
    assert!(namespace.runs("arm64") && namespace.runs("riscv64"));
    // Nothing is changed by one more run, and each handles its architecture still when all are replaced.
    let before = namespace.state();
    let again = namespace.tool(&[&variable, "TRUST=true"], &[]).exits(0);
    assert_eq!(again.err.matches("kept, entry qemu-").count(), count, "{again:#?}");
    assert_eq!(namespace.state(), before);
    let replaced = namespace.tool(&[&variable, "TRUST=true", "REPLACE=true"], &[]).exits(0);
    assert_eq!(replaced.err.matches(": replaced by ").count(), count, "{replaced:#?}");
    assert_eq!(namespace.state(), before);
}

#[test]
fn what_is_wrong_is_said_with_file_and_line() {
    if host::cannot("what_is_wrong_is_said_with_file_and_line", SHOWN) {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    let echo = rules.path("echo").display().to_string();
    let long = "n".repeat(252);
    let wrong: [(&str, &[&str]); 29] = [
        ("nonsense", &["first byte"]),
        (":a:E::b::/c", &["seven fields"]),
        (":a:E::b::/c:P:", &["seven fields"]),
        ("::E::b::/c:", &["name is blank"]),
        (":..:E::b::/c:", &["name is blank, '.', '..'"]),
        (":a/b:E::b::/c:", &["slash"]),
        (&format!(":{long}:E::b::/c:"), &["longer than 251 bytes"]),
        (":register:E::b::/c:", &["name is taken"]),
        (":status:E::b::/c:", &["name is taken"]),
        (":binfmt_register:E::b::/c:", &["name is taken"]),
        (":a:B::b::/c:", &["neither M (magic) nor E (extension)"]),
        (":a:M:0x10:b::/c:", &["offset", "decimal"]),
        (":a:M:-1:b::/c:", &["offset", "decimal"]),
        (":a:M::::/c:", &["magic is blank"]),
        (r":a:M::\x7:\xff:/c:", &["\\x needs two hexadecimal digits"]),
        (r":a:M::ab:\xff:/c:", &["mask is not as long as the magic"]),
        (":a:M:255:ab::/c:", &["first 256 bytes"]),
        (&format!(":a:M::{}::/c:", "m".repeat(257)), &["first 256 bytes"]),
        (":a:E::::/c:", &["extension is blank"]),
        (":a:E::a/b::/c:", &["extension", "slash"]),
        (":a:E::tar.gz::/c:", &["extension", "period"]),
        (":a:E::b:::", &["no absolute path"]),
        (":a:E::b::bin/c:", &["no absolute path"]),
        (":a:E::b::/c:X", &["flag", "P, O, C and F"]),
        (&format!(":a:E::b::/{}:", "c".repeat(1915)), &["1920 bytes"]),
        (&format!(":a:E::b::/{}:", "c".repeat(9000)), &["1920 bytes"]),
        (":fixed:E::b::/nonexistent/c:F", &["fixed: not registered: /nonexistent/c: no such file"]),
        (":directory:E::b::/proc:F", &["directory: not registered: /proc: EISDIR"]),
        (":plain:E::b::/proc/version:F", &["plain: not registered: /proc/version: not an ELF program"]),
    ];
    let good = [format!(":good:E::one::{echo}:"), format!(":better:E::two::{echo}:")];
    let lines: Vec<_> = wrong.iter().map(|(line, _)| *line).collect();
    let file = rules.file("x.conf", &format!("{}\n{}\n  {}", good[0], lines.join("\n"), good[1]));
    let said = namespace.tool(&[NONE, &format!("RULES={file}")], &[]).exits(1);
    let said_lines: Vec<_> = said.err.lines().filter(|line| line.starts_with(&file)).collect();
    assert_eq!(said_lines.len(), wrong.len(), "{said:#?}");
    for (number, ((line, words), said)) in wrong.iter().zip(&said_lines).enumerate() {
        assert!(said.starts_with(&format!("{file}:{}: ", number + 2)), "{line}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{line}: {said}");
    }
    // Those that are right are registered all the same.
    assert_eq!(namespace.entries(), ["better", "good", "qemu-xtensaeb"]);
    assert_eq!(rules.executes(&namespace, "a.two", b"#").split(' ').nth(1), Some("it"));
}

#[test]
fn files_that_cannot_be_read_or_are_not_there() {
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    rules.file("d/a.conf", &rules.rule("a", "one", ""));
    symlink("nowhere", rules.path("d/b.conf")).unwrap();
    let said = namespace.tool(&[NONE, &rules.variable(&["d"])], &[]).exits(1);
    said.says(&["d/b.conf: rules cannot be read: ENOENT"]).says(&["a: registered"]);
    namespace
        .tool(&[NONE, &rules.variable(&["no"])], &[])
        .exits(1)
        .says(&["/no: no such file or directory", "--rules"]);
    // Of the places of systemd's some are always missing.
    namespace.tool(&[NONE, &rules.variable(&["no", "d/a.conf"])], &[]).exits(0).says(&["a: kept"]);
    namespace.tool(&[NONE, &format!("RULES={}", "x".repeat(5000))], &[]).exits(1).says(&["ENAMETOOLONG"]);
    let many: Vec<_> = ["d"; 17].into();
    namespace.tool(&[NONE, &rules.variable(&many)], &[]).exits(1).says(&["too many paths", "16"]);
    let text: String = (0..514).map(|number| rules.rule(&format!("n{number}"), &format!("x{number}"), "")).collect();
    rules.file("many.conf", &text);
    let said = namespace.tool(&[NONE, &rules.variable(&["many.conf"])], &["--print"]).exits(1);
    said.says(&["many.conf:513: too many rules", "512"]).says(&["many.conf:514: too many rules"]);
    let text = rules.rule("same", "one", "") + &rules.rule("same", "two", "");
    rules.file("same.conf", &text);
    let said = namespace.tool(&[NONE, &rules.variable(&["same.conf"])], &["--print"]).exits(1);
    said.says(&["same.conf:2: a rule before this one has the same name"]);
}

#[test]
fn the_first_directory_of_a_name_counts() {
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    rules.file("etc/20-a.conf", &rules.rule("etc-a", "a", ""));
    rules.file("etc/30-b.conf", "");
    symlink("/dev/null", rules.path("etc/40-c.conf")).unwrap();
    rules.file("etc/readme", "no rule\n");
    rules.file("etc/.hidden.conf", "no rule\n");
    for name in ["10-z", "20-a", "30-b", "40-c", "50-d"] {
        rules.file(&format!("lib/{name}.conf"), &rules.rule(&format!("lib-{}", &name[3..]), &name[3..], ""));
    }
    rules.file("run/50-d.conf", &rules.rule("run-d", "d", ""));
    let said = namespace.tool(&[NONE, &rules.variable(&["etc", "run", "none", "lib"])], &[]).exits(0);
    assert_eq!(namespace.entries(), ["etc-a", "lib-z", "qemu-xtensaeb", "run-d"]);
    let names: Vec<_> = said.err.lines().filter_map(|line| Some(line.split_once(": registered ")?.0)).collect();
    assert_eq!(names, ["lib-z", "etc-a", "run-d", "xtensaeb"], "not in the order of the names of files");
}

#[test]
fn a_rule_goes_before_qemu() {
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    rules.file("d/rosetta.conf", &rules.arm64("rosetta", "echo", "OF"));
    let variable = rules.variable(&["d"]);
    for variables in [&[&*variable][..], &[&variable, "ARCHES=arm64,riscv64"], &[&variable, "REPLACE=true"]] {
        let said = namespace.tool(variables, &[]).exits(0);
        said.says(&["aarch64: left to entry rosetta, which RULES asks for"]);
        assert!(rules.has_arm64(&namespace) && namespace.runs("riscv64"));
        assert!(namespace.entry("qemu-aarch64").is_none());
    }
    // Though QEMU is there already.
    namespace.tool(&[], &["--uninstall", "rosetta"]).exits(0).says_only(&["rosetta: removed"]);
    namespace.tool(&[], &[]).exits(0).says(&["aarch64: registered"]);
    assert!(namespace.runs("arm64"));
    namespace.tool(&[&variable], &[]).exits(0).says(&["rosetta: registered"]).says(&["aarch64: left to entry rosetta"]);
    assert!(rules.has_arm64(&namespace) && namespace.entry("qemu-aarch64").is_some());
    // With exactly the magic and the mask of the table, too.
    namespace.tool(&[], &["--uninstall", "rosetta"]).exits(0);
    let own = namespace.tool(&["ARCHES=arm64"], &["--print"]).exits(0).out;
    let (pattern, _) = own.strip_prefix(":qemu-aarch64:").unwrap().rsplit_once(":/").unwrap();
    rules.file("d/rosetta.conf", &format!(":FEX:{pattern}:{}/echo:", rules.0.path()));
    namespace.tool(&[&variable], &[]).exits(0).says(&["FEX: registered"]).says(&["aarch64: left to entry FEX"]);
    assert!(rules.has_arm64(&namespace));
}

/// It is never worse than without the rule.
#[test]
fn where_a_rule_cannot_serve_qemu_does() {
    for (interpreter, flags, words) in [
        ("none", "F", "no such file here"),
        ("none", "", "no such file here"),
        ("truncated", "F", "truncated"),
        ("qemu-aarch64-static", "XF", "a flag is none of"),
    ] {
        let Some(namespace) = Namespace::new() else { return };
        let rules = Rules::new();
        rules.0.executable("truncated", &program_that_ends()[..100]);
        let file = rules.file("d/rosetta.conf", &rules.arm64("rosetta", interpreter, flags));
        let said = namespace.tool(&[&rules.variable(&["d"])], &[]).exits(1);
        said.says(&[&format!("{file}:1: "), words]).says(&["aarch64: registered"]);
        assert!(namespace.runs("arm64"));
        assert!(namespace.entry("rosetta").is_none());
    }
}

#[test]
fn an_interpreter_that_is_not_here_is_looked_for_when_it_is_needed() {
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    rules.file("d/wine.conf", ":DOSWin:M::MZ::/nonexistent/wine:\n");
    namespace.tool(&[NONE, &rules.variable(&["d"])], &[]).exits(0).says(&["DOSWin: registered /nonexistent/wine ()"]);
    assert_eq!(namespace.entry("DOSWin").unwrap().interpreter, "/nonexistent/wine");
}

#[test]
fn what_is_there_is_kept_and_with_replace_replaced() {
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    let variable = rules.variable(&["d"]);
    rules.file("d/a.conf", &rules.rule("mine", "one", ""));
    namespace.register(":theirs:E::one::/bin/true:OC");
    let before = namespace.state();
    namespace.tool(&[NONE, &variable], &[]).exits(0).says(&["mine: kept, entry theirs handles it"]);
    assert!(namespace.entry("mine").is_none() && namespace.state()["theirs"] == before["theirs"]);
    let said = namespace.tool(&[NONE, &variable, "REPLACE=true"], &[]).exits(0);
    said.says(&["mine: registered", "before entry theirs"]);
    assert_eq!(namespace.state()["theirs"], before["theirs"]);
    assert!(rules.executes(&namespace, "a.one", b"x").ends_with("it runs"));
    // Its own is kept too, if it is what the rule says.
    let before = namespace.state();
    namespace.tool(&[NONE, &variable], &[]).exits(0).says(&["mine: kept, entry mine handles it"]);
    assert_eq!(namespace.state(), before);
    rules.file("d/a.conf", &rules.rule("mine", "one", "P"));
    let said = namespace.tool(&[NONE, &variable], &[]).exits(1);
    said.says(&["d/a.conf:1: mine: kept, but entry mine has flags (), not (P); REPLACE=true"]);
    assert_eq!(namespace.state(), before);
    namespace.tool(&[NONE, &variable, "REPLACE=true"], &[]).exits(0).says(&["mine: replaced by"]);
    assert_eq!(namespace.entry("mine").unwrap().flags, "P");
    // A name that is taken.
    rules.file("d/a.conf", &rules.rule("theirs", "two", ""));
    let said = namespace.tool(&[NONE, &variable], &[]).exits(1);
    said.says(&["theirs: not registered: entry theirs is for other programs"]);
    namespace.sh(&format!("echo -1 >{MOUNT}/theirs; echo 0 >{MOUNT}/mine")).exits(0);
    rules.file("d/a.conf", &rules.rule("mine", "one", "P"));
    namespace.tool(&[NONE, &variable], &[]).exits(1).says(&["mine: kept, entry mine is disabled"]);
}

/// There is an entry at every moment.
#[test]
fn a_replacement_has_no_gap() {
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    rules.file("d/a.conf", &rules.arm64("rosetta", "echo", ""));
    let variable = rules.variable(&["d"]);
    namespace.tool(&[NONE, &variable], &[]).exits(0);
    let program = rules.0.copy(program("arm64"), "program");
    let script = format!("i=0; while [ $i -lt 2000 ]; do {} true || exit 1; i=$((i+1)); done", program.display());
    let mut running = namespace.long_command("sh").args(["-c", &script]).stdout(Stdio::null()).spawn().unwrap();
    while running.try_wait().unwrap().is_none() {
        namespace.tool(&[NONE, &variable, "REPLACE=true"], &[]).exits(0).says(&["rosetta: replaced by"]);
    }
    assert!(running.wait().unwrap().success());
    assert_eq!(namespace.entries(), ["qemu-xtensaeb", "rosetta"]);
    // A replacement that fails leaves what is there; what a killed run has left is taken away by the next.
    let before = namespace.state();
    rules.file("d/a.conf", &rules.arm64("rosetta", "none", "F"));
    namespace.tool(&[NONE, &variable, "REPLACE=true"], &[]).exits(1).says(&["rosetta: not registered", "no such file"]);
    assert_eq!(namespace.state(), before);
    rules.file("d/a.conf", &rules.arm64("rosetta", "echo", ""));
    namespace.register(rules.arm64("rosetta.new", "echo", "").trim());
    namespace.tool(&[NONE, &variable], &[]).exits(0).says(&["rosetta: kept"]);
    assert_eq!(namespace.state(), before);
    // What has that name and is for other programs is somebody else's.
    namespace.register(":rosetta.new:E::theirs::/bin/false:");
    let before = namespace.state();
    namespace.tool(&[NONE, &variable], &[]).exits(0).says(&["rosetta: kept"]);
    namespace.tool(&[NONE, &variable, "REPLACE=true"], &[]).exits(1).says(&["rosetta: not replaced", "EEXIST"]);
    assert_eq!(namespace.state(), before);
}

#[test]
fn what_takes_its_own_interpreter_is_refused() {
    if host::cannot("what_takes_its_own_interpreter_is_refused", SHOWN) {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    rules.file("d/a.conf", &format!(":all:M::\\x7fELF::{}/busybox:F\n", rules.0.path()));
    rules.file("d/b.conf", &format!(":sh:E::sh::{}/x.sh:\n", rules.0.path()));
    rules.0.executable("x.sh", "#!/bin/sh\n");
    let said = namespace.tool(&[NONE, &rules.variable(&["d"])], &[]).exits(1);
    said.says(&["all: not registered", "so none would run"]);
    assert_eq!(namespace.entries(), ["qemu-xtensaeb"]);
}

#[test]
fn who_can_replace_an_interpreter_counts_as_for_ours() {
    if host::cannot("who_can_replace_an_interpreter_counts_as_for_ours", SHOWN) {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    let anybody = |namespace: &Namespace| namespace.sh(&format!("chmod 777 {}", rules.0.path())).exits(0);
    anybody(&namespace);
    rules.file("d/a.conf", &rules.rule("looked-for", "one", "OC"));
    rules.file("d/b.conf", &rules.rule("opened", "two", "CF"));
    let variable = rules.variable(&["d"]);
    let said = namespace.tool(&[NONE, &variable, "CREDENTIALS=false"], &[]).exits(1);
    let said = said.says(&["looked-for: not registered: others than root can replace", "leave C out, or TRUST=true"]);
    let said = said.says(&["opened: registered"]);
    said.says(&["/echo: others than root can replace it"]);
    let said = namespace.tool(&[NONE, &variable, "TRUST=true", "REPLACE=true"], &[]).exits(0);
    assert!(!said.err.contains("others than root"), "{said:#?}");
    assert_eq!(namespace.entries(), ["looked-for", "opened", "qemu-xtensaeb"]);
}

/// `T`, `L` and `D` of Linux 7.3: what the kernel says decides.
#[test]
fn flags_of_later_kernels() {
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    for flag in ["T", "L", "D"] {
        let name = format!("flag{flag}");
        let file = rules.file("d/a.conf", &rules.rule(&name, flag, flag));
        let said = namespace.tool(&[NONE, &rules.variable(&["d"])], &[]);
        match namespace.entry(&name) {
            Some(_) => said.exits(0).says(&[&format!("{name}: registered")]),
            None => said
                .exits(1)
                .says(&[&format!("{file}:1: {name}: not registered: this kernel does not know"), "Linux 7.3"]),
        };
    }
}

#[test]
fn uninstall_print_and_verify() {
    if host::cannot("uninstall_print_and_verify", SHOWN) {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    let text = rules.rule("one", "one", "F") + &rules.arm64("rosetta", "echo", "");
    rules.file("d/a.conf", &format!("# a comment\n  {text}"));
    let variable = rules.variable(&["d"]);
    let said = namespace.tool(&[&variable, "ARCHES=arm64,riscv64"], &["--print"]).exits(0);
    assert!(said.out.starts_with(&text) && said.out[text.len()..].starts_with(":qemu-riscv64:M:"), "{said:#?}");
    let said = said.says(&["aarch64: left to entry rosetta"]);
    assert_eq!(said.out.lines().count(), 3);
    assert!(namespace.entries().is_empty());
    let said = namespace.tool(&[&variable, "ARCHES=arm64"], &["--interpreters"]).exits(0);
    assert_eq!(said.out, format!("{}\n", rules.path("echo").display()));
    // It ends with status 0, which is all that VERIFY asks for.
    symlink(rules.path("busybox"), rules.path("true")).unwrap();
    rules.file("d/a.conf", &(rules.rule("one", "one", "F") + &rules.arm64("rosetta", "true", "")));
    namespace.tool(&[&variable, "ARCHES=arm64", "VERIFY=true"], &[]).exits(0).says(&["rosetta: registered"]);
    assert_eq!(namespace.entries(), ["one", "rosetta"]);
    namespace.tool(&[], &["--uninstall", "*"]).exits(0);
    assert_eq!(namespace.entries(), ["one", "rosetta"]);
    namespace.tool(&[], &["--uninstall", "one,rosetta"]).exits(0).says(&["one: removed"]).says(&["rosetta: removed"]);
    assert!(namespace.entries().is_empty());
    symlink(rules.path("busybox"), rules.path("false")).unwrap();
    rules.file("d/a.conf", &rules.arm64("rosetta", "false", ""));
    let said = namespace.tool(&[&variable, "ARCHES=arm64", "VERIFY=true"], &[]).exits(1);
    said.says(&["a.conf:1: rosetta: taken back: no program runs through"]).says(&["aarch64: registered"]);
    assert_eq!(namespace.entries(), ["qemu-aarch64"]);
}

/// A dynamically linked one is registered as the rule says, and a line says where it serves.
#[test]
fn an_interpreter_that_is_dynamically_linked() {
    if host::cannot("an_interpreter_that_is_dynamically_linked", SHOWN) {
        return;
    }
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    rules.file("d/a.conf", ":mine:E::one::/bin/sh:F\n:other:E::two::/bin/sh:\n");
    let said = namespace.tool(&[NONE, &rules.variable(&["d"])], &[]).exits(0);
    let said = said.says(&["a.conf:1: /bin/sh: dynamically linked", "only where its dynamic linker is"]);
    assert_eq!(said.err.matches("dynamically").count(), 1);
    assert_eq!(namespace.entries(), ["mine", "other", "qemu-xtensaeb"]);
}

/// Rules are all that is wanted where there is no interpreter of QEMU's.
#[test]
fn without_qemu() {
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    rules.file("d/a.conf", &rules.rule("mine", "one", ""));
    fs::create_dir(rules.path("empty")).unwrap();
    let path = format!("QEMU_BINARY_PATH={}/empty", rules.0.path());
    let said = namespace.tool(&[&path, &rules.variable(&["d"])], &[]).exits(0);
    assert_eq!(said.err.lines().next(), Some(&*format!("mine: registered {} ()", rules.path("echo").display())));
    namespace.tool(&[&path, &rules.variable(&["d"]), "ARCHES=arm64"], &[]).exits(1).says(&["aarch64: not registered"]);
    // The option takes the place of the variable.
    let said = namespace.tool(&[&path, "RULES=/nonexistent"], &["--rules", rules.path("d").to_str().unwrap()]).exits(0);
    said.says(&["mine: kept"]);
}

/// What a holder registers by rules is registered again, and removed at the end.
#[test]
fn rules_are_held() {
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    rules.file("d/a.conf", &(rules.rule("mine", "one", "") + &rules.arm64("rosetta", "echo", "F")));
    namespace.register(":theirs:E::two::/bin/false:");
    let arguments = ["--hold", "--rules", rules.path("d").to_str().unwrap()].map(String::from);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = namespace.tool_command(&[], &["ARCHES=riscv64"], &arguments);
    let holder = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let eventually = |is: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !is() {
            assert!(start.elapsed() < Duration::from_secs(10), "{:?}", namespace.state());
            sleep(Duration::from_millis(50));
        }
    };
    eventually(&|| namespace.entry("qemu-riscv64").is_some());
    assert_eq!(namespace.entries(), ["mine", "qemu-riscv64", "rosetta", "theirs"]);
    // The mark of a holder.
    assert!(namespace.entry("mine").unwrap().interpreter.ends_with("/././echo"));
    assert!(rules.has_arm64(&namespace) && rules.executes(&namespace, "a.one", b"x").ends_with("it runs"));
    namespace.sh(&format!("echo -1 >{MOUNT}/rosetta; echo -1 >{MOUNT}/mine")).exits(0);
    eventually(&|| namespace.entry("rosetta").is_some() && namespace.entry("mine").is_some());
    sleep(Duration::from_millis(700));
    kill("TERM", holder_process(&holder));
    let said = Said::from(holder.wait_with_output().unwrap()).exits(0);
    said.says(&["mine: removed"]).says(&["rosetta: removed"]).says(&["registered again"]);
    assert_eq!(namespace.entries(), ["theirs"]);
}

/// The process that `timeout`, under which commands of tests run, has started.
fn holder_process(child: &std::process::Child) -> u32 {
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

/// Rules take no more of the stack than all else does.
#[test]
fn little_stack_is_enough() {
    let Some(namespace) = Namespace::new() else { return };
    let rules = Rules::new();
    rules.file("d/a.conf", &(rules.rule("mine", "one", "F") + &rules.arm64("rosetta", "echo", "F")));
    let limit = ["prlimit", "--stack=65536:65536", "--"];
    for variables in [[rules.variable(&["d"]), "REPLACE=".into()], [rules.variable(&["d"]), "REPLACE=true".into()]] {
        let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
        namespace.under(&limit, &variables, &[]).exits(0).says(&["rosetta: re"]);
        namespace.under(&limit, &variables, &["--print"]).exits(0);
    }
}

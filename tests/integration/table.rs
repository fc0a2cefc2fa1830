//! The table of architectures against others' knowledge of them: QEMU executes its probes, programs that other tools
//! made are matched by its rules, and Debian's rules are compared with them byte by byte.

use crate::common::host::{self, binary};
use crate::common::{debian, debian_of, fetch, fetch_of, run, scratch, skip};
use binfmt_register::elf::Start;
use binfmt_register::handler::Handler;
use binfmt_register::output::Output;
use binfmt_register::text::{BLANK, Text};
use binfmt_register::{rule, target};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::fs::Permissions;
use std::io::{ErrorKind, Write};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::{fs, str};

/// Members of this machine's own family, which have no rule where the CPU and the kernel execute them.
const OWN: &[&str] = &["i386", "x86_64"];

/// Only in older QEMU, of which Debian 12 has the last packages.
const OLD: &[&str] = &["cris", "nios2"];

// --- What the rules are and do ---

/// A line in the format of `binfmt.d(5)`, read as the kernel reads it, independently of how ours are written.
struct Rule {
    name: String,
    offset: usize,
    magic: Vec<u8>,
    mask: Vec<u8>,
}

impl Rule {
    fn parse(line: &str) -> Self {
        let delimiter = line.chars().next().expect("not an empty line");
        let fields: Vec<&str> = line[delimiter.len_utf8()..].split(delimiter).collect();
        let [name, "M", offset, magic, mask, interpreter, flags] = fields[..] else {
            panic!("not seven fields of type M: {line}")
        };
        assert!(!name.is_empty() && interpreter.starts_with('/'), "{line}");
        assert!(flags.chars().all(|flag| "POCF".contains(flag)), "{line}");
        assert!(line.len() < 1920, "{} bytes, more than the kernel takes: {line}", line.len());
        let name = name.strip_prefix("qemu-").expect("named as QEMU's").into();
        let offset = if offset.is_empty() { 0 } else { offset.parse().unwrap() };
        let rule = Rule { name, offset, magic: unescape(magic), mask: unescape(mask) };
        assert_eq!(rule.magic.len(), rule.mask.len(), "{line}");
        rule
    }

    /// `search_binfmt_handler` in `fs/binfmt_misc.c`.
    fn matches(&self, start: &Start) -> bool {
        let wrong = |at: usize| (start[self.offset + at] ^ self.magic[at]) & self.mask[at] != 0;
        !(0..self.magic.len()).any(wrong)
    }

    /// What binfmt_misc shows of the entry.
    fn shown(&self) -> CString {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (magic, mask) = (hex(&self.magic), hex(&self.mask));
        let offset = self.offset;
        let text = format!("enabled\ninterpreter /qemu\nflags: POCF\noffset {offset}\nmagic {magic}\nmask {mask}\n");
        CString::new(text).unwrap()
    }

    /// What this tool sees of the entry.
    fn handler(&self) -> Handler {
        Handler::parse(Text::new(&self.shown()), &mut MaybeUninit::uninit()).clone()
    }

    /// What is asked of byte `at` of a program: the bits that count, and which these are.
    fn asks(&self, at: usize) -> (u8, u8) {
        assert_eq!(self.offset, 0);
        self.mask.get(at).map_or((0, 0), |mask| (self.magic[at] & mask, *mask))
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::new();
    while let [first, behind @ ..] = rest {
        (rest, bytes) = match behind {
            [b'x', high, low, behind @ ..] if *first == b'\\' => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap());
                (behind, bytes)
            }
            _ => {
                assert!(*first != b'\\', "an escape that the kernel does not know: {text}");
                bytes.push(*first);
                (behind, bytes)
            }
        };
    }
    bytes
}

/// Our rules: those `--print` prints, and from the library those of this machine's own family that it leaves out.
fn rules() -> Vec<Rule> {
    let mut print = Command::new(binary());
    print.env_clear().envs([("ARCHES", "all"), ("MODE", "execution"), ("QEMU_BINARY_PATH", "/nonexistent")]);
    let printed = run(print.arg("--print")).unwrap();
    let mut rules: Vec<Rule> = printed.lines().filter(|line| !line.starts_with('#')).map(Rule::parse).collect();
    for target in &target::TARGETS {
        if !rules.iter().any(|rule| rule.name == text(target.name())) {
            let mut line = Output::text_only();
            let mut values = [BLANK; 10];
            [values[0], values[1], values[2]] = [target.name(), Text::new(c"/nonexistent"), Text::new(c"O")];
            assert!(rule::write(&mut line, Text::new(c"qemu-%0"), target, &values, true));
            rules.push(Rule::parse(str::from_utf8(line.bytes()).unwrap()));
        }
    }
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(rules.iter().map(|rule| rule.name.clone()).eq(target::TARGETS.iter().map(|target| text(target.name()))));
    rules
}

/// Every probe, by the name of its target.
fn probes() -> BTreeMap<String, Vec<u8>> {
    let probe = |target: &target::Target| target.probe(&mut MaybeUninit::uninit()).to_vec();
    target::TARGETS.iter().map(|target| (text(target.name()), probe(target))).collect()
}

fn text(name: Text) -> String {
    String::from_utf8(name.collect()).unwrap()
}

/// The names of the rules that match `program`, the same by what the kernel would do and by what this tool sees of an
/// entry.
fn matching<'a>(rules: &'a [Rule], program: &[u8]) -> Vec<&'a str> {
    let mut start = [0; 256]; // BINPRM_BUF_SIZE; zeros beyond the end of the file
    let length = program.len().min(start.len());
    start[..length].copy_from_slice(&program[..length]);
    let names = rules.iter().filter(|rule| {
        let matches = rule.matches(&start);
        assert_eq!(rule.handler().matches(&start), matches, "{}", rule.name);
        matches
    });
    names.map(|rule| rule.name.as_str()).collect()
}

// --- The probes ---

/// The exit status of `program`. Another test of this process may be starting one of its own while the file is still
/// open for writing here, and so holds it open for a moment.
fn execute(program: &Path, arguments: &[&Path]) -> std::io::Result<ExitStatus> {
    loop {
        match Command::new(program).args(arguments).stdin(Stdio::null()).status() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            done => return done,
        }
    }
}

/// Every probe as a file to execute.
fn write_probes(dir: &str) -> BTreeMap<String, PathBuf> {
    let dir = scratch(dir);
    let write = |(name, program): (String, Vec<u8>)| {
        let file = dir.join(&name);
        fs::write(&file, program).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
        (name, file)
    };
    probes().into_iter().map(write).collect()
}

#[test]
fn every_probe_exits_0_under_qemu() {
    let name = "every_probe_exits_0_under_qemu";
    if let Err(why) = fetch("amd64", "qemu-user").and_then(|()| fetch_of("bookworm", "amd64", "qemu-user-static")) {
        return skip(name, &why);
    }
    let mut failed = Vec::new();
    for (target, probe) in write_probes(name) {
        let qemu = match OLD.contains(&target.as_str()) {
            true => debian_of("bookworm", "amd64", &format!("/usr/bin/qemu-{target}-static")),
            false => debian("amd64", &format!("/usr/bin/qemu-{target}")),
        };
        match execute(&qemu, &[&probe]) {
            Ok(status) if status.success() => {}
            other => failed.push(format!("{target}: {other:?}")),
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// QEMU has no interpreter that the table does not know, and the table none that QEMU never had.
#[test]
fn the_table_is_complete() {
    if let Err(why) = fetch("amd64", "qemu-user") {
        return skip("the_table_is_complete", &why);
    }
    let files = fs::read_dir(debian("amd64", "/usr/bin")).unwrap().map(Result::unwrap);
    let files = files.filter(|file| file.file_type().unwrap().is_file()); // links are other names of the same
    let names = files.filter_map(|file| Some(file.file_name().to_str()?.strip_prefix("qemu-")?.to_owned()));
    let mut qemu: BTreeSet<String> = names.collect();
    qemu.extend(OLD.iter().map(|name| name.to_string()));
    assert_eq!(qemu, probes().into_keys().collect());
}

/// A rule would take programs from the CPU that it executes itself: `--print` leaves exactly these out.
#[test]
fn own_probes_exit_0_without_qemu() {
    if host::cannot("own_probes_exit_0_without_qemu", "the CPU is not its own (tests/boot has it)") {
        return;
    }
    let mut print = Command::new(binary());
    print.env_clear().envs([("ARCHES", "all"), ("MODE", "execution"), ("QEMU_BINARY_PATH", "/nonexistent")]);
    let printed = run(print.arg("--print")).unwrap();
    for (target, probe) in write_probes("own_probes_exit_0_without_qemu") {
        let has_rule = printed.contains(&format!(":qemu-{target}:"));
        if !OWN.contains(&target.as_str()) {
            assert!(has_rule, "{target} has no rule");
            continue;
        }
        let status = execute(&probe, &[]);
        assert_eq!(status.as_ref().is_ok_and(ExitStatus::success), !has_rule, "{target}: {status:?}");
        assert!(target == "i386" || status.is_ok(), "{target}: {status:?}"); // a kernel may do without i386
    }
}

// --- The rules against programs of others ---

/// Where a program of each architecture is in Debian 13: target, package, file. The C library's dynamic linker is one.
#[rustfmt::skip]
const PROGRAMS: &[(&str, &str, &str)] = &[
    ("aarch64", "libc6-arm64-cross", "aarch64-linux-gnu/lib/ld-linux-aarch64.so.1"),
    ("alpha", "libc6.1-alpha-cross", "alpha-linux-gnu/lib/ld-linux.so.2"),
    ("arm", "libc6-armhf-cross", "arm-linux-gnueabihf/lib/ld-linux-armhf.so.3"),
    ("hppa", "libc6-hppa-cross", "hppa-linux-gnu/lib/ld.so.1"),
    ("i386", "libc6-i386-cross", "i686-linux-gnu/lib/ld-linux.so.2"),
    ("loongarch64", "libc6-loong64-cross", "loongarch64-linux-gnu/lib/ld-linux-loongarch-lp64d.so.1"),
    ("m68k", "libc6-m68k-cross", "m68k-linux-gnu/lib/ld.so.1"),
    ("mips", "libc6-mips-cross", "mips-linux-gnu/lib/ld.so.1"),
    ("mips64", "libc6-mips64-cross", "mips64-linux-gnuabi64/lib64/ld.so.1"),
    ("mips64el", "libc6-mips64el-cross", "mips64el-linux-gnuabi64/lib64/ld.so.1"),
    ("mipsel", "libc6-mipsel-cross", "mipsel-linux-gnu/lib/ld.so.1"),
    ("mipsn32", "libc6-mipsn32-cross", "mips64-linux-gnuabin32/lib32/ld.so.1"),
    ("mipsn32el", "libc6-mipsn32el-cross", "mips64el-linux-gnuabin32/lib32/ld.so.1"),
    ("ppc", "libc6-powerpc-cross", "powerpc-linux-gnu/lib/ld.so.1"),
    ("ppc64", "libc6-ppc64-cross", "powerpc64-linux-gnu/lib/ld64.so.1"),
    ("ppc64le", "libc6-ppc64el-cross", "powerpc64le-linux-gnu/lib/ld64.so.2"),
    ("riscv64", "libc6-riscv64-cross", "riscv64-linux-gnu/lib/ld-linux-riscv64-lp64d.so.1"),
    ("s390x", "libc6-s390x-cross", "s390x-linux-gnu/lib/ld64.so.1"),
    ("sh4", "libc6-sh4-cross", "sh4-linux-gnu/lib/ld-linux.so.2"),
    ("sparc", "qemu-system-data", "share/qemu/openbios-sparc32"),
    ("sparc32plus", "libc6-sparc-sparc64-cross", "sparc64-linux-gnu/lib32/ld-linux.so.2"),
    ("sparc64", "libc6-sparc64-cross", "sparc64-linux-gnu/lib64/ld-linux.so.2"),
    ("x86_64", "libc6-amd64-cross", "x86_64-linux-gnu/lib/ld-linux-x86-64.so.2"),
];

/// What QEMU itself maps into programs, linked by the architecture's own tools, in an archive of `qemu-system-data`.
const VDSOS: &[(&str, &str)] = &[
    ("aarch64", "aarch64/vdso-le.so"),
    ("aarch64_be", "aarch64/vdso-be.so"),
    ("arm", "arm/vdso-le.so"),
    ("armeb", "arm/vdso-be8.so"),
    ("armeb", "arm/vdso-be32.so"),
    ("hppa", "hppa/vdso.so"),
    ("i386", "i386/vdso.so"),
    ("loongarch64", "loongarch64/vdso.so"),
    ("ppc", "ppc/vdso-32.so"),
    ("ppc64", "ppc/vdso-64.so"),
    ("ppc64le", "ppc/vdso-64le.so"),
    ("riscv32", "riscv/vdso-32.so"),
    ("riscv64", "riscv/vdso-64.so"),
    ("s390x", "s390x/vdso.so"),
    ("x86_64", "x86_64/vdso.so"),
];

/// What no Debian package holds a program of: headers only, but made by a tool that knows the architectures by its own
/// table, LLVM's `yaml2obj`. Target, data, machine, flags, as LLVM calls them. All are of 32 bits.
const HEADERS: &[(&str, &str, &str, &str)] = &[
    ("cris", "LSB", "EM_CRIS", ""),
    ("hexagon", "LSB", "EM_HEXAGON", "EF_HEXAGON_MACH_V68"),
    ("microblaze", "MSB", "EM_MICROBLAZE", ""),
    ("microblazeel", "LSB", "EM_MICROBLAZE", ""),
    ("nios2", "LSB", "EM_ALTERA_NIOS2", ""),
    ("or1k", "MSB", "EM_OPENRISC", ""),
    ("sh4eb", "MSB", "EM_SH", ""),
    ("xtensa", "LSB", "EM_XTENSA", ""),
    ("xtensaeb", "MSB", "EM_XTENSA", ""),
];

fn program(package: &str, file: &str) -> Result<Vec<u8>, String> {
    fetch("amd64", package)?;
    let file = debian("amd64", "/usr").join(file);
    fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))
}

fn vdso(file: &str) -> Result<Vec<u8>, String> {
    fetch("amd64", "qemu-system-data")?;
    let archive = debian("amd64", "/usr/share/qemu/linux-user-vdso.tar.gz");
    output(Command::new("tar").arg("-xzOf").arg(archive).arg(format!("linux-user/{file}")), "")
}

fn header(data: &str, machine: &str, flags: &str, kind: &str) -> Result<Vec<u8>, String> {
    let mut text = format!(
        "--- !ELF\nFileHeader:\n  Class: ELFCLASS32\n  Data: ELFDATA2{data}\n  OSABI: ELFOSABI_LINUX\n  Type: {kind}\n  \
         Machine: {machine}\n"
    );
    // LLVM names the flags of some machines only.
    if !flags.is_empty() {
        text += &format!("  Flags: [ {flags} ]\n");
    }
    let made = output(Command::new("yaml2obj").args(["-o", "-", "-"]), &text);
    made.map_err(|why| format!("{why} (yaml2obj is in the package llvm)"))
}

/// The bytes that a command given `input` writes.
fn output(command: &mut Command, input: &str) -> Result<Vec<u8>, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let wrong = |error| format!("{name}: {error}");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(wrong)?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).map_err(wrong)?;
    let output = child.wait_with_output().map_err(wrong)?;
    if output.status.success() { Ok(output.stdout) } else { Err(format!("{name}: {}", output.status)) }
}

#[test]
fn a_rule_matches_its_own_probe_only() {
    let rules = rules();
    for (target, mut probe) in probes() {
        assert_eq!(matching(&rules, &probe), [&target]);
        for byte in &mut probe[7..16] {
            *byte = 0xff; // EI_OSABI, EI_ABIVERSION and EI_PAD say nothing of the architecture
        }
        assert_eq!(matching(&rules, &probe), [&target]);
    }
    for target in &target::TARGETS {
        let handles = |rule: &&Rule| rule.handler().handles(target);
        let names: Vec<&str> = rules.iter().filter(handles).map(|rule| &*rule.name).collect();
        assert_eq!(names, [text(target.name())]);
    }
}

/// Whether a rule takes position-independent programs, and no objects or core dumps.
#[test]
fn a_rule_matches_executables_only() {
    let rules = rules();
    for (target, mut probe) in probes() {
        let [low, high] = if probe[5] == 1 { [16, 17] } else { [17, 16] };
        for kind in 0..=0xff {
            probe[low] = kind;
            let expected: &[&str] = if matches!(kind, 2 | 3) { &[&target] } else { &[] };
            assert_eq!(matching(&rules, &probe), expected, "{target}: e_type {kind}");
        }
        (probe[low], probe[high]) = (2, 1);
        assert!(matching(&rules, &probe).is_empty(), "{target}: e_type 0x102");
    }
}

#[test]
fn every_target_is_matched_with_something_of_others() {
    let real = PROGRAMS.iter().map(|program| program.0).chain(VDSOS.iter().map(|vdso| vdso.0));
    let (real, headers): (BTreeSet<&str>, BTreeSet<&str>) = (real.collect(), HEADERS.iter().map(|row| row.0).collect());
    assert!(real.is_disjoint(&headers), "a real program is better than a header");
    assert!(probes().keys().eq(real.union(&headers)));
}

#[test]
fn a_rule_matches_real_programs_of_its_architecture_only() {
    let name = "a_rule_matches_real_programs_of_its_architecture_only";
    let (rules, Some(debians)) = (rules(), debians(name)) else { return };
    let programs = PROGRAMS.iter().map(|&(target, package, file)| (target, file, program(package, file)));
    let vdsos = VDSOS.iter().map(|&(target, file)| (target, file, vdso(file)));
    for (target, file, program) in programs.chain(vdsos) {
        let program = match program {
            Ok(program) => program,
            Err(why) => return skip(name, &why),
        };
        assert_eq!(matching(&rules, &program), [target], "{file}");
        // That it is what it is taken for, in Debian's eyes.
        assert_eq!(matching(&debians, &program), [target], "{file}, by Debian's rules");
    }
}

#[test]
fn a_rule_matches_headers_made_by_llvm_of_its_architecture_only() {
    let name = "a_rule_matches_headers_made_by_llvm_of_its_architecture_only";
    let rules = rules();
    for &(target, data, machine, flags) in HEADERS {
        for kind in ["ET_EXEC", "ET_DYN"] {
            match header(data, machine, flags, kind) {
                Ok(header) => assert_eq!(matching(&rules, &header), [target], "{machine} {kind}"),
                Err(why) => return skip(name, &why),
            }
        }
    }
}

#[test]
fn no_rule_matches_what_is_no_program_of_linux() {
    let rules = rules();
    for other in [&b""[..], b"\x7fELF", b"#!/bin/sh\n", b"MZ", &[0; 256], &[0xff; 256]] {
        assert!(matching(&rules, other).is_empty(), "{other:?}");
    }
    // 64-bit PA-RISC, which no QEMU for user programs knows.
    match program("qemu-system-data", "share/qemu/hppa-firmware64.img") {
        Ok(hppa64) => assert!(matching(&rules, &hppa64).is_empty()),
        Err(why) => skip("no_rule_matches_what_is_no_program_of_linux", &why),
    }
}

/// An AppImage is an ELF file with a mark in `EI_PAD` and before it. Debian's rules refuse it.
#[test]
fn a_rule_matches_appimages() {
    let name = "a_rule_matches_appimages";
    let real = PROGRAMS.iter().find(|(target, ..)| *target == "aarch64").unwrap();
    let mut program = match program(real.1, real.2) {
        Ok(program) => program,
        Err(why) => return skip(name, &why),
    };
    program[8..11].copy_from_slice(b"AI\x02");
    assert_eq!(matching(&rules(), &program), ["aarch64"]);
    if let Some(debians) = debians(name) {
        assert!(matching(&debians, &program).is_empty(), "Debian's rules have learnt it: the README may say so");
    }
}

// --- The rules against Debian's ---

/// Debian's rules; `None` after having said that these are not there.
fn debians(test: &str) -> Option<Vec<Rule>> {
    if let Err(why) = fetch("amd64", "qemu-user-binfmt") {
        skip(test, &why);
        return None;
    }
    // In /usr/lib/binfmt.d is the same but for the machine's own family.
    let files = fs::read_dir(debian("amd64", "/usr/share/qemu/binfmt.d")).unwrap();
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let mut rules: Vec<Rule> = texts.map(|text| Rule::parse(text.trim())).collect();
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    Some(rules)
}

/// How Debian's rules and ours differ, and why.
struct Difference {
    of: &'static [&'static str],
    but: &'static [&'static str],
    bytes: Range<usize>,
    /// What Debian's ask of each of these bytes: its value, and the mask.
    debian: &'static [(u8, u8)],
    /// What ours ask.
    ours: &'static [(u8, u8)],
    why: &'static str,
}

const ANY: (u8, u8) = (0, 0);

#[rustfmt::skip]
const DIFFERENCES: &[Difference] = &[
    Difference {
        of: &["i386", "x86_64"], but: &[],
        bytes: 5..7, debian: &[(0, 0xfe); 2], ours: &[(1, 0xff); 2],
        why: "EI_DATA and EI_VERSION are 1 in every such program; Debian's take 0 too.",
    },
    Difference {
        of: &["i386", "loongarch64", "ppc", "ppc64", "ppc64le", "s390x", "sh4", "sh4eb", "sparc", "sparc32plus",
              "sparc64", "x86_64"],
        but: &[],
        bytes: 7..8, debian: &[(0, 0xfc)], ours: &[ANY],
        why: "EI_OSABI tells systems, not architectures; here Debian's take only 0 to 3, elsewhere any.",
    },
    Difference {
        of: &["*"], but: &["loongarch64", "mips", "mips64", "mips64el", "mipsel", "mipsn32", "mipsn32el"],
        bytes: 8..9, debian: &[(0, 0xff)], ours: &[ANY],
        why: "EI_ABIVERSION: an AppImage has an 'A' here. The dynamic linkers of mips have a 5, hence Debian's exceptions.",
    },
    Difference {
        of: &["*"], but: &[],
        bytes: 9..16, debian: &[(0, 0xff); 7], ours: &[ANY; 7],
        why: "EI_PAD: an AppImage has 'I' and its type here.",
    },
    Difference {
        of: &["microblaze"], but: &[],
        bytes: 18..20, debian: &[(0xba, 0xff), (0xab, 0xff)], ours: &[(0, 0xff), (189, 0xff)],
        why: "e_machine: 0xbaab is the number from before 189 was registered, which today's tools write.",
    },
    Difference {
        of: &["microblazeel"], but: &[],
        bytes: 18..20, debian: &[(0xab, 0xff), (0xba, 0xff)], ours: &[(189, 0xff), (0, 0xff)],
        why: "The same, in the other order.",
    },
    Difference {
        of: &["ppc64le"], but: &[],
        bytes: 19..20, debian: &[ANY], ours: &[(0, 0xff)],
        why: "The high byte of e_machine: Debian's takes machine 0x115, 0x215 and so on for ppc64le.",
    },
    Difference {
        of: &["mips", "mipsn32"], but: &[],
        bytes: 20..24, debian: &[(0, 0xff), (0, 0xff), (0, 0xff), (1, 0xff)], ours: &[ANY; 4],
        why: "e_version: 1 in every program, and the kernel does not look at it. Our magic only reaches beyond it for e_flags.",
    },
    Difference {
        of: &["mipsel", "mipsn32el"], but: &[],
        bytes: 20..24, debian: &[(1, 0xff), (0, 0xff), (0, 0xff), (0, 0xff)], ours: &[ANY; 4],
        why: "The same, in the other order.",
    },
];

#[test]
fn debians_rules_match_the_probe_they_should() {
    let Some(debians) = debians("debians_rules_match_the_probe_they_should") else { return };
    let names: BTreeSet<&str> = debians.iter().map(|rule| rule.name.as_str()).collect();
    let mut expected: BTreeMap<String, Vec<u8>> = probes();
    expected.retain(|name, _| !OLD.contains(&name.as_str()));
    assert!(names.iter().eq(expected.keys()), "Debian's rules are for {names:?}");
    for (target, probe) in probes() {
        // Debian's ask for another e_machine: see the differences.
        let none = OLD.contains(&target.as_str()) || target.starts_with("microblaze");
        let expected: &[&str] = if none { &[] } else { &[&target] };
        assert_eq!(matching(&debians, &probe), expected);
    }
    // What is asked of an entry that is there already: whether the architecture is handled.
    for rule in &debians {
        let handler = rule.handler();
        let handled = target::TARGETS.iter().filter(|target| handler.handles(target));
        let handled: Vec<String> = handled.map(|target| text(target.name())).collect();
        let expected: &[&str] = if rule.name.starts_with("microblaze") { &[] } else { &[&rule.name] };
        assert_eq!(handled, expected);
    }
}

#[test]
fn each_difference_from_debians_rules_is_known() {
    let Some(debians) = debians("each_difference_from_debians_rules_is_known") else { return };
    type Asked = BTreeMap<(String, usize), String>;
    let says = |debian, ours| format!("Debian's {debian:02x?}, ours {ours:02x?}");
    let ours = rules();
    let mut found = Asked::new();
    for theirs in &debians {
        let ours = ours.iter().find(|rule| rule.name == theirs.name).unwrap();
        for at in 0..theirs.mask.len().max(ours.mask.len()) {
            if theirs.asks(at) != ours.asks(at) {
                found.insert((theirs.name.clone(), at), says(theirs.asks(at), ours.asks(at)));
            }
        }
    }
    let mut known = Asked::new();
    for Difference { of, but, bytes, debian, ours, why } in DIFFERENCES {
        assert!(!why.is_empty() && bytes.len() == debian.len() && bytes.len() == ours.len());
        for rule in &debians {
            let name = rule.name.as_str();
            if (of.contains(&"*") || of.contains(&name)) && !but.contains(&name) {
                for (place, at) in bytes.clone().enumerate() {
                    assert!(known.insert((name.into(), at), says(debian[place], ours[place])).is_none(), "{name} {at}");
                }
            }
        }
        assert!(of.iter().chain(*but).all(|name| *name == "*" || debians.iter().any(|rule| rule.name == *name)));
    }
    let only = |one: &Asked, other: &Asked| -> Vec<String> {
        let only = one.iter().filter(|(key, value)| other.get(key) != Some(value));
        only.map(|((name, at), says)| format!("{name}, byte {at}: {says}")).collect()
    };
    let (new, gone) = (only(&found, &known), only(&known, &found));
    assert!(new.is_empty() && gone.is_empty(), "new: {new:#?}\nlisted, but not there: {gone:#?}");
}

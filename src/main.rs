//! The command line of `binfmt_register`.
#![no_std]
#![no_main]
#![deny(unsafe_op_in_unsafe_fn)]

mod start;

use binfmt_register::arch::level;
use binfmt_register::config::{ALLOWED, Asked, Config, VARIABLES, Values};
use binfmt_register::fd::{STDERR, STDOUT};
use binfmt_register::namespace::in_first_user_namespace;
use binfmt_register::register::{Host, register};
use binfmt_register::report::{Output, Report, Say};
use binfmt_register::status::status;
use binfmt_register::target::TARGETS;
use binfmt_register::text::{c_str, line, position, until_nul, word};
use binfmt_register::uninstall::uninstall;
use start::Strings;

/// What the process was started with.
pub struct Arguments {
    argv: Strings,
    environment: Strings,
}

/// Wrong usage.
const USAGE: i32 = 2;

const HELP: &[u8] = b"\
usage: binfmt_register [OPTION...]
Registers QEMU's user-mode interpreters with the kernel's binfmt_misc.

  (no option)       register what the variables say
  --install LIST    register these architectures, or all
  --uninstall LIST  remove entries: architectures, names, 'qemu-*'
  --status          what this machine executes now, as JSON
  --print           the rules, for binfmt.d; changes nothing
  --mount DIR       instead of /proc/sys/fs/binfmt_misc
  --version, --help

variables, with their values besides blank:
";

/// The options, in the order of [`Options`]: those with a value first.
const NAMES: &[u8] = b"install uninstall mount status print version help";

/// The value of each option, with the NUL byte that ends it; blank if it was not given.
type Options = [&'static [u8]; 7];

/// Reads the arguments; an error is a line and its value.
#[inline(never)]
fn options(mut arguments: Strings) -> Result<Options, (Say, &'static [u8])> {
    let own = until_nul(arguments.next().unwrap_or_default());
    let mut options: Options = [b""; 7];
    let mut none = true;
    while let Some(argument) = arguments.next() {
        none = false;
        // `--name value` or `--name=value`, with one dash or two
        let (name, value) = assignment(argument);
        let name = match name {
            [b'-', b'-', name @ ..] | [b'-', name @ ..] => name,
            _ => b"",
        };
        let place = position(NAMES, name).unwrap_or(usize::MAX);
        let Some(option) = options.get_mut(place) else {
            return Err((Say::NoSuchOption, until_nul(argument)));
        };
        *option = match value {
            None if place < 3 => arguments.next().unwrap_or_default(),
            None => b"given",
            Some(value) if place < 3 => value,
            Some(_) => return Err((Say::NoSuchOption, until_nul(argument))),
        };
        if until_nul(option).is_empty() {
            return Err((Say::NoValue, name));
        }
    }
    // Under the name `binfmt` it stands in for `tonistiigi/binfmt`, which prints the status.
    if none && (own == b"binfmt" || own.ends_with(b"/binfmt")) {
        let [_, _, _, status, ..] = &mut options;
        *status = b"given";
    }
    Ok(options)
}

/// The name and value of `NAME=value`; no value where there is no equals sign.
#[inline(never)]
fn assignment(text: &'static [u8]) -> (&'static [u8], Option<&'static [u8]>) {
    let end = text.iter().position(|&byte| byte == b'=');
    let (name, value) = text.split_at_checked(end.unwrap_or(text.len())).unwrap_or_default();
    (until_nul(name), value.get(1..))
}

/// Does what was asked; returns the exit status.
fn main(arguments: Arguments) -> i32 {
    let mut out = Output::new(STDOUT);
    let mut report = Report { out: Output::new(STDERR), failed: false };
    let status = run(arguments, &mut out, &mut report);
    out.flush();
    if out.failed {
        report.say(Say::NoOutput, &[]);
    }
    report.out.flush();
    if status == 0 { report.failed.into() } else { status }
}

#[inline(never)] // or its variables would share a frame with the buffers, and take longer addresses
fn run(arguments: Arguments, out: &mut Output, report: &mut Report) -> i32 {
    let [install, removal, mount, want_status, want_rules, version, help] = match options(arguments.argv) {
        Ok(options) => options,
        Err((line, value)) => {
            report.say(line, &[value]);
            return USAGE;
        }
    };
    if !help.is_empty() {
        out.put(HELP);
        for place in 0..8 {
            out.line(b"  %0: %1", &[word(VARIABLES, place), line(ALLOWED, place)]);
        }
        out.put(b"\narchitectures:");
        for target in &TARGETS {
            out.put(b" ");
            out.put(target.name());
        }
        out.put(b"\n");
        return 0;
    }
    if !version.is_empty() {
        out.put(concat!("binfmt_register ", env!("CARGO_PKG_VERSION"), "\n").as_bytes());
        return 0;
    }
    let mut values: Values = [b""; 8];
    for variable in arguments.environment {
        let (name, value) = assignment(variable);
        // Of two of one name the first counts, as with getenv(3).
        let slot = position(VARIABLES, name).and_then(|place| values.get_mut(place));
        if let (Some(slot @ &mut []), Some(value)) = (slot, value) {
            *slot = until_nul(value);
        }
    }
    let mut config = match Config::read(&values) {
        Ok(config) => config,
        Err(wrong) => {
            report.say(Say::Invalid, &[wrong.name(), wrong.value, wrong.allowed()]);
            return USAGE;
        }
    };
    let uname = rustix::system::uname();
    let host = &Host {
        release: uname.release().to_bytes(),
        dir: c_str(mount).unwrap_or(c"/proc/sys/fs/binfmt_misc"),
        first: in_first_user_namespace(),
    };
    if !removal.is_empty() {
        uninstall(until_nul(removal), host, report);
    }
    if !install.is_empty() {
        config.asked = Asked::parse(until_nul(install), &mut |name| report.say(Say::NoSuchArchitecture, &[name]));
    }
    if !want_rules.is_empty() {
        register(&config, host, Some(out), report);
    } else if !install.is_empty() || removal.is_empty() && want_status.is_empty() {
        register(&config, host, None, report);
    }
    if !want_status.is_empty() {
        status(host, level(), out, report);
    }
    0
}

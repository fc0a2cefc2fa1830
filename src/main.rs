//! The command line of `binfmt_register`.
#![no_std]
#![no_main]
#![deny(unsafe_op_in_unsafe_fn)]

mod start;

use binfmt_register::arch::level;
use binfmt_register::command::execute;
use binfmt_register::config::{Asked, Config};
use binfmt_register::errno::Errno;
use binfmt_register::fd::{STDERR, STDOUT};
use binfmt_register::hold::hold;
use binfmt_register::host::Host;
use binfmt_register::init::{console, is_machines_init};
use binfmt_register::kernel::{Names, Version, release};
use binfmt_register::message::{HELP_TEXTS, Reason, Say, VARIABLE_TEXTS, VARIABLES};
use binfmt_register::namespace::in_first_user_namespace;
use binfmt_register::output::{Output, Values};
use binfmt_register::register::register;
use binfmt_register::report::Report;
use binfmt_register::status::status;
use binfmt_register::target::TARGETS;
use binfmt_register::text::{BLANK, List, Strings, Text};
use binfmt_register::uninstall::uninstall;
use core::ffi::CStr;

/// What the process was started with.
pub struct Arguments {
    argv: Strings<'static>,
    environment: Strings<'static>,
}

/// Wrong usage.
const USAGE: i32 = 2;

const OWN_VERSION: Text =
    match CStr::from_bytes_with_nul(concat!("binfmt_register ", env!("CARGO_PKG_VERSION"), "\n\0").as_bytes()) {
        Ok(version) => Text::new(version),
        Err(_) => panic!("a NUL byte in the version"),
    };

/// The options, in the order of [`Options`]: those with a value first.
const NAMES: List = List::new(b"install\0uninstall\0mount\0status\0print\0version\0help\0hold\0\0");

/// Their places.
const INSTALL: usize = 0;
const UNINSTALL: usize = 1;
const MOUNT: usize = 2;
const STATUS: usize = 3;
const PRINT: usize = 4;
const VERSION: usize = 5;
const HELP: usize = 6;
const HOLD: usize = 7;

/// What stands before the command.
const COMMAND: Text = Text::new(c"--");

/// The value of each option; blank if it was not given.
type Options = [Text<'static>; 8];

/// Reads the arguments, up to the command that may follow; an error is a line and what it is about.
fn options(arguments: &mut Strings<'static>, options: &mut Options) -> Result<(), (Say, Text<'static>)> {
    let own = arguments.next().unwrap_or(BLANK);
    while let Some(argument) = arguments.next() {
        if argument.is(COMMAND) {
            if !options[HOLD].is_blank() {
                return Err((Say::NoSuchOption, Text::new(c"--hold --")));
            }
            break;
        }
        // `--name value` or `--name=value`, with one dash or two
        let dash = Text::new(c"-");
        let name = argument.after(dash).and_then(|name| name.after(dash).or(Some(name)));
        let mut known = false;
        for (place, slot) in options.iter_mut().enumerate() {
            let Some(rest) = name.and_then(|name| name.after(NAMES.at(place))) else { continue };
            let value = match rest.first() {
                0 if place < 3 => arguments.next().unwrap_or(BLANK),
                0 => argument,
                b'=' if place < 3 => rest.behind(),
                _ => continue,
            };
            if value.is_blank() {
                return Err((Say::NoValue, argument));
            }
            *slot = value;
            known = true;
        }
        if !known {
            return Err((Say::NoSuchOption, argument));
        }
    }
    // Under the name `binfmt` it stands in for `tonistiigi/binfmt`, which prints the status, whatever else it does.
    let (mut base, mut rest) = (own, own);
    while let Some(byte) = rest.next() {
        if byte == b'/' {
            base = rest;
        }
    }
    if base.is(Text::new(c"binfmt")) && options[PRINT].is_blank() && options[HOLD].is_blank() {
        options[STATUS] = own;
    }
    Ok(())
}

/// Does what was asked; returns the exit status.
fn main(arguments: Arguments) -> i32 {
    let mut names = Names::uninit();
    let release = release(&mut names);
    let version = Version::parse(release);
    let init = is_machines_init(version);
    let mut argv = arguments.argv;
    // What the kernel's command line gives its init is for the next one. It can hold no `--`: that ends it.
    if !init || argv.any(|argument| argument.is(COMMAND)) {
        argv = arguments.argv;
    }
    let mut out = Output::new(STDOUT);
    let mut word = Output::text_only();
    let mut report = Report::new(release, if init { console() } else { STDERR });
    let status = run(&mut argv, arguments.environment, version, &mut out, &mut report, &mut word);
    out.flush();
    if out.failed {
        report.say(Say::NoOutput, BLANK, Reason::NONE);
    }
    report.out.flush();
    let status = status.max(report.failed.into());
    if status != 0 && !init {
        return status;
    }
    become_another(init, arguments, argv, &mut report)
}

/// Executes the command that may follow, or, as the machine's `init`, the next one; else returns the exit status.
fn become_another(init: bool, arguments: Arguments, mut argv: Strings, report: &mut Report) -> i32 {
    let variable = |name| arguments.environment.variable(Text::new(name));
    let mut path = variable(c"PATH");
    if path.is_blank() {
        path = Text::new(c"/bin:/usr/bin");
    }
    let mut list = argv.as_ptr();
    let environment = arguments.environment.as_ptr();
    let command = argv.next();
    let mut status = 0;
    if let Some(name) = command {
        // SAFETY: the lists the process was started with. Before the command stands what it is told by, `--`.
        let error = unsafe { execute(list, environment, path) };
        report.say(Say::NotExecuted, name, error.into());
        report.out.flush();
        status = if error == Errno::NOENT { 127 } else { 126 };
    }
    if init {
        if command.is_none() {
            list = arguments.argv.as_ptr();
        }
        // SAFETY: the same, or all arguments; before those stands their number.
        unsafe { binfmt_register::init::next(variable(c"INIT"), list, environment, path, report) }
    }
    status
}

#[inline(never)] // or its variables would share a frame with the buffers, and take longer addresses
fn run(
    argv: &mut Strings<'static>,
    environment: Strings<'static>,
    version: Version,
    out: &mut Output,
    report: &mut Report,
    word: &mut Output,
) -> i32 {
    let mut given = [BLANK; 8];
    if let Err((line, subject)) = options(argv, &mut given) {
        report.say(line, subject, Reason::NONE);
        return USAGE;
    }
    let has = |option: usize| given.get(option).is_some_and(|value| !value.is_blank());
    if has(HELP) {
        print_help(out);
        return 0;
    }
    if has(VERSION) {
        out.put(OWN_VERSION);
        return 0;
    }
    let mut config = Config::BLANK;
    if let Err(place) = config.read(environment, word) {
        let mut values: Values = report.values;
        [values[0], values[1], values[4]] = [VARIABLES.at(place), word.text(), VARIABLE_TEXTS.at(place)];
        report.line(Say::Invalid, &values);
        return USAGE;
    }
    let host = &Host {
        version,
        dir: if has(MOUNT) { given[MOUNT] } else { Text::new(c"/proc/sys/fs/binfmt_misc") },
        first: in_first_user_namespace(),
        stays: has(HOLD) || { *argv }.next().is_some(),
    };
    let [.., dir, _, directory, prefix] = &mut report.values;
    (*dir, *directory, *prefix) = (host.dir, config.directory, config.prefix);
    if has(UNINSTALL) {
        uninstall(given[UNINSTALL], host, report);
    }
    let mut list = given[INSTALL];
    if has(INSTALL) {
        config.asked = Asked::BLANK;
    }
    while !config.asked.read(&mut list, word) {
        report.say(Say::NoSuchArchitecture, word.text(), Reason::NONE);
    }
    let rules = if has(PRINT) { Some(&mut *out) } else { None };
    if !has(PRINT) && has(HOLD) {
        hold(&mut config, host, report);
    } else if has(PRINT) || has(INSTALL) || !has(UNINSTALL) && !has(STATUS) {
        register(&config, host, rules, report);
    }
    if has(STATUS) {
        status(host, level(), out, report);
    }
    0
}

fn print_help(out: &mut Output) {
    for text in HELP_TEXTS {
        out.unpack(text);
        out.byte(b'\n');
    }
    for place in 0..8 {
        out.put(Text::new(c"  "));
        out.put(VARIABLES.at(place));
        out.put(Text::new(c": "));
        out.unpack(VARIABLE_TEXTS.at(place));
        out.byte(b'\n');
    }
    out.put(Text::new(c"\narchitectures:"));
    for target in &TARGETS {
        out.byte(b' ');
        out.put(target.name());
    }
    out.byte(b'\n');
}

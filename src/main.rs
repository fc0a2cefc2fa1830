//! The tool: what it does in which order, and its exit status.
#![no_std]
#![no_main]
#![deny(unsafe_code, unsafe_op_in_unsafe_fn)]
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(unsafe_code)]
#[path = "sys/start.rs"]
mod start;

use binfmt_register::binfmt::MOUNT_POINT;
use binfmt_register::boot::{console, execute, execute_next_init, is_machines_init};
use binfmt_register::cli::Options;
use binfmt_register::config::{Config, Selection, words};
use binfmt_register::help::{print_help, print_version};
use binfmt_register::jobs::{
    Context, Printed, explain, hold, print, print_full_status, print_status, register, uninstall,
};
use binfmt_register::machine::{Release, UserNamespace};
use binfmt_register::report::{NotExecuted, Notice, Report, Sink, Writer};
use binfmt_register::sys::{InheritedSignals, Strings};
use rustix::io::Errno;

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exit {
    Success = 0,
    Failure = 1,
    Usage = 2,
}

/// Does what was asked for. Returns the exit status.
fn main(arguments: Strings, environment: Strings) -> i32 {
    let signals = InheritedSignals::replace();
    let release = Release::running();
    let is_init = is_machines_init(release.version());
    let mut report = Report::new(if is_init { console() } else { Sink::Stderr });
    // What the kernel's command line gives its init is for the next one. A `--` cannot be among it, since it ends what is
    // for the kernel.
    let options = if is_init && !arguments.iter().any(|argument| argument == c"--") {
        Ok(Options::default())
    } else {
        Options::read(arguments)
    };
    let (exit, command) = match options {
        Ok(options) => (run(&options, environment, release, &mut report), options.command),
        Err(misuse) => {
            report.say(&misuse);
            (Exit::Usage, None)
        }
    };
    report.flush();
    let mut status = exit as i32;
    if !is_init && (command.is_none() || exit != Exit::Success) {
        return status;
    }
    // Another program takes the place of this one. It is to handle signals as this one was to.
    signals.restore();
    if let Some(command) = command {
        let name = command.split_first().map_or(c"", |(name, _)| name);
        let error = execute(name, &[], command, environment);
        report.say(&NotExecuted(name, error));
        report.flush();
        status = if error == Errno::NOENT { 127 } else { 126 };
    }
    if is_init {
        let own_name = arguments.split_first().map_or(c"", |(name, _)| name);
        execute_next_init(own_name, command.unwrap_or(arguments), environment, &mut report);
    }
    status
}

/// Does the jobs, and sees to it that what they print is written.
fn run(options: &Options, environment: Strings, release: Release, report: &mut Report) -> Exit {
    let mut out = Writer::new(Sink::Stdout);
    let usage = do_jobs(options, environment, release, &mut out, report).is_err();
    out.flush();
    if out.failed {
        report.say(&Notice::NoOutput);
    }
    match (usage, report.failed) {
        (true, _) => Exit::Usage,
        (false, true) => Exit::Failure,
        (false, false) => Exit::Success,
    }
}

/// Wrong usage, which was said.
struct WrongUsage;

fn do_jobs(
    options: &Options,
    environment: Strings,
    release: Release,
    out: &mut Writer,
    report: &mut Report,
) -> Result<(), WrongUsage> {
    if options.help {
        print_help(out);
        return Ok(());
    }
    if options.version {
        print_version(options.stands_in, out);
        return Ok(());
    }
    let mut config = Config::read(|name| environment.variable(name)).map_err(|invalid| {
        report.say(&invalid);
        WrongUsage
    })?;
    config.rules = options.rules.or(config.rules);
    let context = Context {
        release,
        mount_point: options.mount.unwrap_or(MOUNT_POINT),
        user_namespace: UserNamespace::of_this_process(),
        stays: options.hold || options.command.is_some(),
    };
    if let Some(list) = options.uninstall {
        uninstall(list.to_bytes(), options.stands_in, &context, report);
    }
    if let Some(list) = options.install {
        config.selection = Selection::Available;
        for word in words(list.to_bytes()) {
            if let Err(name) = config.selection.add(word) {
                report.say(&Notice::UnknownArchitecture(name));
            }
        }
    }
    if options.print {
        print(Printed::Rules, &config, &context, out, report);
    } else if options.interpreters {
        print(Printed::Interpreters, &config, &context, out, report);
    } else if options.hold {
        hold(&mut config, &context, report);
    } else if options.install.is_some()
        || options.rules.is_some()
        || options.uninstall.is_none() && !options.status && !options.full_status && !options.explain
    {
        register(&config, &context, report);
    }
    if let Some(files) = options.files {
        explain(files, options.root, &context, out, report);
    }
    if options.full_status {
        print_full_status(config.verify, &context, out, report);
    } else if options.status {
        print_status(&context, out, report);
    }
    Ok(())
}

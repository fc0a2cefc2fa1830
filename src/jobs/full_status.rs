//! Prints all that is known of the entries, and of where they are, as JSON: `docs/status.schema.json` describes it.

use super::Context;
use super::observe::each_entry;
use super::status::runs;
use crate::architecture::{Architecture, HOST, Relation};
use crate::binfmt::{BinfmtMisc, Entries, Entry, is_pin, owner};
use crate::machine::{PathBuffer, QemuVersion, UserNamespace, join, level_of_cpu, open, qemu_version};
use crate::report::{Notice, Report, Writer};
use crate::sys::x86_64_level;
use core::ffi::CStr;
use rustix::fs::{CWD, OFlags};
use rustix::io::Errno;

/// Prints the JSON. Programs are executed only to `verify` what runs.
#[inline(never)] // as of `explain`
pub fn print_full_status(verify: bool, context: &Context, out: &mut Writer, report: &mut Report) {
    let mounted = context.read(Entries::mounted_at(context.mount_point), report);
    let is_mounted = mounted.as_ref().map(Option::is_some);
    let entries = match mounted {
        Some(None) => context.read(BinfmtMisc::look(context.mount_point, context.user_namespace), report).flatten(),
        mounted => mounted.flatten(),
    };
    let enabled = entries.as_ref().and_then(|entries| context.read(entries.are_enabled(), report));
    out.write(concat!("{\n  \"version\": \"", env!("CARGO_PKG_VERSION"), "\",\n  \"kernel\": ").as_bytes());
    out.write_string(&[context.release.as_bytes()]);
    out.write(b",\n  \"host\": {\"architecture\": ");
    out.write_string(&[HOST.name()]);
    write_platform(HOST, out);
    write_level(x86_64_level(), out);
    out.write(b"},\n  \"user_namespace\": ");
    out.write(match context.user_namespace {
        UserNamespace::First => b"\"first\"",
        UserNamespace::Other => b"\"other\"",
        UserNamespace::Unknown(errno) => {
            report.say(&Notice::UnknownUserNamespace(errno));
            report.failed = true;
            b"null"
        }
    });
    out.write(b",\n  \"mount\": {\"path\": ");
    out.write_string(&[context.mount_point.to_bytes()]);
    out.write(b", \"mounted\": ");
    out.write_bool(is_mounted);
    out.write(b", \"enabled\": ");
    out.write_bool(enabled);
    out.write(b"},\n  \"entries\": [");
    let (mut is_first, mut pinned) = (true, false);
    let complete = entries.as_ref().is_some_and(|entries| {
        each_entry(entries, context, report, &mut |name, entry, report| {
            pinned |= is_pin(name, entry);
            out.write(if is_first { b"\n    {\"name\": " } else { b",\n    {\"name\": " });
            is_first = false;
            write_entry(name, entry, verify && enabled == Some(true), out, report);
        })
    });
    out.write(if is_first { b"],\n  \"pin\": " } else { b"\n  ],\n  \"pin\": " });
    out.write_bool((complete || pinned).then_some(pinned));
    out.write(b"\n}\n");
}

fn write_entry(name: &CStr, entry: &Entry, verify: bool, out: &mut Writer, report: &mut Report) {
    let architecture = entry.architecture();
    out.write_string(&[name.to_bytes()]);
    out.write(b", \"enabled\": ");
    out.write_bool(Some(entry.enabled));
    out.write(b", \"interpreter\": ");
    out.write_string(&[entry.interpreter]);
    out.write(b", \"flags\": \"");
    entry.flags.letters().for_each(|letter| out.write(&[letter as u8]));
    out.write(b"\", \"ours\": ");
    out.write_bool(Some(owner(name.to_bytes(), entry).is_some() || is_pin(name, entry)));
    out.write(b", \"architecture\": ");
    out.write_string_or_null(architecture.map(|architecture| [architecture.name()]).as_ref().map(|name| &name[..]));
    match architecture {
        Some(architecture) => write_platform(architecture, out),
        None => out.write(b", \"platform\": null"),
    }
    let version = architecture.and_then(|architecture| version(entry.interpreter, architecture, report));
    out.write(b", \"qemu_version\": ");
    out.write_string_or_null(version.as_ref().map(|version| [&version[..]]).as_ref().map(|version| &version[..]));
    // Whether a program runs tells nothing of an entry that is passed over.
    let verified = architecture.filter(|_| verify && entry.enabled);
    let runs = verified.map(|architecture| runs(architecture, report));
    out.write(b", \"runs\": ");
    out.write_bool(runs.flatten());
    let level = verified.filter(|architecture| {
        architecture.relation != Relation::Host && architecture.is_called(b"amd64") && runs == Some(Some(true))
    });
    let level = level.and_then(|x86_64| {
        level_of_cpu(None, x86_64).map_err(|error| report.say(&Notice::NotProbed(x86_64.name(), error))).ok()
    });
    write_level(level.unwrap_or(0), out);
    out.write(b"}");
}

fn write_platform(architecture: &Architecture, out: &mut Writer) {
    out.write(b", \"platform\": ");
    out.write_string_or_null(
        architecture.platform().map(|name| [&b"linux/"[..], name]).as_ref().map(|parts| &parts[..]),
    );
}

/// Writes a level of x86-64; 0: there is none, or it is not known.
fn write_level(level: u8, out: &mut Writer) {
    out.write(b", \"x86_64_level\": ");
    match level {
        0 => out.write(b"null"),
        level => out.write(&[b'0' + level]),
    }
}

/// The version of QEMU that is at the path of the interpreter, if it is there, and says it.
fn version(interpreter: &[u8], architecture: &Architecture, report: &mut Report) -> Option<QemuVersion> {
    let mut buffer = PathBuffer::new();
    let path = join(&mut buffer, &[interpreter]).ok()?;
    let version = match open(CWD, path, OFlags::RDONLY | OFlags::NONBLOCK) {
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        file => file.and_then(|file| qemu_version(file, architecture)),
    };
    version.map_err(|errno| report.say(&Notice::NotRead(path, errno))).ok().flatten()
}

//! What the kernel finds in one of the files: an entry that takes it, a script, or a program that it runs by itself.

use super::{Explainer, Role};
use crate::architecture::{Architecture, ElfHeader, ProgramHeader, Relation, script_interpreter};
use crate::binfmt::Flags;
use crate::jobs::observe::each_entry;
use crate::machine::{Defect, Native, Obstacle, PathBuffer, Program, Root, has_categories, is_native, join};
use crate::report::{Finding, Reason};
use core::mem::{MaybeUninit, swap};
use rustix::fs::OFlags;
use rustix::io::Errno;

/// The most bytes of properties that are looked at. There are some sixty.
const PROPERTIES: usize = 1024;

impl Explainer<'_> {
    /// Looks at the file at the path. Returns whether it is the last: one that the kernel runs by itself, or has open.
    /// Otherwise the next one is at the path then.
    pub(super) fn look(&mut self) -> Result<bool, Finding> {
        let is_open = self.role == Role::OpenInterpreter;
        let opened = self.open(is_open)?;
        let Some(program) = opened else {
            self.say(Finding::OpenedBefore);
            return Ok(true);
        };
        // Of one that the kernel has open, it has seen another label, if it was registered so.
        if self.role == Role::Interpreter && has_categories(program.file()) {
            self.say(Finding::Labelled);
        }
        let not_loaded = self.describe(&program)?;
        if self.role == Role::File {
            self.say_where_entries_are();
        }
        let entry = self.find_entry(&program.start);
        if let (Some(true), Some((_, true))) = (entry, self.entries) {
            self.is_taken = true;
            // An emulator reads the dynamic linker, and need not execute it.
            if let Some(reason) = not_loaded.filter(|reason| *reason != Reason::LinkerNotExecutable) {
                return Err(Finding::RunsNot(reason));
            }
            self.role =
                if self.names.flags.contains(Flags::FIX_BINARY) { Role::OpenInterpreter } else { Role::Interpreter };
            self.say(Finding::Taken);
            swap(&mut self.names.path, &mut self.names.other);
            return Ok(false);
        }
        let Some(header) = self.names.header else {
            if script_interpreter(&program.start).is_none() {
                return Err(Finding::RunsNot(self.why_nothing_takes_it(entry, None)));
            }
            self.role = Role::ScriptInterpreter;
            swap(&mut self.names.path, &mut self.names.other);
            return Ok(false);
        };
        let architecture = header.architecture();
        if !self.runs_by_itself(architecture)? {
            return Err(Finding::RunsNot(self.why_nothing_takes_it(entry, architecture)));
        }
        not_loaded.map_or(Ok(true), |reason| Err(Finding::RunsNot(reason)))
    }

    /// Opens the file. `None`: it cannot be looked at, which does no harm, because the kernel has it open.
    fn open(&mut self, is_open: bool) -> Result<Option<Program>, Finding> {
        let mut buffer = PathBuffer::new();
        let path = join(&mut buffer, &[&self.names.path]);
        let path = self.told(path)?;
        let opened = Program::open(if is_open { &Root::OWN } else { self.root }, path);
        let reason = match opened {
            Ok(program) => return Ok(Some(program)),
            Err(Obstacle::Unopened(Errno::ACCESS)) if is_open => return Ok(None),
            Err(Obstacle::Unopened(errno) | Obstacle::Unreadable(errno)) => return Err(self.untold_errno(errno)),
            Err(_) if is_open => return Ok(None),
            Err(Obstacle::Missing) => match self.role {
                Role::File => Reason::NoFile,
                Role::ScriptInterpreter => Reason::NoScriptInterpreter,
                _ => Reason::NoInterpreter,
            },
            Err(Obstacle::Directory) => Reason::Directory,
            Err(Obstacle::NoExec) => Reason::NoExec,
            Err(Obstacle::NotExecutable) => Reason::NotExecutable,
            Err(Obstacle::NotRegular) => Reason::NotRegular,
        };
        Err(Finding::RunsNot(reason))
    }

    /// Says what the file is. Returns why it could not be loaded by what takes it, as far as that is known.
    fn describe(&mut self, program: &Program) -> Result<Option<Reason>, Finding> {
        self.names.header = ElfHeader::parse(&program.start);
        let Some(header) = self.names.header else {
            let interpreter = script_interpreter(&program.start);
            set(&mut self.names.other, interpreter.unwrap_or_default());
            self.say(match interpreter {
                Some(_) => Finding::Script,
                None if program.start.is_empty() => Finding::Empty,
                None => Finding::OtherFormat,
            });
            return Ok(None);
        };
        if !self.any_elf {
            (self.any_elf, self.names.target) = (true, header.architecture());
        }
        self.say(Finding::Elf);
        let segments = match self.told(program.segments(&header))? {
            Ok(segments) => segments,
            Err(defect) => return Ok(Some(Reason::Defective(defect))),
        };
        if let Some(properties) = segments.properties.filter(|_| header.machine == EM_X86_64) {
            let mut buffer = [MaybeUninit::uninit(); PROPERTIES];
            let notes = program.segment(properties, &mut buffer);
            let level = header.needed_level(self.told(notes)?);
            if level > 1 {
                self.names.level = level;
                self.needed_level = self.needed_level.max(level);
                self.say(Finding::NeedsLevel);
            }
        }
        match segments.linker {
            None => {
                self.say(Finding::Static);
                Ok(None)
            }
            Some(linker) => self.look_for_linker(program, linker),
        }
    }

    /// Whether the dynamic linker that the program names is there.
    fn look_for_linker(&mut self, program: &Program, place: ProgramHeader) -> Result<Option<Reason>, Finding> {
        let mut buffer = [MaybeUninit::uninit(); super::LONGEST_PATH];
        let name = program.segment(place, &mut buffer);
        let name = self.told(name)?;
        let (Some((0, _)), Some(name)) = (name.split_last(), name.split(|&byte| byte == 0).next()) else {
            return Ok(Some(Reason::Defective(Defect::Malformed)));
        };
        set(&mut self.names.other, name);
        let mut buffer = PathBuffer::new();
        let path = join(&mut buffer, &[name]);
        let path = self.told(path)?;
        match Program::open(self.root, path) {
            Ok(_) => {
                self.say(Finding::LinkerFound);
                Ok(None)
            }
            Err(Obstacle::Unopened(errno) | Obstacle::Unreadable(errno)) => Err(self.untold_errno(errno)),
            Err(Obstacle::NotExecutable | Obstacle::NoExec) => Ok(Some(Reason::LinkerNotExecutable)),
            Err(_) => {
                self.say(Finding::LinkerMissing);
                Ok(Some(if matches!(self.role, Role::Interpreter | Role::OpenInterpreter) {
                    Reason::NoInterpretersLinker
                } else if self.is_below_its_root(name) {
                    Reason::LinkerElsewhere
                } else {
                    Reason::NoLinker
                }))
            }
        }
    }

    /// Whether the dynamic linker is in a directory above the file, which then is the root directory that it belongs to.
    fn is_below_its_root(&mut self, linker: &[u8]) -> bool {
        let file = self.names.file;
        let mut ends = file.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        self.names.elsewhere = b"";
        if self.names.root.is_empty() && self.role == Role::File {
            let is_there = |directory: &&[u8]| {
                let (mut buffer, mut other) = (PathBuffer::new(), PathBuffer::new());
                let root = join(&mut buffer, &[directory]).and_then(|directory| Root::at(Some(directory)));
                let path = join(&mut other, &[linker]);
                root.and_then(|root| root.open(path?, OFlags::PATH)).is_ok()
            };
            let above = ends.by_ref().filter_map(|end| file.get(..end)).filter(|directory| !directory.is_empty());
            self.names.elsewhere = above.into_iter().find(is_there).unwrap_or_default();
        }
        !self.names.elsewhere.is_empty()
    }

    /// Looks for the entry that takes a file that starts so. The kernel shows the newest first, and asks them in that order.
    /// Returns whether it is enabled; `None`: there is none.
    fn find_entry(&mut self, start: &[u8]) -> Option<bool> {
        let (entries, all_enabled) = self.entries?;
        // What was found for the file before stays known if there is none.
        let (names, mut found) = (&mut self.names, None);
        let complete = each_entry(entries, self.context, self.report, &mut |name, entry, _| {
            if (found.is_none() || entry.enabled && found == Some(false)) && entry.takes(&names.path, start) {
                // There is room for the longest name of a file, and for the longest rule.
                names.entry = name.to_bytes().try_into().unwrap_or_default();
                if all_enabled && entry.enabled {
                    set(&mut names.other, entry.interpreter);
                }
                names.flags = entry.flags;
                found = Some(entry.enabled);
            }
        });
        if !complete {
            self.entries = None;
        }
        found
    }

    /// Whether the machine runs the architecture without an entry that is seen.
    fn runs_by_itself(&mut self, architecture: Option<&'static Architecture>) -> Result<bool, Finding> {
        let Some(architecture) = architecture else { return Ok(false) };
        match (architecture.relation, self.entries) {
            (Relation::Host, _) => Ok(true),
            (_, None) => self.runs(architecture),
            (Relation::Foreign, _) => Ok(false),
            (Relation::Related, _) => match is_native(architecture) {
                Native::No => Ok(false),
                Native::Unknown(error) => Err(self.untold(error)),
                Native::Yes => {
                    self.say(Finding::Native);
                    Ok(true)
                }
            },
        }
    }

    /// Why there is nothing that takes the file: neither the `entry` that would, if it and all were enabled, nor the kernel
    /// itself.
    fn why_nothing_takes_it(&self, entry: Option<bool>, architecture: Option<&Architecture>) -> Reason {
        match (entry, architecture) {
            (Some(false), _) => Reason::Disabled,
            (Some(true), _) => Reason::AllDisabled,
            (None, Some(_)) => Reason::NoHandler,
            (None, None) => Reason::NoFormat,
        }
    }
}

fn set(buffer: &mut PathBuffer, path: &[u8]) {
    buffer.clear();
    _ = buffer.extend_from_slice(path); // there is room: it is not longer than the kernel takes
}

/// `e_machine` of x86-64, in files of both classes.
const EM_X86_64: u16 = 62;

//! The jobs of the tool, each with what is there before it and what is to be there afterwards.

/// This tool's entries for the architectures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    None,
    /// With the interpreters in `old/`.
    Old,
    /// With those in `new/`.
    New,
}

/// How a run comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Exit,
    /// It executes a command.
    Command,
    /// It gets a signal.
    Signal,
}

/// Where binfmt_misc is before the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount {
    /// Mounted, with entries of others in it.
    There,
    /// Nowhere, and so without an entry.
    Nowhere,
    /// The same in the first user namespace, where the pin is to keep the entries: only in a machine of its own.
    InMachine,
}

#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub name: &'static str,
    pub variables: &'static [(&'static str, &'static str)],
    pub arguments: &'static [&'static str],
    pub mount: Mount,
    pub before: Own,
    /// Whether stand-ins of replacements that were cut short are all that handles the architectures.
    pub stand_ins: bool,
    pub after: Own,
    pub end: End,
}

/// With i386 and s390x, which nothing is registered for: the one the kernel is asked about, the other has a handler.
const ALL: (&str, &str) = ("ARCHES", "arm64,riscv64,386,s390x");
const OWN: (&str, &str) = ("ARCHES", "arm64,riscv64");
const REPLACE: (&str, &str) = ("REPLACE", "true");
const VERIFY: (&str, &str) = ("VERIFY", "true");
/// Two rules: one is looked for when it is needed, the other one is opened, and replaces one of the same name.
const RULES: (&str, &str) = ("RULES", "rules");

/// The one that says on standard output what fails: whether a file runs.
pub const EXPLAIN: &str = "explain";

const REGISTER: Job = Job {
    name: "register",
    variables: &[ALL],
    arguments: &[],
    mount: Mount::There,
    before: Own::None,
    stand_ins: false,
    after: Own::New,
    end: End::Exit,
};

/// Those that take longest come first.
pub const JOBS: [Job; 20] = [
    Job {
        name: "hold the pin",
        variables: &[OWN],
        arguments: &["--hold"],
        mount: Mount::InMachine,
        after: Own::None,
        end: End::Signal,
        ..REGISTER
    },
    Job { name: "pin", variables: &[OWN], mount: Mount::InMachine, ..REGISTER },
    Job {
        name: "uninstall the pin",
        arguments: &["--uninstall", "*"],
        mount: Mount::InMachine,
        before: Own::New,
        after: Own::None,
        ..REGISTER
    },
    Job { name: "status", arguments: &["--status"], before: Own::New, variables: &[], ..REGISTER },
    Job { name: "full status", arguments: &["--status=full"], before: Own::New, variables: &[VERIFY], ..REGISTER },
    Job {
        name: EXPLAIN,
        arguments: &["--explain", "program-aarch64", "script", "true"],
        before: Own::New,
        variables: &[],
        ..REGISTER
    },
    REGISTER,
    Job { name: "register, not mounted", mount: Mount::Nowhere, variables: &[OWN], ..REGISTER },
    Job { name: "replace", variables: &[OWN, REPLACE], before: Own::Old, ..REGISTER },
    Job { name: "replace, verify", variables: &[OWN, REPLACE, VERIFY], before: Own::Old, ..REGISTER },
    Job { name: "rules", variables: &[OWN, RULES], ..REGISTER },
    Job {
        name: "rules, hold",
        variables: &[OWN, RULES],
        arguments: &["--hold"],
        after: Own::None,
        end: End::Signal,
        ..REGISTER
    },
    Job { name: "rules, replace", variables: &[OWN, REPLACE, RULES], before: Own::Old, ..REGISTER },
    Job { name: "repair", variables: &[OWN], stand_ins: true, ..REGISTER },
    Job { name: "verify", variables: &[OWN, VERIFY], ..REGISTER },
    Job { name: "uninstall", arguments: &["--uninstall", "*"], before: Own::New, after: Own::None, ..REGISTER },
    Job { name: "print", arguments: &["--print"], before: Own::New, ..REGISTER },
    Job { name: "command", variables: &[OWN], arguments: &["--", "./true"], end: End::Command, ..REGISTER },
    Job {
        name: "command, not mounted",
        variables: &[OWN],
        arguments: &["--", "./true"],
        mount: Mount::Nowhere,
        end: End::Command,
        ..REGISTER
    },
    Job { name: "hold", variables: &[OWN], arguments: &["--hold"], after: Own::None, end: End::Signal, ..REGISTER },
];

impl Job {
    pub fn has(&self, variable: &str) -> bool {
        self.variables.iter().any(|(name, _)| *name == variable)
    }

    /// Whether the architectures have a handler all along.
    pub fn keeps_handlers(&self) -> bool {
        (self.before != Own::None || self.stand_ins) && self.after != Own::None
    }
}

//! The programs that are run in each system.

/// One of them.
pub struct Program {
    /// What it is, as on the board.
    pub name: &'static str,
    /// The packages that it takes, separated by commas; none: it is in each Debian.
    pub packages: &'static str,
    /// The shell script that is run, by `bash`, in the system.
    pub script: &'static str,
    /// What it prints.
    pub says: &'static str,
    /// It is one of those that `QUICK=1` takes.
    pub quick: bool,
}

const fn program(name: &'static str, packages: &'static str, script: &'static str, says: &'static str) -> Program {
    Program { name, packages, script, says, quick: false }
}

const fn quick(name: &'static str, packages: &'static str, script: &'static str, says: &'static str) -> Program {
    Program { name, packages, script, says, quick: true }
}

/// `/programs` holds those of `tests/interpreters/programs`.
pub const PROGRAMS: &[Program] = &[
    quick("ldconfig", "", "ldconfig && ldconfig -p | grep -c '[[:space:]]libc.so.6 '", "1"),
    quick(
        "ca-certificates",
        "ca-certificates",
        "update-ca-certificates --fresh >/dev/null 2>&1 && ls /etc/ssl/certs | grep -c 'ISRG_Root_X1.pem'",
        "1",
    ),
    quick("python: threads, processes", "python3", "python3 /programs/threads.py", "24 True 499999500000"),
    quick("perl: forks, a signal", "", "perl /programs/forks.pl", "42925 15"),
    quick(
        "bash: 1,000 forks",
        "",
        "n=0; for ((i = 0; i < 1000; i++)); do (exit 1) || n=$((n + 1)); done; echo $n",
        "1000",
    ),
    program(
        "bash: 10,000 forks",
        "",
        "n=0; for ((i = 0; i < 10000; i++)); do (exit 1) || n=$((n + 1)); done; echo $n",
        "10000",
    ),
    quick("time after 2038", "", "touch -d 2040-02-29T12:00:00Z /tmp/t && TZ=UTC date -r /tmp/t +%F", "2040-02-29"),
    quick(
        "O_DIRECT",
        "",
        "dd if=/dev/zero of=/var/tmp/d bs=4096 count=256 oflag=direct 2>/dev/null && stat -c %s /var/tmp/d",
        "1048576",
    ),
    quick(
        "a directory of 20,000 files",
        "",
        "mkdir -p /tmp/l && cd /tmp/l && seq 20000 | xargs touch && ls | wc -l && find . -type f | wc -l; rm -r /tmp/l",
        "20000\n20000",
    ),
    quick("sudo", "sudo", "sudo -u nobody id -un", "nobody"),
    quick(
        "sqlite",
        "sqlite3",
        "sqlite3 :memory: 'with recursive c(n) as (select 1 union all select n + 1 from c where n < 10000) select sum(n) from c'",
        "50005000",
    ),
    quick(
        "openssl: digest, speed",
        "openssl",
        "seq 100000 | openssl dgst -sha256 -r | cut -c 1-16 && openssl speed -seconds 1 sha256 >/dev/null 2>&1 && echo done",
        "b2bc7d3f8b652d2e\ndone",
    ),
    program(
        "git",
        "git",
        "cd $(mktemp -d) && git init -q . && echo a >a && git add a && git -c user.name=a -c user.email=a@b commit -qm one && git log --format=%s && git fsck 2>/dev/null",
        "one",
    ),
    program(
        "gcc, and what it compiles",
        "gcc,libc6-dev",
        "gcc -O2 -pthread -o /tmp/hello /programs/hello.c -lm && /tmp/hello",
        "hello 1 2.255685",
    ),
    program("node: workers, a process", "nodejs", "node /programs/workers.js", "1,4,9,16 10000 child"),
    program("java: threads, garbage", "default-jdk-headless", "java /programs/Hello.java", "true 10000000"),
    program(
        "postgresql",
        "postgresql",
        r#"d=$(mktemp -d) && chown postgres $d && b=$(echo /usr/lib/postgresql/*/bin)
        run() { su postgres -s /bin/sh -c "$1"; }
        run "$b/initdb -D $d/data >/dev/null && $b/pg_ctl -D $d/data -o '-k $d -h \"\"' -w -l $d/log start >/dev/null"
        run "$b/psql -h $d -d postgres -Atc 'select sum(n) from generate_series(1, 1000) n'"
        run "$b/pg_ctl -D $d/data -m fast stop >/dev/null""#,
        "500500",
    ),
    program(
        "go: goroutines, garbage, a process, a signal",
        "",
        "/programs/goroutines",
        "995000 user defined signal 1 child <nil>",
    ),
    quick(
        "rust: ripgrep, four threads",
        "ripgrep",
        "cd $(mktemp -d) && for i in {1..20}; do seq 10000 >$i; done && rg -j 4 -Ic '77$' . | awk '{ n += $1 } END { print n, NR }'",
        "2000 20",
    ),
    quick(
        "strace says that there is no ptrace",
        "strace",
        "strace true 2>&1 | grep -m 1 -o 'PTRACE_.*Function not implemented'",
        "PTRACE_TRACEME: Function not implemented",
    ),
    program(
        "gdb says that there is no ptrace",
        "gdb",
        "gdb -nx -batch -ex run /bin/true 2>&1 | grep -m 1 -o 'ptrace: Function not implemented'",
        "ptrace: Function not implemented",
    ),
];

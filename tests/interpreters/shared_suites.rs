//! Test suites that Debian has in packages, in a whole Debian for arm64: without a cache of translations, by one tree that has
//! none of their code at first, and again by that tree. Each single result is compared, whether it is a pass or a failure.

use crate::common::namespace::Said;
use crate::common::{TOP, skip};
use crate::shared_systems::{Ended, Script, by_one_shell, debian};
use crate::systems::Inside;
use crate::tree::{Tree, Waiting};
use crate::{Board, quick};
use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, thread};

/// One of them.
struct Suite {
    name: &'static str,
    /// Prints the names of its tests.
    tests: &'static str,
    /// Those that `QUICK=1` takes.
    quick: &'static str,
    /// Runs the test `$test` in a directory that is empty, and prints its results, a line for each.
    run: &'static str,
}

const SUITES: [Suite; 5] = [
    Suite {
        name: "python",
        // Of 427: all would take too long.
        tests: "echo test_array test_builtin test_bytes test_codecs test_coroutines test_ctypes test_descr test_eintr \
            test_exceptions test_float test_fork1 test_functools test_gc test_generators test_hashlib test_io test_itertools \
            test_long test_math test_memoryview test_mmap test_os test_posix test_re test_select test_selectors test_signal \
            test_sqlite3 test_struct test_sys test_thread test_threading test_threadsignals test_weakref test_zlib",
        quick: "test_mmap test_thread",
        run: r#"python3.13 -m test --junit-xml results "$test" >/dev/null 2>&1
            status=$?
            sed 's/></>\n</g' results | awk -F '"' '
                /^<testcase / { name = $2; print name, $6 }
                /^<(failure|error|skipped)/ { sub(/[ >].*/, ""); print name, substr($0, 2) }'
            exit $status"#,
    },
    Suite {
        name: "glib",
        // Without a cache three take more than five minutes.
        tests: "cd /usr/share/installed-tests/glib && ls *.test | grep -vxE '(gvariant|objects-refcount2|performance).test'",
        quick: "regex.test thread.test thread-pool.test gdbus-peer-object-manager.test",
        run: r#"$(sed -n 's/^Exec=//p' "/usr/share/installed-tests/glib/$test") >results 2>/dev/null
            status=$?
            grep -E '^(not )?ok' results
            exit $status"#,
    },
    Suite {
        name: "bash",
        tests: "cd /suites/bash/tests && ls run-* | grep -vxE 'run-(all|minimal|gprof)'",
        quick: "run-arith run-exportfunc run-func run-posix2 run-varenv",
        // Numbers of processes are no results.
        run: r#"export BASH_TSTOUT=$PWD/out TMPDIR=$PWD BUILD_DIR=/suites/bash THIS_SH=/bin/bash
            cd /suites/bash/tests && PATH=.:$PATH sh "$test" 2>/dev/null | sed -E 's/[0-9]{4,}/N/g'
            exit "${PIPESTATUS[0]}""#,
    },
    Suite {
        name: "blas",
        tests: "cd /usr/lib/aarch64-linux-gnu/blas && echo x*",
        quick: "xblat1d",
        run: r#"blas=/usr/lib/aarch64-linux-gnu/blas
            case $test in
            xblat[23]*) input=${test#xblat} && input=${input#?}blat${test:5:1}.in ;;
            x?cblat[23]) input=${test:1:1}in${test:7} ;;
            esac
            LD_LIBRARY_PATH=$blas $blas/$test <${input:+$blas/}${input:-/dev/null} && cat *.out 2>/dev/null"#,
    },
    // No test suite: what each says when it is asked for its help and its version.
    Suite {
        name: "commands",
        tests: "cd /usr/bin && echo *",
        quick: "apt-get bash dpkg perl tar",
        run: r#"for option in --help --version; do
                timeout -k 5 60 "$test" $option >said 2>&1
                status=$?
                [ $status != 124 ] || exit 124
                echo "$option $status $(sha256sum <said)"
            done"#,
    },
];

/// What a test may take at most.
const SECONDS: u32 = 300;

/// The last line of one that takes more.
const TOO_LONG: &str = "exit status 124";

/// The results of one test, a line for each.
type Results = BTreeSet<String>;

/// What is not the same with a cache as in each of several runs without one. What differs between those is no difference.
fn differences(with: &Results, without: &[Results]) -> Vec<String> {
    let missing =
        without[0].iter().filter(|line| without.iter().all(|run| run.contains(*line)) && !with.contains(*line));
    // Where something is another each time, such as an address, it may be another one once more.
    let steady = without.iter().all(|run| *run == without[0]);
    let more = with.iter().filter(|line| steady && !without[0].contains(*line));
    missing.map(|line| format!("not: {line}")).chain(more.map(|line| format!("but: {line}"))).collect()
}

/// The results of all tests, for each round; and who has run them, and waits.
fn results(
    inside: &Inside,
    suite: &Suite,
    tests: &[&str],
    switch: &str,
    rounds: usize,
) -> (Waiting, Vec<Vec<Results>>) {
    let script = |test: &&str| Script {
        name: format!("{} {test}", suite.name),
        text: format!(
            "test={test} HOME=$(mktemp -d) && export HOME && cd $HOME && (
            {}
            ) | LC_ALL=C tr -c '\\n -~' '?'
            status=${{PIPESTATUS[0]}}
            cd / && chmod -R u+rwX $HOME && rm -rf $HOME
            exit $status",
            suite.run
        ),
    };
    let scripts: Vec<_> = tests.iter().map(script).collect();
    let (shell, ended) = by_one_shell(inside, "65534:65534", &scripts, switch, rounds, SECONDS);
    let lines = |ended: Ended| {
        let status = format!("exit status {}", ended.status);
        ended.said.lines().filter(|line| !line.is_empty()).map(String::from).chain([status]).collect()
    };
    (shell, ended.into_iter().map(|round| round.into_iter().map(lines).collect()).collect())
}

/// How many tests and results are compared, and what is not the same with a cache in each of two rounds, by the tests' names.
/// What is not compared is named, aloud.
fn compare(qemu: &Path, inside: &Inside, suite: &Suite, tests: &[&str]) -> (usize, usize, [Vec<String>; 2]) {
    let left_out = |test: &str, why: &str| {
        let _ = writeln!(io::stderr(), "{} {test}: left out, {why}", suite.name);
    };
    let first = results(inside, suite, tests, "off", 1).1.remove(0);
    let (mut ended, mut first_of) = (Vec::new(), Vec::new());
    for (test, without) in tests.iter().zip(first) {
        if without.contains(TOO_LONG) {
            left_out(test, &format!("as it takes more than {SECONDS} s without a cache"));
        } else {
            ended.push(*test);
            first_of.push(without);
        }
    }
    let (shell, with) = results(inside, suite, &ended, "on", 2);
    let tree = Tree::of(qemu, shell);
    println!("{}: {}", suite.name, tree.said());
    assert_eq!(tree.refused(), 0, "{}", suite.name);
    drop(tree);
    let number = first_of.iter().map(BTreeSet::len).sum();
    let mut different = [Vec::new(), Vec::new()];
    for (number, (test, first)) in ended.iter().zip(first_of).enumerate() {
        if with.iter().all(|round| round[number] == first) {
            continue;
        }
        let mut without = vec![first];
        without.extend((0..4).map(|_| results(inside, suite, &[test], "off", 1).1.remove(0).remove(0)));
        let unsteady: Results = without.iter().flat_map(|run| run ^ &without[0]).collect();
        if !unsteady.is_empty() {
            left_out(test, &format!("as it is not always the same without a cache: {unsteady:?}"));
        }
        for (round, different) in with.iter().zip(&mut different) {
            let found = differences(&round[number], &without);
            if !found.is_empty() {
                different.push(format!("{test}: {found:?}"));
            }
        }
    }
    (ended.len(), number, different)
}

/// That Debian, with the suites in it.
fn with_suites() -> Option<(PathBuf, Inside)> {
    let (qemu, inside) = debian()?;
    let said = Said::of(Command::new(Path::new(TOP).join("tests/interpreters/suites")).arg(&inside.root));
    if said.status != 0 {
        skip(thread::current().name().unwrap_or_default(), &format!("the mirror does not have all: {}", said.err));
        return None;
    }
    Some((qemu, inside))
}

/// `SUITES` are the names of some of them, and `TESTS` those of some of their tests.
#[test]
fn test_suites() {
    let Some((qemu, inside)) = with_suites() else { return };
    let words = |name: &str| env::var(name).unwrap_or_default();
    let wanted = words("SUITES");
    let suites = SUITES.iter().filter(|suite| wanted.is_empty() || wanted.split(' ').any(|name| name == suite.name));
    let columns = ["in a tree that begins with nothing", "in that tree again"];
    let mut board = Board::with_columns("6-suites", "Test suites, with shared translations as without", &columns);
    for suite in suites {
        let mut list = inside.namespace.long_command("chroot");
        let list = Said::of(list.arg(&inside.root).args(["/bin/bash", "-c", suite.tests])).exits(0).out;
        let some = words("TESTS");
        let all = if quick() {
            suite.quick
        } else if some.is_empty() {
            &list
        } else {
            &some
        };
        let tests: Vec<_> = all.split_whitespace().collect();
        assert!(
            tests.iter().all(|test| list.split_whitespace().any(|name| name == *test)),
            "{}: {tests:?}",
            suite.name
        );
        let (ended, number, different) = compare(&qemu, &inside, suite, &tests);
        assert!(ended > 0, "{}", suite.name);
        let result = |different: Vec<String>| if different.is_empty() { Ok(()) } else { Err(different.join("\n")) };
        board.results(&format!("{}: {ended} tests, {number} results", suite.name), different.map(result).into());
    }
    board.close();
}

/// What is another with a cache is found; what is another each time is not taken for that.
#[test]
fn a_difference_is_found() {
    let Some((qemu, inside)) = debian() else { return };
    let suite = Suite {
        name: "difference",
        tests: "",
        quick: "",
        run: r#"echo same; case $test in cache) echo $QEMU_TBCACHE ;; random) echo $SRANDOM ;; esac"#,
    };
    let (ended, number, different) = compare(&qemu, &inside, &suite, &["same", "cache", "random"]);
    assert_eq!((ended, number), (3, 3 * 2 + 2));
    for different in different {
        assert!(different.len() == 1 && different[0].starts_with("cache: "), "{different:?}");
    }
}

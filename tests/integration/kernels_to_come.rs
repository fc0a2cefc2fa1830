//! What kernels bring that are not here yet, as far as it can be shown on this one. How their entries are read is shown by
//! the tests of `src/binfmt/entry.rs` and `flags.rs`, the pin by those of `tests/boot/pin.rs`.

use crate::common::host;
use crate::common::namespace::{Namespace, has};

/// Linux 7.3 has a limit for entries with the flag `F`.
#[test]
fn a_reached_limit_of_interpreters_is_named() {
    let test = "a_reached_limit_of_interpreters_is_named";
    if host::cannot(test, "QEMU's own writes are among them") || !has("strace") {
        return;
    }
    let strace = ["strace", "-f", "-o", "/dev/null", "-e", "inject=write:error=ENOSPC:when=1"];
    let Some(namespace) = Namespace::new() else { return };
    let limit = ["ENOSPC", "user.max_binfmt_misc_interpreters"];
    let said = namespace.under(&strace, &["ARCHES=arm64"], &[]).exits(1);
    said.says_only(&[&["aarch64: not registered"], &limit[..]].concat());
    assert!(namespace.entries().is_empty());
    // A stand-in counts, too. What is there stays.
    namespace.tool(&["ARCHES=arm64"], &[]).exits(0);
    let before = namespace.state();
    let said = namespace.under(&strace, &["ARCHES=arm64", "REPLACE=true"], &[]).exits(1);
    said.says(&[&["aarch64: not re"], &limit[..]].concat());
    assert_eq!(namespace.state(), before);
    assert!(namespace.runs("arm64"));
}

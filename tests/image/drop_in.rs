//! The target `binfmt`, called as users of `docker/setup-qemu-action` and `tonistiigi/binfmt` call that tool.

use crate::common::namespace::{MOUNT, Said};
use crate::common::{TOP, run};
use crate::docker::{Host, build, command, container, some};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn binfmt(words: &str) -> Said {
    container(&format!("--privileged {}:binfmt {words}", some()))
}

/// The platforms and the emulators of what must be one JSON object with these two lists of strings, and nothing else.
#[track_caller]
fn read(said: &Said) -> (Vec<String>, Vec<String>) {
    let mut lists: BTreeMap<String, Vec<String>> =
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}; {said:#?}"));
    let (supported, mut emulators) = (lists.remove("supported").unwrap(), lists.remove("emulators").unwrap());
    assert!(lists.is_empty() && said.out.ends_with("}\n"), "{said:#?}");
    emulators.sort();
    (supported, emulators)
}

fn has(list: &[String], names: &[&str]) -> bool {
    names.iter().all(|name| list.iter().any(|other| other == name))
}

/// Its steps, in its order: inspect, uninstall (`reset: true`), install, status. It fails if one of them exits with
/// another status than 0, and parses what the last prints.
#[test]
fn the_sequence_of_setup_qemu_action() {
    let Some(host) = Host::new() else { return };
    for _ in ["on a fresh machine", "and once more"] {
        crate::docker::docker(&format!("image inspect {}:binfmt", some())).exits(0);
        binfmt("--uninstall qemu-*").exits(0);
        binfmt("--install all").exits(0).says(&["aarch64: registered"]).says(&["riscv64: registered"]);
        let status = binfmt("").exits(0);
        assert_eq!(status.err, "");
        let (supported, emulators) = read(&status);
        assert!(has(&supported, &["linux/amd64", "linux/arm64", "linux/riscv64"]), "{supported:?}");
        assert_eq!(emulators, ["qemu-aarch64", "qemu-riscv64"]);
        assert!(host.runs_arm64() && host.container_runs_arm64(), "it does not only say so");
    }
}

#[test]
fn its_options() {
    let Some(host) = Host::new() else { return };
    let version = binfmt("--version").exits(0);
    // Both numbers in the form of that tool.
    let own = env!("CARGO_PKG_VERSION");
    let qemu = version.out.trim_end().strip_prefix(&format!("binfmt/{own} qemu/v")).unwrap_or_default();
    assert!(qemu.split('.').count() == 3 && version.err.is_empty(), "{version:#?}");

    // What is said of the work goes to standard error, and standard output is the status of afterwards.
    let said = binfmt("--install linux/arm64").exits(0).says(&["aarch64: registered"]);
    assert_eq!(read(&said).1, ["qemu-aarch64"]);
    let said = binfmt("--install arm64,riscv64").exits(0).says(&["aarch64: kept"]).says(&["riscv64: registered"]);
    assert_eq!(read(&said).1, ["qemu-aarch64", "qemu-riscv64"]);
    let said = binfmt("--uninstall arm64,riscv64").exits(0).says(&["qemu-aarch64: removed"]);
    let (supported, emulators) = read(&said);
    assert!(emulators.is_empty() && !has(&supported, &["linux/arm64"]));
    assert_eq!(host.names(), "");
    binfmt("--uninstall qemu-*").exits(0).says(&["nothing registered"]);

    // The others are installed all the same; that tool exits with 0.
    let said = binfmt("--install arm64,nonsense,riscv64,arm").exits(1).says(&["nonsense: unknown architecture"]);
    let said = said.says(&["arm: not registered", "/usr/bin/qemu-arm-static", "no such file"]);
    assert_eq!(read(&said).1, ["qemu-aarch64", "qemu-riscv64"]);
    assert!(host.runs_arm64());
    let said = container(&format!("--cap-drop ALL {}:binfmt --install arm64", some())).exits(1);
    said.says(&["binfmt_misc: EPERM", "CAP_SYS_ADMIN"]);
}

#[test]
fn its_variables() {
    let Some(host) = Host::new() else { return };
    let install =
        |variables: &str, image: &str| container(&format!("--privileged {variables} {image} --install arm64"));
    let image = format!("{}:binfmt", some());
    for (value, flags) in [("1", "POCF"), ("0", "OCF")] {
        install(&format!("-e QEMU_PRESERVE_ARGV0={value} -e REPLACE=true"), &image).exits(0);
        assert_eq!(host.entry("qemu-aarch64").1, flags);
    }
    binfmt("--uninstall qemu-aarch64").exits(0);

    let elsewhere = format!(
        "FROM scratch\nCOPY --from={0} /usr/bin/binfmt_register /usr/bin/binfmt\n\
         COPY --from={0} /usr/bin/qemu-aarch64-static /opt/my-qemu-aarch64\nENTRYPOINT [\"/usr/bin/binfmt\"]\n",
        some(),
    );
    build("binfmt_register-image/elsewhere", "", &elsewhere, true).exits(0);
    let image = "binfmt_register-image/elsewhere";
    install("-e QEMU_BINARY_PATH=/opt", image).exits(1).says(&["/opt/qemu-aarch64-static: no such file"]);
    install("-e QEMU_BINARY_PREFIX=my-", image).exits(1).says(&["/usr/bin/my-qemu-aarch64-static: no such file"]);
    install("-e QEMU_BINARY_PATH=/opt -e QEMU_BINARY_PREFIX=my-", image).exits(0).says(&["aarch64: registered"]);
    assert_eq!(host.entry("qemu-aarch64").0, "/opt/my-qemu-aarch64");
    assert!(host.runs_arm64());
}

/// That tool registers before a handler it does not know by name, such as that of Apple's virtual machines.
#[test]
fn a_handler_of_others_is_respected() {
    let Some(host) = Host::new() else { return };
    binfmt("--install riscv64").exits(0); // and so what is registered by hand stays
    let rule = host.tool(&["--print", "--install", "arm64"]);
    assert_eq!(rule.status, 1, "there is no interpreter at this path");
    let rule = container(&format!("{} --print --install arm64", some())).exits(0).out;
    let fields: Vec<&str> = rule.trim_end().split(':').collect();
    let [_, _, kind, offset, magic, mask, ..] = fields[..] else { panic!("{rule}") };
    let rule = format!(":rosetta:{kind}:{offset}:{magic}:{mask}:/bin/cat:F");
    let by_hand = format!("mount -t binfmt_misc binfmt_misc {MOUNT} && printf %s \"$0\" >{MOUNT}/register");
    Said::of(command("unshare").args(["-m", "sh", "-c", &by_hand, &rule])).exits(0);

    binfmt("--install arm64").exits(0).says(&["aarch64: kept, entry rosetta handles it"]);
    binfmt("--install all").exits(0).says(&["aarch64: kept, entry rosetta handles it"]);
    binfmt("--uninstall qemu-*").exits(0).says(&["qemu-riscv64: removed"]);
    assert_eq!(host.names(), "binfmt_register rosetta");
    binfmt("--uninstall rosetta").exits(0).says(&["rosetta: removed"]);
    assert_eq!(host.names(), "");
}

/// What docs/images.md tells those to write who come from there is an image that `make image` makes.
#[test]
fn the_documentation_tells_how_to_switch() {
    let page = fs::read_to_string(Path::new(TOP).join("docs/images.md")).unwrap();
    let images = run(command("docker").args(["buildx", "bake", "--print", "binfmt"]).env("IMAGE", "NAME")).unwrap();
    let images: Value = serde_json::from_str(&images).unwrap();
    assert_eq!(images["target"]["binfmt"]["tags"][0], "NAME:binfmt");
    for line in ["image: NAME:binfmt  # instead of", "image: NAME:binfmt  # was"] {
        assert!(page.contains(line), "{line}");
    }
}

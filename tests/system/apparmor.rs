//! AppArmor, by Docker's own profile `docker-default`, denies mounts to containers that are not privileged.

use crate::{import, system};

/// Starts Docker, without a network.
const START: &str = r#"mkdir -p /etc/docker &&
    echo '{"bridge": "none", "iptables": false, "ip6tables": false}' >/etc/docker/daemon.json && systemctl start docker"#;

/// A program for arm64 in a container.
const FOREIGN: &str = "docker run --rm --network=none foreign";

const REGISTERED: &str = "aarch64: registered /usr/bin/qemu-aarch64-static (POCF)\n";

#[test]
fn a_container_is_told_what_frees_it_from_the_profile() {
    let Some(machine) = system("apparmor", "apparmor") else { return };
    let run = |options: &str| format!("docker run --rm --network=none {options} binfmt_register");
    let least = "--cap-drop=ALL --cap-add=SYS_ADMIN --read-only";
    let unconfined = &format!("{least} --security-opt apparmor=unconfined");
    let no_program = &format!("{FOREIGN} 2>/dev/null; test $? -eq 1");
    let remove = &format!("{} --uninstall '*' 2>/dev/null", run(unconfined));
    machine.all_succeed(&[
        (START, ""),
        (&import("docker"), ""),
        // The profile is in force, and binfmt_misc not mounted.
        ("aa-status --json | grep -o '\"docker-default\": \"[a-z]*\"'", "\"docker-default\": \"enforce\"\n"),
        (
            "docker run --rm --network=none --volume=/usr/bin:/usr/bin --volume=/lib:/lib --volume=/lib64:/lib64 foreign \
             /usr/bin/cat /proc/self/attr/current",
            "docker-default (enforce)\n",
        ),
        ("! grep ' binfmt_misc ' /proc/mounts", ""),
        (
            &format!("{} 2>&1; test $? -eq 1", run(least)),
            &format!(
                "{REGISTERED}gone with this process: no pin (EACCES), AppArmor denies it; run with --privileged, \
                 or --cap-add SYS_ADMIN --security-opt apparmor=unconfined\n"
            ),
        ),
        (no_program, ""),
        // It does as it is told.
        (&format!("{} 2>&1", run(unconfined)), REGISTERED),
        (FOREIGN, "aarch64\n"),
        (remove, ""),
        (no_program, ""),
        (&format!("{} 2>&1", run("--privileged")), REGISTERED),
        (FOREIGN, "aarch64\n"),
        (remove, ""),
        // Where the host has it mounted, nothing has to be.
        ("echo $(ls /proc/sys/fs/binfmt_misc)", "register status\n"),
        (&format!("{} 2>&1", run(least)), REGISTERED),
        (FOREIGN, "aarch64\n"),
    ]);
}

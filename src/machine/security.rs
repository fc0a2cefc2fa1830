//! Which security module confines this process.

use super::file::open;
use rustix::fs::{CWD, OFlags};
use rustix::io::{Errno, read};

/// A security module of the kernel that denies mounts to containers, by a profile or a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityModule {
    /// As Docker's `docker-default` does it.
    AppArmor,
    /// As the domain `container_t` does it.
    SeLinux,
}

impl SecurityModule {
    /// Which one is the reason of an error, if one is. Without a capability the error would be another one.
    pub fn that_denied(error: Errno) -> Option<Self> {
        let mut buffer = [0; 256];
        if error != Errno::ACCESS {
            return None;
        }
        let file = open(CWD, c"/proc/self/attr/current", OFlags::RDONLY).ok()?;
        let length = read(file, &mut buffer).ok()?;
        Self::that_confines(buffer.get(..length)?)
    }

    /// Whose words for a process these are: `docker-default (enforce)`, or `user:role:type:level`.
    fn that_confines(current: &[u8]) -> Option<Self> {
        if current.ends_with(b"(enforce)\n") {
            return Some(Self::AppArmor);
        }
        (current.iter().filter(|&&byte| byte == b':').count() >= 3).then_some(Self::SeLinux)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_known_by_its_words() {
        for (current, module) in [
            ("docker-default (enforce)\n", Some(SecurityModule::AppArmor)),
            ("cri-containerd.apparmor.d (enforce)\n", Some(SecurityModule::AppArmor)),
            ("docker-default (complain)\n", None),
            ("unconfined\n", None),
            ("system_u:system_r:container_t:s0:c1,c2\0", Some(SecurityModule::SeLinux)),
            ("_", None), // Smack
            ("", None),
        ] {
            assert_eq!(SecurityModule::that_confines(current.as_bytes()), module, "{current:?}");
        }
        assert_eq!(SecurityModule::that_denied(Errno::PERM), None);
    }
}

//! The names of system calls.

use nix::libc;

macro_rules! names {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name))),*] };
}

/// Those that the tool makes, or may make.
const NAMES: &[(i64, &str)] = names! {
    SYS_brk SYS_chdir SYS_clone SYS_close SYS_dup2 SYS_dup3 SYS_eventfd2 SYS_execve SYS_execveat SYS_exit
    SYS_exit_group SYS_faccessat2 SYS_fchdir SYS_fgetxattr SYS_flock SYS_fsconfig SYS_fsmount SYS_fsopen SYS_fstat SYS_fstatfs SYS_getdents64
    SYS_getpid SYS_inotify_add_watch SYS_inotify_init1 SYS_ioctl SYS_kill SYS_lseek SYS_memfd_create SYS_mkdirat
    SYS_mmap SYS_mount SYS_mount_setattr SYS_move_mount SYS_munmap SYS_nanosleep SYS_newfstatat SYS_open_tree
    SYS_openat SYS_pipe2 SYS_poll SYS_ppoll SYS_pread64 SYS_prlimit64 SYS_read SYS_readlinkat SYS_reboot
    SYS_rt_sigaction SYS_rt_sigprocmask SYS_setpgid SYS_setrlimit SYS_signalfd4 SYS_sysinfo SYS_umount2 SYS_uname
    SYS_unlinkat SYS_unshare SYS_wait4 SYS_write
};

/// The name of a system call, or its number.
pub fn name_of(number: i64) -> String {
    let known = NAMES.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| number.to_string(), |(_, name)| name.trim_start_matches("SYS_").to_string())
}

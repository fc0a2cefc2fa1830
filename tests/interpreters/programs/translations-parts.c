/*
 * Makes one system call that changes what a process may do, after it has said that it is there, and waits; and tries to have a
 * file taken for a cache of translations.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FD 1000

static void *wait_for(void *semaphore)
{
    pause();
    return semaphore;
}

static int call(const char *name)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { 0 };

    if (!strcmp(name, "setuid")) return syscall(SYS_setuid, 0);
    if (!strcmp(name, "setgid")) return syscall(SYS_setgid, 0);
    if (!strcmp(name, "setreuid")) return syscall(SYS_setreuid, -1, -1);
    if (!strcmp(name, "setregid")) return syscall(SYS_setregid, -1, -1);
    if (!strcmp(name, "setresuid")) return syscall(SYS_setresuid, 65534, 65534, 65534);
    if (!strcmp(name, "setresgid")) return syscall(SYS_setresgid, 65534, 65534, 65534);
    if (!strcmp(name, "setfsuid")) return syscall(SYS_setfsuid, 65534);
    if (!strcmp(name, "setfsgid")) return syscall(SYS_setfsgid, 65534);
    if (!strcmp(name, "setgroups")) return syscall(SYS_setgroups, 0, NULL);
#ifdef SYS_setuid32
    if (!strcmp(name, "setuid32")) return syscall(SYS_setuid32, 0);
    if (!strcmp(name, "setgid32")) return syscall(SYS_setgid32, 0);
    if (!strcmp(name, "setreuid32")) return syscall(SYS_setreuid32, -1, -1);
    if (!strcmp(name, "setregid32")) return syscall(SYS_setregid32, -1, -1);
    if (!strcmp(name, "setresuid32")) return syscall(SYS_setresuid32, 65534, 65534, 65534);
    if (!strcmp(name, "setresgid32")) return syscall(SYS_setresgid32, 65534, 65534, 65534);
    if (!strcmp(name, "setfsuid32")) return syscall(SYS_setfsuid32, 65534);
    if (!strcmp(name, "setfsgid32")) return syscall(SYS_setfsgid32, 65534);
    if (!strcmp(name, "setgroups32")) return syscall(SYS_setgroups32, 0, NULL);
#endif
    if (!strcmp(name, "capset")) return syscall(SYS_capset, &head, data);
    if (!strcmp(name, "chroot")) return chroot("/");
    if (!strcmp(name, "pivot_root")) return syscall(SYS_pivot_root, "/none", "/none");
    if (!strcmp(name, "unshare")) return unshare(CLONE_NEWNS);
    if (!strcmp(name, "setns")) return setns(open("/proc/self/ns/uts", O_RDONLY), 0);
    if (!strcmp(name, "seccomp")) return syscall(SYS_seccomp, 0, 0, NULL);
    if (!strcmp(name, "attr")) return open("/proc/self/attr/exec", O_WRONLY);
    if (!strcmp(name, "landlock")) return syscall(SYS_landlock_restrict_self, -1, 0);
    if (!strcmp(name, "clone")) {
        long child = syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, NULL, NULL, NULL, NULL);

        if (child == 0) {
            _exit(0);
        }
        return child;
    }
    if (!strcmp(name, "PR_SET_SECCOMP")) return prctl(PR_SET_SECCOMP, 1);
    if (!strcmp(name, "PR_SET_NO_NEW_PRIVS")) return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!strcmp(name, "PR_CAPBSET_DROP")) return prctl(PR_CAPBSET_DROP, 0, 0, 0, 0);
    if (!strcmp(name, "PR_CAP_AMBIENT")) return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (!strcmp(name, "PR_SET_SECUREBITS")) return prctl(PR_SET_SECUREBITS, 0, 0, 0, 0);
    if (!strcmp(name, "PR_SET_KEEPCAPS")) return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    if (!strcmp(name, "PR_SET_DUMPABLE")) return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return 0;
}

/* All that an interpreter looks at, as far as a guest can make it; then another interpreter is to look. */
static int forge(char **argv)
{
    int fd = memfd_create("qemu-translations", MFD_ALLOW_SEALING);
    char path[100];

    if (ftruncate(fd, 48 << 20) || pwrite(fd, "mine", 4, 0) != 4) {
        return 1;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fchmod(fd, 01000) != -1 || errno != EPERM || fchmodat(AT_FDCWD, path, 01000, 0) != -1 || errno != EPERM) {
        puts("a guest can give it the mode");
        return 1;
    }
    /* From that an ACL that allows nothing would make it. */
    if (fchmod(fd, 01777) != -1 || errno != EPERM) {
        puts("a guest can give it the sticky bit");
        return 1;
    }
#ifdef SYS_chmod
    if (syscall(SYS_chmod, path, 01000) != -1 || errno != EPERM) {
        puts("a guest can give it the mode by chmod");
        return 1;
    }
#endif
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) || dup3(fd, FD, 0) != FD) {
        return 1;
    }
    setenv("QEMU_TBCACHE", "on", 1);
    execl("/proc/self/exe", argv[0], "forged", NULL);
    return 1;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    char text[5] = "";
    int result;

    if (argc < 2) {
        return 1;
    }
    if (!strcmp(argv[1], "forge")) {
        return forge(argv);
    }
    if (!strcmp(argv[1], "forged")) {
        /* It is still there, for it was not taken; and has what was written. */
        if (pread(FD, text, 4, 0) != 4 || strcmp(text, "mine")) {
            puts("taken");
            return 1;
        }
        puts("not taken");
        return 0;
    }
    pthread_create(&thread, NULL, wait_for, NULL);
    puts("before");
    fflush(stdout);
    getchar();
    result = call(argv[1]);
    printf("after %d\n", result);
    fflush(stdout);
    getchar();
    /* With another thread of the same process, and code that was translated before. */
    puts("end");
    return 0;
}

/*
 * Whether the descriptor of a cache of translations is there for a program: tries each system call that could show, use or
 * close it, and says which did. 1000 is its number in our interpreters; on a kernel, and without a cache, there is none.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD 1000
#define FICLONE _IOW(0x94, 9, int)

static int wrong, done;

/* Expects that a call failed with that error. */
static void fails(const char *what, long result, int error)
{
    done++;
    if (result != -1 || errno != error) {
        printf("%s: %ld, %s\n", what, result, result == -1 ? strerror(errno) : "no error");
        wrong++;
    }
}

static void holds(const char *what, int condition)
{
    done++;
    if (!condition) {
        printf("%s\n", what);
        wrong++;
    }
}

/* Those that only some architectures have, past the C library. */
static void older(int other, fd_set *set)
{
    long room[128], zero[2] = { 0 };

    (void)other, (void)set, (void)room, (void)zero;
#ifdef SYS_dup2
    fails("dup2 from", syscall(SYS_dup2, FD, 100), EBADF);
    fails("dup2 to", syscall(SYS_dup2, other, FD), EBADF);
#endif
#ifdef SYS_getdents
    fails("getdents", syscall(SYS_getdents, FD, room, sizeof(room)), EBADF);
#endif
#ifdef SYS_poll
    struct pollfd polled = { .fd = FD, .events = POLLIN };
    holds("poll, the older", syscall(SYS_poll, &polled, 1, 0) == 1 && polled.revents == POLLNVAL);
#endif
#ifdef SYS_futimesat
    fails("futimesat", syscall(SYS_futimesat, FD, "x", NULL), EBADF);
#endif
#ifdef SYS__newselect
    FD_SET(FD, set);
    fails("_newselect", syscall(SYS__newselect, FD + 1, set, NULL, NULL, zero), EBADF);
#endif
#ifdef SYS__llseek
    fails("_llseek", syscall(SYS__llseek, FD, 0, 0, room, SEEK_SET), EBADF);
    fails("fcntl", syscall(SYS_fcntl, FD, F_GETFD), EBADF);
    fails("fcntl64", syscall(SYS_fcntl64, FD, F_GETFD), EBADF);
    fails("fstat", syscall(SYS_fstat, FD, room), EBADF);
    fails("fstat64", syscall(SYS_fstat64, FD, room), EBADF);
    fails("fstatfs64", syscall(SYS_fstatfs64, FD, 88, room), EBADF);
    fails("ftruncate", syscall(SYS_ftruncate, FD, 0), EBADF);
    fails("fchown", syscall(SYS_fchown, FD, 1, 1), EBADF);
    fails("fchown32", syscall(SYS_fchown32, FD, 1, 1), EBADF);
    fails("mmap2", syscall(SYS_mmap2, NULL, 4096, PROT_READ, MAP_SHARED, FD, 0), EBADF);
    fails("sendfile from", syscall(SYS_sendfile, other, FD, NULL, 1), EBADF);
    fails("sendfile64 from", syscall(SYS_sendfile64, other, FD, NULL, 1), EBADF);
#endif
#ifdef SYS_arm_fadvise64_64
    fails("arm_fadvise64_64", syscall(SYS_arm_fadvise64_64, FD, 0, 0, 0, 0, 0), EBADF);
#endif
#ifdef __i386__
    long words[6] = { 0, 4096, PROT_READ, MAP_SHARED, FD, 0 };
    fails("mmap, the older", syscall(SYS_mmap, words), EBADF);
    words[0] = FD, words[1] = SHUT_RD;
    fails("socketcall", syscall(SYS_socketcall, 13, words), EBADF);
#endif
}

static void by_number(void)
{
    char byte;
    int other = open("/dev/null", O_RDWR);
    int epoll = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN };
    struct pollfd polled = { .fd = FD, .events = POLLIN };
    struct stat st;
    struct timeval now = { 0 };
    unsigned long long read_only[4] = { 1 };
    char *const words[] = { "x", NULL };
    char *const none[] = { NULL };
    fd_set set;

    fails("close", close(FD), EBADF);
    fails("dup", dup(FD), EBADF);
    fails("dup3 from", dup3(FD, 100, 0), EBADF);
    fails("dup3 to", dup3(other, FD, 0), EBADF);
    fails("F_GETFD", fcntl(FD, F_GETFD), EBADF);
    fails("F_SETFD", fcntl(FD, F_SETFD, FD_CLOEXEC), EBADF);
    fails("F_DUPFD", fcntl(FD, F_DUPFD, 3), EBADF);
    fails("F_GET_SEALS", fcntl(FD, F_GET_SEALS), EBADF);
    fails("fstat", fstat(FD, &st), EBADF);
    fails("statx", syscall(SYS_statx, FD, "", AT_EMPTY_PATH, STATX_ALL, &st), EBADF);
    fails("read", read(FD, &byte, 1), EBADF);
    fails("pread", pread(FD, &byte, 1, 0), EBADF);
    fails("write", write(FD, "x", 1), EBADF);
    fails("pwrite", pwrite(FD, "x", 1, 0), EBADF);
    fails("lseek", lseek(FD, 0, SEEK_SET), EBADF);
    fails("ftruncate", ftruncate(FD, 0), EBADF);
    fails("fallocate", fallocate(FD, 0, 0, 1), EBADF);
    fails("fchmod", fchmod(FD, 0777), EBADF);
    fails("fchown", fchown(FD, 1, 1), EBADF);
    fails("flock", syscall(SYS_flock, FD, 1), EBADF);
    fails("ioctl", syscall(SYS_ioctl, FD, 0x5401, &byte), EBADF);
    fails("FICLONE", syscall(SYS_ioctl, other, FICLONE, FD), EBADF);
    fails("sendfile from", sendfile(other, FD, NULL, 1), EBADF);
    fails("sendfile to", sendfile(FD, other, NULL, 1), EBADF);
    fails("copy_file_range from", copy_file_range(FD, NULL, other, NULL, 1, 0), EBADF);
    fails("copy_file_range to", copy_file_range(other, NULL, FD, NULL, 1, 0), EBADF);
    fails("splice", splice(FD, NULL, other, NULL, 1, 0), EBADF);
    fails("mmap", (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, FD, 0), EBADF);
    fails("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, FD, &event), EBADF);
    fails("execveat", syscall(SYS_execveat, FD, "", words, none, AT_EMPTY_PATH), EBADF);
    fails("open_tree", syscall(SYS_open_tree, FD, "", AT_EMPTY_PATH), EBADF);
    fails("mount_setattr", syscall(SYS_mount_setattr, FD, "", AT_EMPTY_PATH, read_only, sizeof(read_only)), EBADF);
    fails("move_mount from", syscall(SYS_move_mount, FD, "", AT_FDCWD, "/", 4 /* an empty path */), EBADF);
    fails("move_mount to", syscall(SYS_move_mount, AT_FDCWD, "/", FD, "", 0x40 /* the same */), EBADF);
    fails("fspick", syscall(SYS_fspick, FD, "", 8 /* the same */), EBADF);
    fails("fsmount", syscall(SYS_fsmount, FD, 0, 0), EBADF);
    fails("fsconfig", syscall(SYS_fsconfig, FD, 6 /* create */, NULL, NULL, 0), EBADF);
    fails("pidfd_getfd", syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, getpid(), 0), FD, 0), EBADF);
    holds("poll", poll(&polled, 1, 0) == 1 && polled.revents == POLLNVAL);
    FD_ZERO(&set);
    FD_SET(FD, &set);
    fails("select", select(FD + 1, &set, NULL, NULL, &now), EBADF);
    older(other, &set);
}

/* To another process it cannot be sent either. */
static void by_socket(void)
{
    int pair[2], fd = FD;
    char room[CMSG_SPACE(sizeof(fd))] = { 0 };
    struct iovec data = { "x", 1 };
    struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

    holds("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
    fails("SCM_RIGHTS", sendmsg(pair[0], &message, 0), EBADF);
}

static void path(int directory, const char *name)
{
    char target[100], what[200];
    struct stat st;

    snprintf(what, sizeof(what), "open %s", name);
    fails(what, openat(directory, name, O_RDONLY), ENOENT);
    fails(what, openat(directory, name, O_RDWR), ENOENT);
    fails(what, openat(directory, name, O_PATH), ENOENT);
    snprintf(what, sizeof(what), "stat %s", name);
    fails(what, fstatat(directory, name, &st, 0), ENOENT);
    fails(what, fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW), ENOENT);
    fails(what, faccessat(directory, name, F_OK, 0), ENOENT);
    fails(what, fchmodat(directory, name, 0777, 0), ENOENT);
    snprintf(what, sizeof(what), "readlink %s", name);
    fails(what, readlinkat(directory, name, target, sizeof(target)), ENOENT);
    snprintf(what, sizeof(what), "open_tree %s", name);
    fails(what, syscall(SYS_open_tree, directory, name, 0), ENOENT);
#ifdef SYS_open
    long room[128];

    if (directory != AT_FDCWD) {
        return;
    }
    snprintf(what, sizeof(what), "%s by older calls", name);
    fails(what, syscall(SYS_open, name, O_RDWR), ENOENT);
    fails(what, syscall(SYS_creat, name, 0777), ENOENT);
    fails(what, syscall(SYS_stat, name, room), ENOENT);
    fails(what, syscall(SYS_lstat, name, room), ENOENT);
    fails(what, syscall(SYS_access, name, F_OK), ENOENT);
    fails(what, syscall(SYS_readlink, name, target, sizeof(target)), ENOENT);
    fails(what, syscall(SYS_chmod, name, 0777), ENOENT);
    fails(what, syscall(SYS_chown, name, 1, 1), ENOENT);
#endif
#ifdef SYS_stat64
    fails(what, syscall(SYS_stat64, name, room), ENOENT);
    fails(what, syscall(SYS_lstat64, name, room), ENOENT);
    fails(what, syscall(SYS_chown32, name, 1, 1), ENOENT);
    fails(what, syscall(SYS_truncate64, name, 0, 0, 0), ENOENT);
#endif
}

static void by_path(void)
{
    char name[100];

    path(AT_FDCWD, "/proc/self/fd/1000");
    path(AT_FDCWD, "/proc/thread-self/fd/1000");
    path(AT_FDCWD, "/proc/self/fdinfo/1000");
    path(AT_FDCWD, "/proc/self/task/../fd//1000");
    path(AT_FDCWD, "/dev/fd/1000");
    path(open("/proc/self/fd", O_RDONLY), "1000");
    path(open("/proc/self/fdinfo", O_RDONLY), "1000");
    snprintf(name, sizeof(name), "/proc/%d/fd/1000", getpid());
    path(AT_FDCWD, name);
    /* Of the other processes of the tree, too. */
    snprintf(name, sizeof(name), "/proc/%d/fd/1000", getppid());
    path(AT_FDCWD, name);
    snprintf(name, sizeof(name), "/tmp/hidden-%d", getpid());
    holds("symlink", symlink("/proc/self/fd/1000", name) == 0);
    fails("open a symbolic link", open(name, O_RDONLY), ENOENT);
    fails("open_tree a symbolic link", syscall(SYS_open_tree, AT_FDCWD, name, 0), ENOENT);
#ifdef SYS_open
    fails("open a symbolic link, the older", syscall(SYS_open, name, O_RDONLY), ENOENT);
#endif
    unlink(name);
}

static void not_in(const char *directory)
{
#ifdef SYS_getdents
    struct { unsigned long ino, off; unsigned short size; char name[]; } *old;
    char room[4096] __attribute__((aligned(8)));
    int by_number = open(directory, O_RDONLY);
    long size;

    while ((size = syscall(SYS_getdents, by_number, room, sizeof(room))) > 0) {
        for (long at = 0; at < size; at += old->size) {
            old = (void *)(room + at);
            holds("getdents", strcmp(old->name, "1000") != 0);
        }
    }
    close(by_number);
#endif
    DIR *open = opendir(directory);
    struct dirent *entry;
    int others = 0;

    while ((entry = readdir(open))) {
        others++;
        holds(directory, strcmp(entry->d_name, "1000") != 0);
    }
    holds("entries", others >= 5);
    closedir(open);
}

/* A lock on a file stays when that is executed, which fails. */
static void with_lock(void)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char name[100];
    int status, fd;

    snprintf(name, sizeof(name), "/tmp/hidden-%d-locked", getpid());
    fd = open(name, O_RDWR | O_CREAT, 0600);
    holds("lock", fcntl(fd, F_SETLK, &lock) == 0);
    fails("exec of what is no program", execl(name, name, NULL), EACCES);
    if (fork() == 0) {
        _exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK);
    }
    wait(&status);
    holds("lock after exec", status == 0);
    unlink(name);
    close(fd);
}

int main(int argc, char **argv)
{
    struct rlimit few = { 64, 64 };
    int status;

    if (argc > 1 && strcmp(argv[1], "again") == 0) {
        holds("F_GETFD after exec", fcntl(FD, F_GETFD) == -1);
    } else if (argc > 1 && strcmp(argv[1], "wait") == 0) {
        /* The test looks from outside whether it is there, and is told to go on. */
        puts("here");
        fflush(stdout);
        getchar();
        return 0;
    }
    by_number();
    by_socket();
    by_path();
    with_lock();
    not_in("/proc/self/fd");
    not_in("/proc/self/fdinfo");
    if (argc == 1 || strcmp(argv[1], "alone") == 0) {
        pid_t child = fork();

        if (child == 0) {
            by_path();
            _exit(wrong != 0);
        }
        waitpid(child, &status, 0);
        holds("in a child", status == 0);
        /* As daemons do. */
        holds("close_range", syscall(SYS_close_range, 3, ~0U, 0) == 0);
        for (int fd = 3; fd < 2000; fd++) {
            close(fd);
        }
        holds("setrlimit", setrlimit(RLIMIT_NOFILE, &few) == 0);
        fflush(stdout);
    }
    /* Where the kernel starts an interpreter for it. */
    if (argc == 1) {
        if (fork() == 0) {
            execl("/proc/self/exe", argv[0], "again", NULL);
            _exit(1);
        }
        wait(&status);
        holds("exec", status == 0);
    }
    printf("%d of %d wrong\n", wrong, done);
    return wrong != 0;
}

/*
 * Reads a directory in every way that a program may: a test for 32-bit programs on a file system whose offsets have
 * more bits, as ext4's. It prints a line for each check, "ok ..." or what is wrong, and ends with 1 if one is wrong.
 *
 *   readdir make DIR COUNT             makes DIR and COUNT files in it
 *   readdir check DIR COUNT [PROGRAM]  checks such a DIR; with PROGRAM also what is left of it after execve, by running
 *                                      "PROGRAM readdir ...": the interpreter, if the kernel does not know which
 *
 * DIR.tmp is made beside DIR, and removed. It takes 2,000 files or more, for several calls of the kernel. With more
 * than 1,000,000 our interpreters do not pass "places outlive rewinddir", which POSIX does not ask for.
 *
 * Compiled in two ways for each of arm, i386, mipsel, where CC is arm-linux-gnueabihf-gcc, i686-linux-gnu-gcc or
 * mipsel-linux-gnu-gcc; for the reference in one for amd64, and for i386 the same programs run without an interpreter:
 *
 *   $CC -O2 -Wall -static -pthread -U_TIME_BITS -U_FILE_OFFSET_BITS -o readdir readdir.c    off_t of 32 bits
 *   $CC -O2 -Wall -static -pthread -D_FILE_OFFSET_BITS=64 -o readdir-lfs readdir.c          off_t of 64 bits
 *   gcc -O2 -Wall -static -pthread -o readdir-amd64 readdir.c
 *
 * The file system, in a mount namespace (unshare -m). The seed makes the hashes the same each time: two equal ones of
 * 31 bits would be no fault.
 *
 *   truncate -s 256M image
 *   mkfs.ext4 -q -O dir_index -E hash_seed=01234567-89ab-cdef-0123-456789abcdef image
 *   mount -o loop image MOUNT
 *   readdir-amd64 make MOUNT/dir 5000
 *   qemu-arm readdir check MOUNT/dir 5000 qemu-arm
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define OPEN 400
#define ROUNDS 100000

static const char *directory;
static int count; /* of files; "." and ".." come to it */
static int wrong;

/* One check has ended: text is what was wrong, or NULL. */
static void report(const char *name, const char *text)
{
    if (text)
        wrong = 1;
    printf("%s %s%s%s\n", text ? "WRONG" : "ok", name, text ? ": " : "", text ? text : "");
    fflush(stdout);
}

__attribute__((format(printf, 1, 2))) static char *say(const char *format, ...)
{
    char *text;
    va_list list;

    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        abort();
    va_end(list);
    return text;
}

/* The number of a name: 0 and 1 for "." and "..", those of the files from 2; -1 for another. */
static int number(const char *name)
{
    int n, end = 0;

    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0)
        return 1;
    if (sscanf(name, "file-%d%n", &n, &end) != 1 || name[end] || n < 0 || n >= count)
        return -1;
    return n + 2;
}

/* The number of the next name; -1 at the end; -2 for an error. */
static int next(DIR *dir)
{
    struct dirent *entry;

    errno = 0;
    entry = readdir(dir);
    if (!entry)
        return errno ? -2 : -1;
    return number(entry->d_name) < 0 ? -2 : number(entry->d_name);
}

/* Reads dir to its end, and marks in seen what was there. */
static char *rest(DIR *dir, char *seen)
{
    int n;

    while ((n = next(dir)) >= 0) {
        if (seen[n])
            return say("name %d was there before", n);
        seen[n] = 1;
    }
    return n == -1 ? NULL : say("readdir: %s", errno ? strerror(errno) : "a strange name");
}

static char *complete(const char *seen)
{
    int missing = 0;

    for (int n = 0; n < count + 2; n++)
        missing += !seen[n];
    return missing ? say("%d of %d names are missing", missing, count + 2) : NULL;
}

static char *all(DIR *dir)
{
    char *seen = calloc(count + 2, 1), *text = rest(dir, seen);

    if (!text)
        text = complete(seen);
    free(seen);
    return text;
}

/* The places of a directory: place[i] is where name[i] is next, and at [places] is the end. */
struct places {
    int places;
    long *place;
    int *name;
};

static char *remember(DIR *dir, struct places *p)
{
    int n;

    p->place = calloc(count + 3, sizeof *p->place);
    p->name = calloc(count + 3, sizeof *p->name);
    for (p->places = 0; p->places < count + 3; p->places++) {
        p->place[p->places] = telldir(dir);
        n = next(dir);
        p->name[p->places] = n;
        if (n == -1)
            return NULL;
        if (n == -2)
            return say("readdir: %s", strerror(errno));
    }
    return say("more names than there are");
}

/* Each place leads to the same name as before; step by step, but not in order. */
static char *revisit(DIR *dir, const struct places *p, int step)
{
    for (int i = 0, at = 0; i <= p->places; i += step, at = (at + 7919) % (p->places + 1)) {
        int n;

        seekdir(dir, p->place[at]);
        if (telldir(dir) != p->place[at])
            return say("telldir gives %ld at %ld", telldir(dir), p->place[at]);
        n = next(dir);
        if (n != p->name[at])
            return say("name %d instead of %d at place %d (%ld)", n, p->name[at], at, p->place[at]);
    }
    return NULL;
}

static void forget(struct places *p)
{
    free(p->place);
    free(p->name);
}

static DIR *opened(const char *path)
{
    DIR *dir = opendir(path);

    if (!dir) {
        printf("WRONG opendir %s: %s\n", path, strerror(errno));
        exit(1);
    }
    return dir;
}

static void streams(void)
{
    DIR *dir = opened(directory);
    struct places p;
    char *text;

    report("each name once", all(dir));
    rewinddir(dir);
    report("each name once after rewinddir", all(dir));
    rewinddir(dir);
    text = remember(dir, &p);
    report("telldir", text);
    if (!text) {
        report("seekdir to each place", revisit(dir, &p, 1));
        seekdir(dir, p.place[0]);
        report("seekdir to the first place", all(dir));
        rewinddir(dir);
        report("places outlive rewinddir", revisit(dir, &p, 10));
    }
    forget(&p);
    closedir(dir);
}

/* A record of either system call. */
struct record {
    int64_t offset;
    char name[256];
};

struct record64 { /* of getdents64 */
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
} __attribute__((packed));

struct record_long { /* of getdents */
    unsigned long inode;
    unsigned long offset;
    unsigned short length;
    char name[];
} __attribute__((packed));

/* Reads up to size bytes of records; their number, or -1. */
static int records(int number_of_call, int fd, int size, struct record *to)
{
    static __thread char buffer[32768] __attribute__((aligned(8)));
    long length = syscall(number_of_call, fd, buffer, size);
    int n = 0;

    for (long at = 0; at < length; n++) {
        if (number_of_call == SYS_getdents64) {
            struct record64 *r = (void *)(buffer + at);
            to[n].offset = r->offset;
            strcpy(to[n].name, r->name);
            at += r->length;
        } else {
#ifdef SYS_getdents
            struct record_long *r = (void *)(buffer + at);
            to[n].offset = (long)r->offset;
            strcpy(to[n].name, r->name);
            at += r->length;
#endif
        }
    }
    return length < 0 ? -1 : n;
}

/* The system calls themselves: the position after a call is the last offset, and an offset leads to what comes next. */
static void calls(const char *name, int call)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY), n, rounds = 0;
    static struct record first[2048], second[2048];
    char *text = NULL;

    while (!text && (n = records(call, fd, 4096, first)) > 0) {
        off_t last = lseek(fd, 0, SEEK_CUR);

        if (sizeof(long) == 4 && first[n - 1].offset != (int32_t)first[n - 1].offset)
            text = say("offset %lld has more than 32 bits", (long long)first[n - 1].offset);
        else if (last == -1)
            text = say("lseek: %s", strerror(errno));
        else if (last != first[n - 1].offset)
            text = say("position %lld after offset %lld", (long long)last, (long long)first[n - 1].offset);
        for (int i = n - 2; !text && i >= 0; i -= 5) {
            if (lseek(fd, first[i].offset, SEEK_SET) != first[i].offset)
                text = say("lseek to %lld: %s", (long long)first[i].offset, strerror(errno));
            else if (records(call, fd, 512, second) < 1 || strcmp(second[0].name, first[i + 1].name))
                text = say("%s instead of %s after lseek", second[0].name, first[i + 1].name);
        }
        lseek(fd, last, SEEK_SET);
        rounds++;
    }
    if (!text && (n < 0 || rounds < 2))
        text = say("%d calls, the last one: %s", rounds, strerror(errno));
    report(name, text);
    close(fd);
}

/* An offset of more than 31 bits in a file is none of a directory, even where one had that descriptor. */
static void large_file(void)
{
    char *path = say("%s.tmp", directory), *text = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_LARGEFILE, 0600);
    static const int64_t offsets[] = { INT32_MAX - 1, INT32_MAX, (int64_t)INT32_MAX + 1, (int64_t)5 << 32 };

    for (int i = 0; i < 4 && !text; i++)
        if (lseek64(fd, offsets[i], SEEK_SET) != offsets[i] || lseek64(fd, 0, SEEK_CUR) != offsets[i])
            text = say("%lld: %s", (long long)offsets[i], strerror(errno));
    report("lseek in a file", text);
    close(fd);
    unlink(path);
    free(path);
}

/* Copies of a descriptor, made before the first name is read or in the middle, share its position and places. */
static int copied(int fd, int how)
{
    switch (how) {
    case 0:
        return dup(fd);
    case 1:
        return fcntl(fd, F_DUPFD, 100);
    case 2:
        return fcntl(fd, F_DUPFD_CLOEXEC, 100);
    case 3:
        return dup2(fd, 200);
    default:
        return dup3(fd, 201, O_CLOEXEC);
    }
}

static void copies(int early)
{
    static const char *const names[] = { "dup", "F_DUPFD", "F_DUPFD_CLOEXEC", "dup2", "dup3" };

    for (int how = 0; how < 5; how++) {
        int fd = open(directory, O_RDONLY | O_DIRECTORY), copy = -1, n, m;
        char *name = say("%s %s the first name is read", names[how], early ? "before" : "after"), *text = NULL;
        static struct record first[2048], second[2048];

        if (early)
            copy = copied(fd, how);
        n = records(SYS_getdents64, fd, 4096, first);
        if (!early)
            copy = copied(fd, how);
        dup2(copy, copy);
        if (n < 3 || copy < 0)
            text = say("%d, %d: %s", n, copy, strerror(errno));
        if (!text && lseek(copy, 0, SEEK_CUR) != first[n - 1].offset)
            text = say("the position is not shared");
        close(fd);
        if (!text && lseek(copy, first[n / 2].offset, SEEK_SET) != first[n / 2].offset)
            text = say("lseek: %s", strerror(errno));
        m = text ? 0 : records(SYS_getdents64, copy, 4096, second);
        if (!text && (m < 1 || strcmp(second[0].name, first[n / 2 + 1].name)))
            text = say("%s instead of %s", second[0].name, first[n / 2 + 1].name);
        close(copy);
        report(name, text);
        free(name);
    }
}

/* Ends the process with 0 if text is NULL. */
static void child_ends(char *text)
{
    if (text) {
        printf("in the child: %s\n", text);
        fflush(stdout);
    }
    _exit(text != NULL);
}

static char *child_was_right(pid_t child)
{
    int status;

    if (child < 0 || waitpid(child, &status, 0) < 0)
        return say("no child: %s", strerror(errno));
    return status ? say("the child ended with %#x", status) : NULL;
}

/* A child goes on where the parent was, knows the parent's places, and makes its own. */
static void forked(void)
{
    DIR *dir = opened(directory);
    char *seen = calloc(count + 2, 1), *text = NULL;
    struct places p, after;
    pid_t child;

    for (int i = 0, n; i < count / 2 && !text; i++) {
        n = next(dir);
        if (n < 0)
            text = say("readdir: %s", strerror(errno));
        else
            seen[n] = 1;
    }
    if (!text) {
        child = fork();
        if (child == 0) {
            text = rest(dir, seen);
            child_ends(text ? text : complete(seen));
        }
        text = child_was_right(child);
    }
    report("a child reads the second half", text);

    rewinddir(dir);
    text = remember(dir, &p);
    if (!text) {
        child = fork();
        if (child == 0) {
            text = revisit(dir, &p, 3);
            rewinddir(dir);
            if (!text)
                text = remember(dir, &after);
            child_ends(text ? text : revisit(dir, &after, 3));
        }
        text = child_was_right(child);
        if (!text)
            text = revisit(dir, &p, 3);
    }
    report("a child and its parent seek", text);
    forget(&p);
    free(seen);
    closedir(dir);
}

/* Descriptors sent to oneself have the position, and read on from it. */
static void sent(void)
{
    int pair[2], fd = open(directory, O_RDONLY | O_DIRECTORY), got = -1, n, m;
    static struct record first[2048], second[2048];
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
    struct iovec byte = { "", 1 };
    char to;
    struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof control };
    char *text = NULL, *seen = calloc(count + 2, 1);

    n = records(SYS_getdents64, fd, 4096, first);
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || sendmsg(pair[0], &message, 0) != 1)
        text = say("sendmsg: %s", strerror(errno));
    byte.iov_base = &to;
    if (!text && recvmsg(pair[1], &message, 0) != 1)
        text = say("recvmsg: %s", strerror(errno));
    if (!text) {
        memcpy(&got, CMSG_DATA(&control.header), sizeof got);
        for (int i = 0; i < n; i++)
            seen[number(first[i].name)] = 1;
        while ((m = records(SYS_getdents64, got, 4096, second)) > 0)
            for (int i = 0; i < m; i++)
                seen[number(second[i].name)]++;
        for (int i = 0; i < count + 2 && !text; i++)
            if (seen[i] != 1)
                text = say("name %d was there %d times", i, seen[i]);
    }
    report("a descriptor by SCM_RIGHTS reads on", text);
    close(pair[0]);
    close(pair[1]);
    close(fd);
    close(got);
    free(seen);
}

static void *thread(void *result)
{
    char **text = result;
    struct places p = { 0 };

    for (int round = 0; round < 3 && !*text; round++) {
        DIR *dir = opened(directory);

        *text = all(dir);
        rewinddir(dir);
        if (!*text)
            *text = remember(dir, &p);
        if (!*text)
            *text = revisit(dir, &p, 10);
        forget(&p);
        closedir(dir);
    }
    return NULL;
}

/* Opens the directory and closes it, again and again. */
static void *hasty_thread(void *result)
{
    char **text = result;
    struct record first[64];

    for (int i = 0; i < 5000 && !*text; i++) {
        int fd = open(directory, O_RDONLY | O_DIRECTORY);
        int n = records(SYS_getdents64, fd, 512, first);
        off_t at = n < 1 ? -1 : lseek(fd, first[0].offset, SEEK_SET);

        if (n < 1)
            *text = say("round %d: %d records: %s", i, n, strerror(errno));
        else if (at != first[0].offset)
            *text = say("round %d: lseek to %lld gives %lld", i, (long long)first[0].offset, (long long)at);
        close(fd);
    }
    return NULL;
}

/*
 * Each opens the directory itself, while processes are forked, which read it, too. By a relative name: QEMU looks up
 * absolute ones with a lock that a child of fork() may find taken for ever, whatever the directory.
 */
static void threads(const char *name, void *(*body)(void *))
{
    pthread_t id[THREADS];
    char *text[THREADS] = { 0 }, *first = NULL;
    const char *name_from_back = directory;
    int back = open(".", O_RDONLY | O_DIRECTORY);

    if (chdir(directory))
        abort();
    directory = ".";

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&id[i], NULL, body, &text[i]))
            abort();
    for (int i = 0; i < 100 && !first; i++) {
        pid_t child = fork();

        if (child == 0) {
            struct record first[64];

            alarm(60);
            _exit(records(SYS_getdents64, open(directory, O_RDONLY | O_DIRECTORY), 512, first) < 1);
        }
        first = child_was_right(child);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(id[i], NULL);
        if (!first)
            first = text[i];
    }
    directory = name_from_back;
    if (fchdir(back))
        abort();
    close(back);
    report(name, first);
}

static void many(void)
{
    static DIR *dir[OPEN];
    static long place[OPEN];
    static int name[OPEN];
    char *text = NULL;

    for (int i = 0; i < OPEN && !text; i++) {
        dir[i] = opened(directory);
        for (int j = 0; j <= i; j++)
            name[i] = next(dir[i]);
        place[i] = telldir(dir[i]);
        name[i] = next(dir[i]);
        if (name[i] < 0)
            text = say("readdir: %s", strerror(errno));
    }
    for (int i = OPEN - 1; i >= 0 && !text; i--) {
        int n;

        seekdir(dir[i], place[i]);
        n = next(dir[i]);
        if (n != name[i])
            text = say("name %d instead of %d in directory %d", n, name[i], i);
    }
    for (int i = 0; i < OPEN; i++)
        if (dir[i])
            closedir(dir[i]);
    report("many open directories", text);
}

/* KiB of memory that this process has. */
static long memory(void)
{
    char line[256];
    long pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY);
    ssize_t length = read(fd, line, sizeof line - 1);

    close(fd);
    if (length > 0) {
        line[length] = 0;
        sscanf(line, "%*d %ld", &pages);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Each way to close a descriptor gives back what was kept for it. */
static void reopened(void)
{
    static struct record first[64];
    char *text = NULL;
    long before = 0;

    for (int i = 0; i < ROUNDS && !text; i++) {
        int fd = open(directory, O_RDONLY | O_DIRECTORY), copy = 300;

        if (records(SYS_getdents64, fd, 1024, first) < 1 || dup2(fd, copy) < 0)
            text = say("round %d: %s", i, strerror(errno));
        close(fd);
        if (i % 4 == 0)
            close(copy);
        if (i % 4 == 1)
            syscall(SYS_close_range, copy, ~0U, 0);
        if (i == 1000)
            before = memory();
    }
    close(300);
    if (!text && memory() - before > 4096)
        text = say("%ld KiB more than after 1000", memory() - before);
    report("100000 directories, opened and closed", text);
}

/* As above, for all that is kept for whole directories. Pipes take their descriptors, so that the next have others. */
static void read_and_closed(void)
{
    static struct record first[2048];
    int fd[100], ends[2];
    char *text = NULL;
    long before = 0;

    for (int round = 0; round < 4 && !text; round++) {
        for (int i = 0; i < 100; i++) {
            fd[i] = open(directory, O_RDONLY | O_DIRECTORY);
            while (records(SYS_getdents64, fd[i], 32768, first) > 0)
                continue;
        }
        for (int i = 0; i < 100 && round % 2; i++)
            close(fd[i]);
        if (round % 2 == 0 && syscall(SYS_close_range, fd[0], fd[99], 0))
            text = say("close_range: %s", strerror(errno));
        for (int i = 0; i < 100; i += 2)
            if (pipe(ends))
                text = say("pipe: %s", strerror(errno));
        if (round == 0)
            before = memory();
    }
    if (!text && memory() - before > 8192)
        text = say("%ld KiB more than after 100", memory() - before);
    report("400 directories, read, and closed by close and close_range", text);
}

/* Names that are removed while they are read: what rm -r does. */
static void removed(void)
{
    char *path = say("%s.tmp", directory), *text = NULL;
    int fd, gone = 0, n;
    long place = 0;
    DIR *dir;

    mkdir(path, 0700);
    dir = opened(path);
    for (int i = 0; i < 2000; i++) {
        char name[32];

        snprintf(name, sizeof name, "file-%d", i);
        fd = openat(dirfd(dir), name, O_CREAT | O_WRONLY | O_EXCL, 0600);
        if (fd < 0)
            text = say("%s/%s: %s", path, name, strerror(errno));
        close(fd);
    }
    while ((n = next(dir)) >= 0) {
        char name[32];

        /* Once to where the name before was, which is gone: the next one is the same. */
        if (gone == 1000 && place) {
            int again;

            seekdir(dir, place);
            again = next(dir);
            if (again != n)
                text = say("name %d instead of %d after what was removed", again, n);
            place = 0;
        }
        if (n < 2)
            continue;
        snprintf(name, sizeof name, "file-%d", n - 2);
        if (unlinkat(dirfd(dir), name, 0))
            text = say("%s/%s: %s", path, name, strerror(errno));
        if (++gone == 1000)
            place = telldir(dir);
    }
    closedir(dir);
    if (n != -1 && !text)
        text = say("readdir: %s", strerror(errno));
    if (!text && (gone != 2000 || rmdir(path)))
        text = say("%d of 2000 were removed, and then: %s", gone, strerror(errno));
    report("names removed while they are read", text);
    free(path);
}

/* The position goes over execve with the descriptor. */
static void executed(const char *interpreter, char *self)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY), n = 0, m;
    static struct record first[2048];
    char text[3][16];
    pid_t child;

    for (int i = 0; i < 3; i++) {
        m = records(SYS_getdents64, fd, 4096, first);
        n += m > 0 ? m : 0;
    }
    child = fork();
    if (child == 0) {
        snprintf(text[0], 16, "%d", count);
        snprintf(text[1], 16, "%d", fd);
        snprintf(text[2], 16, "%d", n);
        execl(interpreter, interpreter, self, "rest", text[0], text[1], text[2], NULL);
        child_ends(say("%s: %s", interpreter, strerror(errno)));
    }
    report("read on after execve", child_was_right(child));
    close(fd);
}

static int is_rest(const char *files, const char *descriptor, const char *already)
{
    char *seen;
    DIR *dir;
    int n;

    count = atoi(files);
    seen = calloc(count + 2, 1);
    dir = fdopendir(atoi(descriptor));
    if (!dir || rest(dir, seen))
        return 1;
    n = atoi(already);
    for (int i = 0; i < count + 2; i++)
        n += seen[i];
    return n != count + 2;
}

static int make(void)
{
    if (mkdir(directory, 0755) || chdir(directory))
        return perror(directory), 1;
    for (int i = 0; i < count; i++) {
        char name[32];
        int fd;

        snprintf(name, sizeof name, "file-%d", i);
        fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
        if (fd < 0)
            return perror(name), 1;
        close(fd);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "rest") == 0)
        return is_rest(argv[2], argv[3], argv[4]);
    if (argc < 4 || (strcmp(argv[1], "make") && strcmp(argv[1], "check"))) {
        fprintf(stderr, "readdir make DIR COUNT\nreaddir check DIR COUNT [PROGRAM]\n");
        return 2;
    }
    directory = argv[2];
    count = atoi(argv[3]);
    if (strcmp(argv[1], "make") == 0)
        return make();

    printf("off_t of %zu bits, long of %zu\n", sizeof(off_t) * CHAR_BIT, sizeof(long) * CHAR_BIT);
    streams();
    calls("getdents64 and lseek", SYS_getdents64);
#ifdef SYS_getdents
    calls("getdents and lseek", SYS_getdents);
#endif
    large_file();
    copies(1);
    copies(0);
    forked();
    sent();
    threads("threads that read and seek, and forks", thread);
    threads("threads that open and close, and forks", hasty_thread);
    many();
    removed();
    if (argc > 4)
        executed(argv[4], argv[0]);
    reopened();
    read_and_closed();
    return wrong;
}

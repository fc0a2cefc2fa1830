/*
 * Changes code that has been executed, in each way in which it can be changed, and executes it again. It is for AArch64: a
 * function is one that returns a number. It says which answers were wrong, of how many.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
#define NOP 0xd503201fu
#define RET 0xd65f03c0u
#define MOV(number) (0x52800000u | (uint32_t)(number) << 5)     /* mov w0, #number */

typedef long function(void);

static int wrong, done;

static void is(const char *what, long got, long wanted)
{
    done++;
    if (got != wanted) {
        printf("%s: %ld instead of %ld\n", what, got, wanted);
        wrong++;
    }
}

static void seen(void *code)
{
    __builtin___clear_cache((char *)code, (char *)code + PAGE);
}

/* A function that returns that number, at any address that can be written to. */
static void put(void *to, int number)
{
    uint32_t code[] = { NOP, MOV(number), RET };

    memcpy(to, code, sizeof(code));
}

static long call(void *code)
{
    return ((function *)code)();
}

static void *map(int protection, int flags, int fd)
{
    void *code = mmap(NULL, PAGE, protection, flags, fd, 0);

    if (code == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    return code;
}

/* A file with that function, and no name. */
static int file(int number)
{
    char name[] = "/tmp/changed-XXXXXX";
    char bytes[PAGE] = { 0 };
    int fd = mkstemp(name);

    unlink(name);
    put(bytes, number);
    if (pwrite(fd, bytes, PAGE, 0) != PAGE) {
        perror(name);
        exit(2);
    }
    return fd;
}

static void into(int fd, int number)
{
    char bytes[12];

    put(bytes, number);
    if (pwrite(fd, bytes, sizeof(bytes), 0) != sizeof(bytes)) {
        exit(2);
    }
}

/* Written where it is executed. */
static void in_place(const char *what, char *code)
{
    for (int number = 1; number <= 20; number++) {
        put(code, number);
        seen(code);
        is(what, call(code), number);
        is(what, call(code), number);
    }
    munmap(code, PAGE);
}

/* The same, where it is never writable and executable at once. */
static void by_mprotect(const char *what, char *code)
{
    for (int number = 1; number <= 20; number++) {
        mprotect(code, PAGE, PROT_READ | PROT_WRITE);
        put(code, number);
        mprotect(code, PAGE, PROT_READ | PROT_EXEC);
        seen(code);
        is(what, call(code), number);
    }
    munmap(code, PAGE);
}

/* Written elsewhere, in the same memory. */
static void through(const char *what, char *code, char *other)
{
    for (int number = 1; number <= 20; number++) {
        put(other, number);
        seen(code);
        is(what, call(code), number);
    }
    munmap(code, PAGE);
    munmap(other, PAGE);
}

static void by_another_process(void)
{
    int fd = file(0);
    char *code = map(PROT_READ | PROT_EXEC, MAP_SHARED, fd);
    char *other = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);

    is("shared, before", call(code), 0);
    for (int number = 1; number <= 5; number++) {
        pid_t child = fork();

        if (child == 0) {
            put(other, number);
            _exit(0);
        }
        waitpid(child, NULL, 0);
        seen(code);
        is("shared, by another process", call(code), number);
    }
    munmap(code, PAGE);
    munmap(other, PAGE);
    close(fd);
}

static void by_write(const char *what, int flags)
{
    int fd = file(0);
    char *code = map(PROT_READ | PROT_EXEC, flags, fd);

    for (int number = 1; number <= 20; number++) {
        into(fd, number);
        seen(code);
        is(what, call(code), number);
    }
    munmap(code, PAGE);
    close(fd);
}

static void by_other_maps(void)
{
    int one = file(1), two = file(2);
    char *place, *code, *moved;

    for (int round = 0; round < 10; round++) {
        /* What lies around it is nobody else's. */
        place = mmap(NULL, 32 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        code = mmap(place, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, one, 0);
        is("file 1", call(code), 1);
        mmap(code, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, two, 0);
        is("file 2 over it", call(code), 2);
        munmap(code, PAGE);
        mmap(code, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED_NOREPLACE, one, 0);
        is("file 1 at the place of file 2", call(code), 1);
        mmap(code, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        put(code, 3);
        seen(code);
        is("anonymous over it", call(code), 3);
        mmap(code, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, two, 0);
        is("shared over it", call(code), 2);
        moved = mremap(code, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, code + 16 * PAGE);
        is("moved", moved == code + 16 * PAGE ? call(moved) : -1, 2);
        mmap(code, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, one, 0);
        is("where it was", call(code), 1);
        is("moved, again", call(moved), 2);
        munmap(place, 32 * PAGE);
    }
    close(one);
    close(two);
}

/* The first 16 bytes of functions are the same, and how they go on is not. */
static void alike(void)
{
    int fd = file(0);
    char *code = map(RWX, MAP_PRIVATE, fd);
    uint32_t *word = (uint32_t *)code;

    for (int number = 1; number <= 40; number++) {
        for (int i = 0; i < 6; i++) {
            word[i] = NOP;
        }
        word[6] = MOV(number % 20);
        word[7] = RET;
        seen(code);
        is("alike", call(code), number % 20);
    }
    munmap(code, PAGE);
    close(fd);
}

/* The last instruction of a page, and the first of the next one, which is changed alone. */
static void over_two_pages(void)
{
    int fd = file(0);
    uint32_t word = MOV(0);
    char *code;

    ftruncate(fd, 2 * PAGE);
    pwrite(fd, &word, 4, PAGE - 4);
    code = mmap(NULL, 2 * PAGE, RWX, MAP_PRIVATE, fd, 0);
    for (int number = 1; number <= 20; number++) {
        put(code + PAGE, number);
        seen(code + PAGE);
        is("the next page changed", call(code + PAGE - 4), number);
        word = NOP;
        memcpy(code + PAGE - 4, &word, 4);
        seen(code + PAGE - 4);
        is("the end of the page changed", call(code + PAGE - 4), number);
    }
    munmap(code, 2 * PAGE);
    close(fd);
}

/* It returns its own address, and it is in many places. */
static void elsewhere(void)
{
    int fd = file(0);
    uint32_t code[] = { 0x10000000 /* adr x0, . */, RET };
    char *where[16];

    pwrite(fd, code, sizeof(code), 64);
    for (int i = 0; i < 16; i++) {
        where[i] = map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
    }
    for (int i = 0; i < 64; i++) {
        is("its own address", call(where[i % 16] + 64), (long)(where[i % 16] + 64));
    }
    for (int i = 0; i < 16; i++) {
        munmap(where[i], PAGE);
    }
    close(fd);
}

static sigjmp_buf back;
static volatile uintptr_t at;
static volatile long x5;

static void caught(int number, siginfo_t *info, void *context)
{
    ucontext_t *registers = context;

    at = registers->uc_mcontext.pc;
    x5 = registers->uc_mcontext.regs[5];
    siglongjmp(back, 1);
}

/* Where a fault is in a block, and what the registers are then, comes from the cache, too. */
static void fault(void)
{
    struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER };
    int fd = file(0);
    uint32_t code[64];
    char *where;

    sigaction(SIGSEGV, &action, NULL);
    for (int instruction = 1; instruction < 60; instruction++) {
        for (int i = 0; i < 63; i++) {
            code[i] = 0xd2800000u | i << 5 | 5;         /* mov x5, #i */
        }
        code[instruction] = 0xb94003e0u ^ (31 ^ 6) << 5;        /* ldr w0, [x6] */
        code[0] = 0xd2800006u;                          /* mov x6, #0 */
        code[63] = RET;
        pwrite(fd, code, sizeof(code), 0);
        for (int i = 0; i < 2; i++) {
            where = map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
            at = 0;
            if (sigsetjmp(back, 1) == 0) {
                call(where);
            }
            is("where the fault is", at - (uintptr_t)where, 4 * instruction);
            is("a register then", x5 & (instruction == 1 ? 0 : -1), instruction == 1 ? 0 : instruction - 1);
            /* Not executable. */
            mprotect(where, PAGE, PROT_READ);
            at = 0;
            if (sigsetjmp(back, 1) == 0) {
                call(where);
            }
            is("what is not executable", at, (uintptr_t)where);
            munmap(where, PAGE);
        }
    }
    signal(SIGSEGV, SIG_DFL);
    close(fd);
}

#define FUNCTIONS 32
static char *shared;
static volatile int stop;

/* Changes the last number of each function, over and over, while others execute them. */
static void *change(void *unused)
{
    for (unsigned i = 0; !stop; i++) {
        for (int function = 0; function < FUNCTIONS; function++) {
            volatile uint32_t *word = (uint32_t *)(shared + 128 * function);

            word[29] = MOV(i % 2 + 1);
        }
    }
    return unused;
}

/* What is executed for the first time while it changes is afterwards what it is in memory, here and in other processes. */
static void while_it_changes(void)
{
    int fd = file(0);
    uint32_t code[32];
    pthread_t thread;
    char *where;

    shared = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    for (int round = 0; round < 100; round++) {
        for (int function = 0; function < FUNCTIONS; function++) {
            for (int i = 0; i < 29; i++) {
                /* orr x1, x1, x2 and the like: something to translate, never the same twice */
                code[i] = 0xaa020021u | ((round * FUNCTIONS + function) >> i % 12 & 1) << 10;
            }
            code[28] = 0xd2800002u | (round * FUNCTIONS + function) << 5;       /* mov x2, #n */
            code[29] = MOV(1);
            code[30] = RET;
            memcpy(shared + 128 * function, code, sizeof(code));
        }
        stop = 0;
        where = map(PROT_READ | PROT_EXEC, MAP_SHARED, fd);
        pthread_create(&thread, NULL, change, NULL);
        for (int function = 0; function < FUNCTIONS; function++) {
            long number = call(where + 128 * function);

            is("while it changes", number == 1 || number == 2, 1);
        }
        stop = 1;
        pthread_join(thread, NULL);
        munmap(where, PAGE);
        for (int number = 1; number <= 2; number++) {
            for (int function = 0; function < FUNCTIONS; function++) {
                ((uint32_t *)(shared + 128 * function))[29] = MOV(number);
            }
            where = map(PROT_READ | PROT_EXEC, MAP_SHARED, fd);
            for (int function = 0; function < FUNCTIONS; function++) {
                is("after it has changed", call(where + 128 * function), number);
            }
            munmap(where, PAGE);
        }
    }
    munmap(shared, PAGE);
    close(fd);
}

int main(void)
{
    int fd, memory;

    for (int round = 0; round < 2; round++) {
        in_place("anonymous", map(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1));
        in_place("anonymous and shared", map(RWX, MAP_SHARED | MAP_ANONYMOUS, -1));
        by_mprotect("anonymous, by mprotect", map(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1));
        fd = file(0);
        in_place("private", map(RWX, MAP_PRIVATE, fd));
        by_mprotect("private, by mprotect", map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd));
        in_place("shared", map(RWX, MAP_SHARED, fd));
        by_mprotect("shared, by mprotect", map(PROT_READ | PROT_EXEC, MAP_SHARED, fd));
        through("shared, by another map", map(PROT_READ | PROT_EXEC, MAP_SHARED, fd),
                map(PROT_READ | PROT_WRITE, MAP_SHARED, fd));
        through("private, by a shared map", map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd),
                map(PROT_READ | PROT_WRITE, MAP_SHARED, fd));
        close(fd);
        fd = memfd_create("code", 0);
        ftruncate(fd, PAGE);
        in_place("memfd", map(RWX, MAP_SHARED, fd));
        through("memfd, by another map", map(PROT_READ | PROT_EXEC, MAP_SHARED, fd),
                map(PROT_READ | PROT_WRITE, MAP_SHARED, fd));
        close(fd);
        memory = shmget(IPC_PRIVATE, PAGE, 0700 | IPC_CREAT);
        in_place("shm", shmat(memory, NULL, SHM_EXEC));
        shmctl(memory, IPC_RMID, NULL);
        memory = shmget(IPC_PRIVATE, PAGE, 0700 | IPC_CREAT);
        through("shm, by another map", shmat(memory, NULL, SHM_EXEC | SHM_RDONLY), shmat(memory, NULL, 0));
        shmctl(memory, IPC_RMID, NULL);
        by_another_process();
        by_write("shared, by write", MAP_SHARED);
        by_write("private, by write", MAP_PRIVATE);
        by_other_maps();
        alike();
        over_two_pages();
        elsewhere();
        fault();
    }
    while_it_changes();
    printf("%d of %d wrong\n", wrong, done);
    return wrong != 0;
}

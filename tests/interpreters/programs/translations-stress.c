/*
 * Threads that execute new code all the time, while another one forks, children that do so too, and signals whose handler is
 * new code. It is for AArch64: a function is one that returns a number. It says which answers were wrong, of how many.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUNCTIONS 4096
#define WORDS 8         /* of each function */
#define SIZE (FUNCTIONS * WORDS * 4)
#define THREADS 3

typedef unsigned function(unsigned);

static int file;
static atomic_int stop, wrong, done, signals;
static char *volatile for_signals;

static void make(void)
{
    uint32_t code[WORDS];

    file = memfd_create("code", 0);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        for (int word = 0; word < WORDS; word++) {
            code[word] = 0xd503201f;                    /* nop */
        }
        code[i % 5] = 0x52800001u | i << 5;             /* mov w1, #i */
        code[5] = 0x4b000020u;                          /* sub w0, w1, w0 */
        code[6] = 0x0a010000u | (i & 1 ? 1u << 29 : 0); /* and w0, w0, w1; or orr */
        code[7] = 0xd65f03c0;                           /* ret */
        if (write(file, code, sizeof(code)) != sizeof(code)) {
            exit(2);
        }
    }
}

static unsigned expected(unsigned i, unsigned x)
{
    unsigned y = i - x;

    return i & 1 ? y | i : y & i;
}

static char *map(void)
{
    char *code = mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);

    if (code == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    return code;
}

static void check(char *code, unsigned i, unsigned x)
{
    done++;
    if (((function *)(code + i * WORDS * 4))(x) != expected(i, x)) {
        wrong++;
    }
}

/* Functions that nobody has executed in this map; some of them, so that others are new for another one. */
static void some(unsigned seed, int number)
{
    char *code = map();

    for (int n = 0; n < number; n++) {
        seed = seed * 1664525 + 1013904223;
        check(code, seed >> 20, seed & 255);
    }
    munmap(code, SIZE);
}

static void *thread(void *number)
{
    for (unsigned seed = (uintptr_t)number; !stop; seed += THREADS) {
        some(seed, 64);
    }
    return NULL;
}

static void handler(int number)
{
    check(for_signals, ++signals % FUNCTIONS, number);
}

int main(int argc, char **argv)
{
    struct itimerval often = { { 0, 700 }, { 0, 700 } };
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    pthread_t threads[THREADS];
    int forks = argc > 1 ? atoi(argv[1]) : 200, status;

    make();
    for_signals = map();
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (uintptr_t i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, thread, (void *)i);
    }
    for (int i = 0; i < forks; i++) {
        pid_t child = fork();

        if (child == 0) {
            wrong = 0;
            some(i * 7 + 1, 64);
            _exit(wrong != 0);
        }
        done++;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
            printf("a child: %d, %x\n", child, status);
            wrong++;
        }
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
    if (signals == 0) {
        puts("no signal");
        return 2;
    }
    printf("%d of %d wrong\n", wrong, wrong ? done : 0);
    return wrong != 0;
}

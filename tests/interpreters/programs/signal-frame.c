/*
 * Signal handlers find the stack as a call leaves it, so that they may store 16 bytes of SSE on it at once: QEMU's
 * issue 1648. It prints a line for each kind of handler, "ok ..." or what is wrong, and ends with 1 if one is wrong.
 * Where even the store fails, SIGSEGV ends it.
 *
 *   signal-frame
 *
 * Compiled for amd64 and i386; without an interpreter both are their own reference:
 *
 *   gcc -O2 -Wall -static -o signal-frame-amd64 signal-frame.c
 *   i686-linux-gnu-gcc -O2 -Wall -static -msse2 -o signal-frame-i386 signal-frame.c
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK 65536

uintptr_t entry;     /* the stack pointer at the handler's first instruction */
uintptr_t context;   /* the handler's third argument */
char before[16] = "0123456789abcde", after[16]; /* xmm0 when the signal is sent, and when the handler has returned */
void handler(void);  /* stores xmm0 on the stack, and clears it */
void restorer(void); /* returns from a handler with SA_SIGINFO, for the system calls themselves */

#ifdef __x86_64__
__asm__(".text\n"
        "handler:\n"
        "    mov %rsp, entry(%rip)\n"
        "    mov %rdx, context(%rip)\n"
        "    sub $24, %rsp\n"
        "    movaps %xmm0, (%rsp)\n"
        "    pxor %xmm0, %xmm0\n"
        "    add $24, %rsp\n"
        "    ret\n"
        "restorer:\n"
        "    mov $15, %eax\n"
        "    syscall\n");
#else
__asm__(".text\n"
        "handler:\n"
        "    mov %esp, entry\n"
        "    mov 12(%esp), %eax\n"
        "    mov %eax, context\n"
        "    sub $28, %esp\n"
        "    movaps %xmm0, (%esp)\n"
        "    pxor %xmm0, %xmm0\n"
        "    add $28, %esp\n"
        "    ret\n"
        "restorer:\n"
        "    mov $173, %eax\n"
        "    int $0x80\n");
#endif

/* Sends this process a signal, with a lower stack pointer. Whether xmm0 and the red zone are kept. */
static int interrupted(int lower, int signal)
{
    long result;

    memset(after, 0, sizeof after);
#ifdef __x86_64__
    __asm__ volatile("sub %[lower], %%rsp\n"
                     "movq $0x5a5a, -128(%%rsp)\n"
                     "movups before(%%rip), %%xmm0\n"
                     "syscall\n"
                     "movups %%xmm0, after(%%rip)\n"
                     "cmpq $0x5a5a, -128(%%rsp)\n"
                     "mov $1, %%ecx\n"
                     "cmovne %%rcx, %%rax\n"
                     "add %[lower], %%rsp\n"
                     : "=a"(result)
                     : "0"((long)SYS_kill), "D"((long)getpid()), "S"((long)signal), [lower] "r"((long)lower + 128)
                     : "rcx", "r11", "xmm0", "memory", "cc");
#else
    __asm__ volatile("sub %[lower], %%esp\n"
                     "movups before, %%xmm0\n"
                     "int $0x80\n"
                     "movups %%xmm0, after\n"
                     "add %[lower], %%esp\n"
                     : "=a"(result)
                     : "0"(SYS_kill), "b"(getpid()), "c"(signal), [lower] "r"(lower)
                     : "xmm0", "memory", "cc");
#endif
    return result == 0 && memcmp(before, after, sizeof before) == 0;
}

static int check(const char *name, int signal, const stack_t *stack)
{
    char wrong[128] = "";

    for (int lower = 0; lower < 128 && !*wrong; lower++) {
        entry = 0;
        if (!interrupted(lower, signal))
            snprintf(wrong, sizeof wrong, "lower by %d: xmm0 or the red zone has changed", lower);
        else if ((entry + sizeof entry) % 16 != 0)
            snprintf(wrong, sizeof wrong, "lower by %d: the handler's stack pointer is %#lx", lower, (long)entry);
        else if ((entry - (uintptr_t)stack->ss_sp < STACK) != (strstr(name, "SA_ONSTACK") != NULL))
            snprintf(wrong, sizeof wrong, "lower by %d: %#lx is on the wrong stack", lower, (long)entry);
#ifdef __x86_64__
        else if (strstr(name, "SA_SIGINFO") && (uintptr_t)((ucontext_t *)context)->uc_mcontext.fpregs % 64 != 0)
            snprintf(wrong, sizeof wrong, "lower by %d: the floating-point state is at %p", lower,
                     (void *)((ucontext_t *)context)->uc_mcontext.fpregs);
#endif
    }
    printf("%s %s%s%s\n", *wrong ? "WRONG" : "ok", name, *wrong ? ": " : "", wrong);
    fflush(stdout);
    return *wrong != 0;
}

/* By the C library, which has a restorer of its own. */
static int by_library(const char *name, int flags, const stack_t *stack)
{
    struct sigaction action = { .sa_flags = flags };

    action.sa_handler = (void (*)(int))handler;
    sigaction(SIGUSR1, &action, NULL);
    return check(name, SIGUSR1, stack);
}

/* By the system call, with a restorer of ours or, on i386, without one. */
static int by_call(const char *name, unsigned long flags, const stack_t *stack)
{
    struct {
        void (*handler)(void);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = { handler, flags, flags & 0x04000000 ? restorer : NULL, 0 };

    if (syscall(SYS_rt_sigaction, SIGUSR2, &action, NULL, 8))
        return perror(name), 1;
    return check(name, SIGUSR2, stack);
}

int main(void)
{
    stack_t stack = { .ss_size = STACK };
    int wrong = 0;

    stack.ss_sp = mmap(NULL, STACK + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack.ss_sp = (char *)stack.ss_sp + 24; /* POSIX does not ask that it is aligned */
    if (sigaltstack(&stack, NULL))
        return perror("sigaltstack"), 1;

    wrong |= by_library("no flags", 0, &stack);
    wrong |= by_library("SA_SIGINFO", SA_SIGINFO, &stack);
    wrong |= by_library("SA_ONSTACK", SA_ONSTACK, &stack);
    wrong |= by_library("SA_SIGINFO, SA_ONSTACK", SA_SIGINFO | SA_ONSTACK, &stack);
    wrong |= by_call("SA_SIGINFO, SA_RESTORER", SA_SIGINFO | 0x04000000, &stack);
    wrong |= by_call("SA_SIGINFO, SA_RESTORER, SA_ONSTACK", SA_SIGINFO | 0x04000000 | SA_ONSTACK, &stack);
#ifdef __i386__
    wrong |= by_call("no flags, no restorer", 0, &stack);
    wrong |= by_call("SA_SIGINFO, no restorer", SA_SIGINFO, &stack);
    wrong |= by_call("SA_SIGINFO, SA_ONSTACK, no restorer", SA_SIGINFO | SA_ONSTACK, &stack);
#endif
    return wrong;
}

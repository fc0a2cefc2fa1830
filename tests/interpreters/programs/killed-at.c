/*
 * Executes an interpreter, named by QEMU, with the arguments given, and ends it by SIGKILL while it adds to its cache of
 * translations. AT is which time, from 1, and when: -1 in the middle of writing, else so many instructions of the processor
 * after that. It is for x86-64. Exit status 3: the interpreter ended before that.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD 1000

/* Goes on to the next stop; ends with 3 if there is none. */
static int next(pid_t child, int how, int signal)
{
    int status;

    ptrace(how, child, NULL, signal);
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) {
        exit(3);
    }
    return WSTOPSIG(status);
}

int main(int argc, char **argv)
{
    struct user_regs_struct registers;
    int time, when, stop = 0, status;
    pid_t child;

    if (!getenv("AT") || sscanf(getenv("AT"), "%d %d", &time, &when) != 2) {
        return 2;
    }
    child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        argv[0] = getenv("QEMU");
        execv(argv[0], argv);
        _exit(2);
    }
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (;;) {
        stop = next(child, PTRACE_SYSCALL, stop);
        if (stop != (SIGTRAP | 0x80)) {
            continue;
        }
        stop = 0;
        ptrace(PTRACE_GETREGS, child, NULL, &registers);
        /* What is to be written is mapped so for that, and not longer. */
        if (registers.orig_rax == SYS_mmap && registers.r8 == FD && registers.rdx & PROT_WRITE && --time == 0) {
            break;
        }
        if (registers.orig_rax != SYS_exit_group) {
            next(child, PTRACE_SYSCALL, 0); /* its end */
        }
    }
    next(child, PTRACE_SYSCALL, 0); /* its end */
    if (when >= 0) {
        next(child, PTRACE_SYSCALL, 0); /* munmap */
        next(child, PTRACE_SYSCALL, 0);
    } else {
        when = 100;
    }
    while (when--) {
        next(child, PTRACE_SINGLESTEP, 0);
    }
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) == child && !WIFSIGNALED(status)) {
    }
    return 0;
}

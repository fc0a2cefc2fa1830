// Says how many KiB of memory a program holds when it exits, and of these on its stack: memory FILE PROGRAM [ARGUMENT...]
//
// Neither getrusage(2) nor GNU time can tell for programs this small: they count what the process held before execve,
// and since Linux 6.2 the kernel counts pages in batches. So the process is stopped as it exits, and the pages in its
// page tables are counted, as /proc/PID/smaps shows them. None of those measured gives memory back before that.

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void measure(FILE *out, pid_t process) {
    char path[64], line[4096];
    long all = 0, stack = 0, size;
    int in_stack = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps", process);
    FILE *smaps = fopen(path, "r");
    while (smaps && fgets(line, sizeof line, smaps)) {
        if (strchr(line, '-') && strchr(line, '-') < line + 17)
            in_stack = strstr(line, "[stack]") != NULL;
        if (sscanf(line, "Rss: %ld", &size) == 1) {
            all += size;
            stack += in_stack ? size : 0;
        }
    }
    fprintf(out, "%ld %ld\n", all, stack);
}

int main(int argc, char **argv) {
    FILE *out = argc > 2 ? fopen(argv[1], "we") : NULL;
    if (!out)
        return 2;
    pid_t process = fork();
    if (process == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    int status;
    waitpid(process, &status, 0); // stopped by its execve
    ptrace(PTRACE_SETOPTIONS, process, 0, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
    ptrace(PTRACE_CONT, process, 0, 0);
    while (waitpid(process, &status, 0) == process && WIFSTOPPED(status)) {
        int exits = status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8);
        if (exits)
            measure(out, process);
        ptrace(PTRACE_CONT, process, 0, exits || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

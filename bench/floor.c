// The least a registration takes: ready-made lines, written one by one. No library, nothing decided, nothing said.
// `lines.h` holds a `LINE("...")` each.

static const struct { const char *text; unsigned long length; } lines[] = {
#define LINE(text) { text, sizeof text - 1 },
#include "lines.h"
};

static long call(long number, long a, const void *b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

enum { WRITE = 1, EXIT = 60, OPENAT = 257, AT_FDCWD = -100, O_WRONLY = 1 };

void _start(void) {
    long failed = 0, file = call(OPENAT, AT_FDCWD, "/proc/sys/fs/binfmt_misc/register", O_WRONLY);
    for (unsigned long i = 0; i < sizeof lines / sizeof *lines; i++)
        failed |= call(WRITE, file, lines[i].text, (long)lines[i].length) < 0;
    call(EXIT, failed, 0, 0);
    __builtin_unreachable();
}

/*
 * Starts, and asks for memory in each way that the C library does: by brk(), and by mmap(). It ends with 0 if it has got it
 * all. With -DHUGE it takes a gigabyte (three of 64-bit architectures) for itself, at the address that the linker gave it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HUGE
static char huge[(sizeof(void *) == 8 ? 3ULL : 1ULL) << 30];
#endif

int main(void)
{
    char *heap = sbrk(1 << 20), *large = malloc(16 << 20);

#ifdef HUGE
    huge[0] = huge[sizeof huge - 1] = 1;
#endif
    if (heap == (void *)-1 || !large)
        return 1;
    memset(heap, 1, 1 << 20);
    memset(large, 1, 4096);
    return 0;
}

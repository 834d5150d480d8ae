// Random numbers that are the same in every run: maps are filled in the same order, and a fuzzer sees the same paths.
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

ssize_t getrandom(void *bytes, size_t length, unsigned flags) {
    (void)flags;
    memset(bytes, 0x5a, length);
    return (ssize_t)length;
}

/* What the fuzz targets share. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A promise of the code under test; libFuzzer reports the trap and keeps the input. */
#define MUST_HOLD(condition)                                                                                           \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            __builtin_trap();                                                                                          \
    } while (0)

/* A file with these bytes, for code that wants a path; always the same one, in memory. */
const char *input_file(const uint8_t *data, size_t size);

#endif

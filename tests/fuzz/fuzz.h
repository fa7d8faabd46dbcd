/*
 * What a fuzz target is: one function that is given bytes from outside, hands them to a parser and
 * checks the laws that hold for whatever the parser took. A law that is broken aborts, as does a
 * wrong access under the sanitizers.
 *
 * With -Dfuzz=true libFuzzer makes up the bytes. Without it main() is that of replay.c, which gives
 * the target each file of its corpus: so every law is checked in every run of the tests.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names are libFuzzer's. Both return 0. The second is called once, before anything else. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A law of the target. What is printed says what should hold. Aborts, because libFuzzer keeps no
 * input of a program that g_error() stopped. */
#define LAW(condition)                                                                             \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #condition);    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* As a NUL-terminated text; NULL when there is a NUL inside. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    return size > 0 && memchr(data, '\0', size) != NULL ? NULL
                                                        : g_strndup((const char *)data, size);
}

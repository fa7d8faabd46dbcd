/*
 * Arguments for calls: made from a signature, or a good call with something changed in it.
 *
 * Everything follows from one seeded generator. A value is a floating GVariant; types that the bus
 * does not have are never made. What an earlier answer gave, and words that good calls use, are
 * offered as texts through `offer`.
 */
#pragma once

#include <glib.h>

typedef struct {
    GRand *random;
    const char *(*offer)(void *data, GRand *random); /* NULL: nothing to offer yet */
    void *data;
} FuzzSource;

/* Of a single complete type. */
GVariant *fuzz_value(const FuzzSource *source, const char *type);
/* Of as many as the signature has, as a tuple. */
GVariant *fuzz_arguments(const FuzzSource *source, const char *signature);
/* The same type with one thing in it changed. */
GVariant *fuzz_mutate(const FuzzSource *source, GVariant *value);
/* The signature of something, seldom of anything that is expected. */
const char *fuzz_signature(const FuzzSource *source);
/* Every text in the value, replaced by what `replace` gives for it (NULL: kept). */
GVariant *fuzz_replace_texts(GVariant *value, char *(*replace)(void *data, const char *text),
                             void *data);

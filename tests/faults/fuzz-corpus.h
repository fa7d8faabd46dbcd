/*
 * Calls that are good, and what answers taught.
 *
 * A corpus is a text file: a line for each call, "<interface>.<member> <arguments>", the arguments
 * a tuple as GVariant writes it; "#" begins a comment. A text "$Member.result" stands for what an
 * earlier answer of that method gave as that result, "$unique" for one that was never used before.
 */
#pragma once

#include "fuzz-targets.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const FuzzMethod *method;
    GVariant *arguments;
} FuzzGood;

typedef struct {
    GPtrArray *goods;    /* FuzzGood */
    GPtrArray *words;    /* texts of good calls */
    GHashTable *learned; /* "Member.result": GPtrArray of texts, the newest last */
    GPtrArray *pieces;   /* of documents that were answered */
    guint64 n_unique;
} FuzzCorpus;

void fuzz_corpus_init(FuzzCorpus *corpus);
void fuzz_corpus_clear(FuzzCorpus *corpus);
/* Every line must fit a method among the targets. */
bool fuzz_corpus_load(FuzzCorpus *corpus, const char *path, const FuzzTargets *targets,
                      GError **error);

void fuzz_corpus_learn(FuzzCorpus *corpus, const FuzzMethod *method, unsigned result,
                       const char *text);
/* A good call of this method with everything filled in; NULL when there is none yet. */
GVariant *fuzz_corpus_good(FuzzCorpus *corpus, const FuzzMethod *method, GRand *random);
/* The same of one line, with the newest of what was learned. */
GVariant *fuzz_corpus_line(FuzzCorpus *corpus, guint line, GRand *random);
/* For FuzzSource. */
const char *fuzz_corpus_offer(void *corpus, GRand *random);

/*
 * Mending a damaged journal by another generation of it (docs/format.md 7.3).
 *
 * First it is examined, which changes nothing: what is damaged, and what becomes of that. Then the
 * next generation is built beside it, `journal.db.new`, with the same entries, places and leaves,
 * and verified like any journal. Only then it takes the place of the one there was, in one step,
 * which is kept as `journal.<n>`: a crash leaves the one or the other. All of it goes in short
 * steps, between which the store is used as before: what is appended meanwhile is in both.
 *
 * Which bytes are right is told by hashes alone: each leaf by the tiles above it and by the signed
 * head, a body by its header. So nothing depends on where they come from, and what cannot be had
 * is named: a loss is known, a guess is none.
 */
#pragma once

#include "store/store.h"

typedef struct SyncdMend SyncdMend;

typedef enum {
    SYNCD_MEND_REFILLED, /* a source has the bytes */
    SYNCD_MEND_DERIVED,  /* made anew from the entries */
    SYNCD_MEND_LOST,     /* nowhere to be had: gone, and named */
    SYNCD_MEND_KNOWN,    /* the same, and was so before */
    SYNCD_MEND_BEYOND,   /* nothing can stand in for it: no generation can be made */
} SyncdMendOutcome;

typedef struct {
    const char
        *what; /* "header", "body", "tiles", "place", "head", "meta", "content",
                  "checkpoint", "purge", "tree", "feeds", "schema", "structure": a constant */
    SyncdMendOutcome outcome;
    char *feed; /* as text, "" when it is not about a feed */
    gint64 seq; /* -1 when it is not about one entry; the same for pos */
    gint64 pos;
    char *digest; /* of content, by which entries name it; NULL of all else, or not to be read */
    char *source; /* where the bytes are had, NULL for nowhere */
} SyncdMendItem;

/* Borrows the store. There must be no open turn when it is stepped. Busy in a purge's way. */
SyncdMend *syncd_mend_new(SyncdStore *store, GError **error);
void syncd_mend_free(SyncdMend *mend); /* what was built and not switched to is removed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdMend, syncd_mend_free)

/* Until `*ret_more` is false. Damage is no error. */
bool syncd_mend_examine(SyncdMend *mend, bool *ret_more, GError **error);
/* SyncdMendItem, in the order they were met; at most SYNCD_MEND_MAX_ITEMS are kept, the counts go
 * on. */
#define SYNCD_MEND_MAX_ITEMS 1000u
const GPtrArray *syncd_mend_items(const SyncdMend *mend);
char *syncd_mend_item_name(const SyncdMendItem *item); /* "header of sequence number 12" */
guint64 syncd_mend_count(const SyncdMend *mend, SyncdMendOutcome outcome);
/* Whether anything is otherwise in the next generation than it is now, or where it should be. */
bool syncd_mend_is_needed(const SyncdMend *mend);
/* Whether there can be one; JournalCorrupt says why not, and what to do. */
bool syncd_mend_is_possible(const SyncdMend *mend, GError **error);
double syncd_mend_progress(const SyncdMend *mend); /* 0 to 1, of the phase it is in */

/* After the examination: builds and verifies, until `*ret_more` is false. */
bool syncd_mend_build(SyncdMend *mend, bool *ret_more, GError **error);
/* Then: puts it in its place. On failure the journal is the one there was, or the store takes no
 * writes until it is opened again. */
bool syncd_mend_switch(SyncdMend *mend, GError **error);

/* Another generation is in the journal's place, and could not be opened: what is open is the one
 * before it, until the next start. */
bool syncd_mend_is_unopened(const SyncdStore *store);

/* Whether a finding of a verification is of what mending the journal mends: content beside it, what
 * a key opens, and an end that is missing, is not. */
bool syncd_mend_concerns(const char *code);
/* A name "journal.<n>" that is not taken, at least the journal's own. */
char *syncd_store_free_generation(SyncdStore *store, GError **error);
/* Removes a generation that was kept. */
bool syncd_store_drop_generation(SyncdStore *store, guint64 generation, GError **error);
/* After a crash: removes a generation, and copies, that were not finished, and the second name that
 * the journal itself was given before it should have been replaced. */
void syncd_mend_clear_leftovers(SyncdStore *store);

/* Which generation the journal is, from 1. */
bool syncd_store_generation(SyncdStore *store, guint64 *ret_generation, GError **error);

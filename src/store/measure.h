/*
 * How a store is, measured without touching it: no byte of the state changes, nothing is projected
 * and nothing is waited for. What a health report says of its stores comes from here.
 */
#pragma once

#include "store/store.h"

typedef struct {
    bool there;
    guint32 version; /* of its schema, as it was read; 0: it could not be */
    guint32 newest;  /* that this program knows */
    guint64 bytes;
} SyncdDatabaseFacts;

typedef struct {
    SyncdStoreCondition condition;
    SyncdDatabaseFacts journal, index;
    guint64 sequence;    /* of the newest committed entry */
    guint64 unprojected; /* entries that no lookup finds: while the index is made, or is not there
                          */
    guint64 waiting;     /* entries that are looked up in memory, and not in the index yet */
    bool rebuilding;     /* an index is being made */
    bool remaking;       /* another one is made beside the one that serves */
    unsigned copies;     /* of the log's database, from before migrations */
    char *index_problem; /* why there is no index; NULL: there is one, or it is being made */
    guint64 oldest_ms;   /* of what is unprojected or waiting; 0: nothing is, or nobody knows */
    bool counted;        /* `lanes` holds */
    gint64 lanes[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS]; /* by rank */
} SyncdStoreFacts;

void syncd_store_measure(SyncdStore *store, SyncdStoreFacts *ret_facts);
void syncd_store_facts_clear(SyncdStoreFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdStoreFacts, syncd_store_facts_clear)
/* How many entries of a kind the index has, as far as it is; false: nobody knows. */
bool syncd_store_tally(SyncdStore *store, const char *kind, guint64 *ret_count);
/* Whether some deletion is in that state, as far as the index is; false: nobody knows. */
bool syncd_store_has_deletion_in(SyncdStore *store, SyncdDeletionState state, bool *ret_has);
/* The directory that the state lies in. */
const char *syncd_store_path(const SyncdStore *store);
/* A command that works on the directory has to be told where it is. */
bool syncd_store_is_elsewhere(const SyncdStore *store);

/* A hash of a text under a secret of this state, each domain for itself: whoever knows the text
 * cannot guess it. Always the same; false where the device's key is not here. */
bool syncd_store_keyed_hash(SyncdStore *store, const char *domain, const char *text,
                            SyncdHash *ret_hash);

/*
 * What a health report is made of, and the files that write its blocks. Private to the report.
 *
 * The facts are collected first (health-collect.c) and are then only read: the same facts give the
 * same bytes.
 */
#pragma once

#include "base/json-writer.h"
#include "domain/invariants.h"
#include "service/damage.h"
#include "service/internal.h"
#include "store/measure.h"

typedef struct {
    SyncdInstance instance;
    const SyncdProcess *process;
    guint64 now_usec;
    guint64 duration_usec;
    const char *state_missing; /* why there is no store; NULL: there is one */

    SyncdRuntime runtime; /* borrows */
    SyncdVerified verified;
    guint64 findings; /* of verifications, that still hold */
    guint64 unheld;   /* those of them that heads do not hold with: not those of content alone */
    SyncdStoreFacts store;
    guint64 generation;            /* of the log; 0: not known */
    bool index_checked;            /* the index that serves was held against the log … */
    bool index_damaged;            /* … or met with something malformed in it */
    bool unreadable;               /* its journal cannot be opened: nobody knows what it has */
    bool offline;                  /* nobody serves it: its index is not opened */
    const SyncdAttestor *attestor; /* NULL: the device's key is not here */
    char node[SYNCD_DIGEST_SIZE], boot[SYNCD_DIGEST_SIZE]; /* "": not known */
    guint64 feeds;
    SyncdOutside outside;

    const SyncdState *state; /* NULL without a store */
    GPtrArray *found;        /* SyncdFound: what a diagnosis finds; NULL: nobody asked for one */
    guint64 mismatched;      /* files that are not what is recorded: 1 for any */
    bool deletions_known;
    bool undelivered, unproven; /* deletions that are not through; purges that have no proof */
    guint64 deletions[SYNCD_N_DELETION_EVENTS]; /* entries that are one, when they are known */
    bool lacks_room;

    const char *policy_digest;
    guint64 policy_rules, policy_since_ms;
    bool policy_refused, policy_unusable;
    guint64 decided[SYNCD_N_DECIDED];

    GPtrArray *errors, *unavailable, *denied; /* char *: "<field>: <reason>" */
} SyncdHealthFacts;

void syncd_health_facts_init(SyncdHealthFacts *facts);
void syncd_health_facts_clear(SyncdHealthFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdHealthFacts, syncd_health_facts_clear)

/* health-collect.c */
void syncd_health_collect(SyncdService *service, SyncdHealthFacts *facts);
/* Of a directory that has no state, or what is above it. */
void syncd_health_collect_nothing(const char *directory, const SyncdSources *sources,
                                  const char *why, SyncdHealthFacts *facts);

/* Each writes a block of the report, its name and its value. */
typedef void SyncdHealthWriter(const SyncdHealthFacts *facts, SyncdJsonWriter *writer);
SyncdHealthWriter syncd_health_write_identity; /* health-identity.c */
SyncdHealthWriter syncd_health_write_collection;
SyncdHealthWriter syncd_health_write_runtime;
SyncdHealthWriter syncd_health_write_stores;    /* health-stores.c */
SyncdHealthWriter syncd_health_write_lanes;     /* health-lanes.c */
SyncdHealthWriter syncd_health_write_pipeline;  /* health-pipeline.c */
SyncdHealthWriter syncd_health_write_resources; /* health-resources.c */
SyncdHealthWriter syncd_health_write_policy;
SyncdHealthWriter syncd_health_write_local_state; /* health-local.c: a member of the diagnosis */

/* health-invariants.c: elements of the array, those that only the daemon can know. */
void syncd_health_write_own_invariants(const SyncdHealthFacts *facts, SyncdJsonWriter *writer);

/* health-identity.c: null for 0. */
void syncd_health_write_time(SyncdJsonWriter *writer, const char *name, guint64 usec);
/* health.c: the report, as one line of JSON. */
char *syncd_health_conclude(const SyncdHealthFacts *facts);
/* health-stores.c: what is known of the log's bytes: "verified", "unverified" or "mismatch". */
const char *syncd_health_checksum_state(const SyncdHealthFacts *facts);
bool syncd_health_is_damaged(const SyncdHealthFacts *facts);
/* Whether more than content is: the log may not be what its heads sign. */
bool syncd_health_is_unheld(const SyncdHealthFacts *facts);

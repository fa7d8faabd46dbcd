/*
 * A log of any length, written through the store itself: 64 entries a commit, all kinds that may
 * stand in the middle of a log, bodies of 600 bytes, one operation in eight with an idempotency
 * key.
 */
#pragma once

#include "store/store.h"

#define POPULATION_COMMIT 64u
#define POPULATION_BODY 600u
#define POPULATION_OBJECTS 1000u

/* A JSON object of exactly that many bytes, NUL-terminated. */
static inline char *population_body(size_t size)
{
    static const char before[] = "{\"text\":\"", after[] = "\"}";
    char *body = g_malloc(size + 1);
    memset(body, 'x', size);
    memcpy(body, before, strlen(before));
    memcpy(body + size - strlen(after), after, sizeof after);
    return body;
}

static inline bool population_append(SyncdStore *store, const char *actor, const char *scope,
                                     const char *body, unsigned number, GError **error)
{
    /* Operations of callers are most of what a log holds. */
    static const char *const kinds[] = {
        "operation.enqueue", "operation.enqueue",   "operation.enqueue", "operation.enqueue",
        "operation.replay",  "operation.reconcile", "operation.enqueue", "operation.enqueue",
        "conflict.detect",   "conflict.resolve",    "operation.enqueue", "operation.enqueue",
        "repair.apply",      "tombstone.apply",     "checkpoint.write",  "policy.refused",
    };
    const char *kind = kinds[number % G_N_ELEMENTS(kinds)];
    g_autofree char *object = g_strdup_printf("object:%u", number % POPULATION_OBJECTS);
    g_autofree char *key = number % 8 == 0 ? g_strdup_printf("key-%u", number) : NULL;
    g_autofree char *meta =
        key != NULL ? g_strdup_printf("{\"data_class\":\"internal\",\"idempotency_key\":\"%s\","
                                      "\"type\":\"sync.%s\"}",
                                      key, kind)
                    : g_strdup_printf("{\"data_class\":\"internal\",\"type\":\"sync.%s\"}", kind);
    SyncdDraft draft = {
        .kind = kind,
        .actor = actor,
        .object = object,
        .decision = "policy-0123456789abcdef",
        .engine = "",
        .lane = "normal",
        .schema_id = "sourceos.workspace-operation/v1alpha1",
        .schema_version = 1,
        .idempotency_key = key,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES(body, POPULATION_BODY),
    };
    return syncd_store_append(store, scope, &draft, NULL, error);
}

/* Adds entries to the scope, and leaves nothing for later. */
static inline bool population_write(SyncdStore *store, const char *actor, const char *scope,
                                    unsigned n, GError **error)
{
    g_autofree char *body = population_body(POPULATION_BODY);
    for (unsigned i = 0; i < n; i++) {
        if (!population_append(store, actor, scope, body, i, error))
            return false;
        if ((i % POPULATION_COMMIT == POPULATION_COMMIT - 1 || i == n - 1) &&
            !syncd_store_commit(store, NULL, error))
            return false;
    }
    return syncd_store_settle(store, error);
}

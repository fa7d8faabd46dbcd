/*
 * Operations of the lane ephemeral (presence, cursors): in memory, in no log.
 *
 * The table owns them. Each lives for a minute, or until its uid needs the room: a uid has so many
 * and so many bytes, and its oldest is dropped for a new one, never somebody else's. Only so many
 * uids have any at a time. Nothing of it survives the process.
 *
 * All times are monotonic microseconds unless they say otherwise.
 */
#pragma once

#include "base/bytes.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#define SYNCD_EPHEMERAL_EACH_MAX 256u /* of one uid, as the next one */
#define SYNCD_EPHEMERAL_EACH_SIZE (256u * 1024u)
#define SYNCD_EPHEMERAL_BODY_SIZE (64u * 1024u)
#define SYNCD_EPHEMERAL_UIDS_MAX 64u
#define SYNCD_EPHEMERAL_LIFE_MS 60000u

typedef struct {
    uid_t uid;
    char *operation;
    char *actor;
    char *scope_id;
    char *object;
    char *key; /* NULL for none */
    char *meta;
    char *body;
    char *decision;
    const char *kind; /* this and the next one are constants */
    const char *data_class;
    size_t body_size;
    guint64 ms;      /* of the wall clock, when it came */
    guint64 until;   /* when it is gone; the table sets this and the next one */
    guint64 arrival; /* 1 for the first */
} SyncdEphemeral;

void syncd_ephemeral_free(SyncdEphemeral *ephemeral);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdEphemeral, syncd_ephemeral_free)

typedef struct {
    guint operations;
    size_t bytes;
    guint64 dropped; /* since the start, as the next one */
    guint64 expired;
} SyncdEphemeralCounts;

typedef struct SyncdEphemerals SyncdEphemerals;

SyncdEphemerals *syncd_ephemerals_new(void);
void syncd_ephemerals_free(SyncdEphemerals *ephemerals);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdEphemerals, syncd_ephemerals_free)

/* Whether this uid may have one. */
bool syncd_ephemerals_have_room(const SyncdEphemerals *ephemerals, uid_t uid);
/* Takes it over, when there is room; its body is at most SYNCD_EPHEMERAL_BODY_SIZE. */
const SyncdEphemeral *syncd_ephemerals_add(SyncdEphemerals *ephemerals, SyncdEphemeral *ephemeral,
                                           guint64 now);
/* Borrowed until the next one is added or has expired; the same for the next two. */
const SyncdEphemeral *syncd_ephemerals_find(const SyncdEphemerals *ephemerals,
                                            const char *operation);
const SyncdEphemeral *syncd_ephemerals_find_key(const SyncdEphemerals *ephemerals, uid_t uid,
                                                const char *actor, const char *scope_id,
                                                const char *key);
/* All of them (const SyncdEphemeral *), in the order in which they came. */
GPtrArray *syncd_ephemerals_all(const SyncdEphemerals *ephemerals);
/* Removes those whose time is over. */
void syncd_ephemerals_expire(SyncdEphemerals *ephemerals, guint64 now);
guint64 syncd_ephemerals_next_due(const SyncdEphemerals *ephemerals); /* G_MAXUINT64: never */
SyncdEphemeralCounts syncd_ephemerals_count(const SyncdEphemerals *ephemerals);

/*
 * Who holds which task, and until when: in memory, because a lease is about a process that runs
 * now.
 *
 * A lease begins with an entry (task.claimed) and ends with one; renewing it is no entry. After a
 * start, those that the log says are running are taken over for their full length once more. While
 * nobody can be answered none ends by time, and from then on each lasts its full length once more.
 * All times are monotonic microseconds.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#define SYNCD_LEASES_EACH_MAX 256u /* of one actor */
#define SYNCD_LEASES_MAX 1024u
#define SYNCD_LEASE_MIN_MS 5000u
#define SYNCD_LEASE_DEFAULT_MS 60000u
#define SYNCD_LEASE_MAX_MS (60u * 60u * 1000u)

typedef struct {
    char *id; /* the entry that began it */
    char *operation;
    char *actor;
    char *worker;   /* its name on the bus; NULL when it is not known (yet) */
    bool detached;  /* it does not end with the worker */
    guint64 length; /* without being renewed */
    guint64 until;
    /* Each signature that renews it must expire later than those before, so that none counts twice
     * or after a later one. Of the wall clock. After a start nobody knows which there were: they
     * expire at most an hour from then. */
    guint64 renewed_usec;
} SyncdLease;

typedef struct SyncdLeases SyncdLeases;

SyncdLeases *syncd_leases_new(void);
void syncd_leases_free(SyncdLeases *leases);
void syncd_leases_clear(SyncdLeases *leases);

/* Copies the texts. */
void syncd_leases_add(SyncdLeases *leases, const SyncdLease *lease);
/* NULL when there is none; valid until it ends. */
SyncdLease *syncd_leases_find(const SyncdLeases *leases, const char *id);
/* Of an operation; NULL when nobody holds it. */
const SyncdLease *syncd_leases_of(const SyncdLeases *leases, const char *operation);
void syncd_leases_end(SyncdLeases *leases, const char *id);
guint syncd_leases_count(const SyncdLeases *leases, const char *actor); /* NULL: of all */
/* From here to resume() no time ends one. Each does nothing a second time. */
void syncd_leases_pause(SyncdLeases *leases);
void syncd_leases_resume(SyncdLeases *leases, guint64 now);
bool syncd_leases_has_expired(const SyncdLeases *leases, const SyncdLease *lease, guint64 now);
/* Ids (char *) of those that have ended by `now`, or of those that a worker holds. */
GPtrArray *syncd_leases_expired(const SyncdLeases *leases, guint64 now);
GPtrArray *syncd_leases_of_worker(const SyncdLeases *leases, const char *worker);
guint64 syncd_leases_next_due(const SyncdLeases *leases); /* G_MAXUINT64: there is none */

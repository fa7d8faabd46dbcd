/*
 * Scripted sessions with a store, for suites that let something go wrong in the middle of them.
 *
 * A session runs in a process of its own, which may die at any moment, so it reports each step
 * through a pipe at once: what it is about to append, and what a commit has acknowledged. Items are
 * numbered; object, content and key follow from the number, so that whoever reads the log later
 * knows what must be in it. When a step fails, the session holds the store to its word: the error
 * is StorageFailed or NoSpace, the first is sticky and syncs nothing more, the second passes, reads
 * go on, and what is retried by its key is there once. Then the fault is lifted and the session
 * goes on to its end.
 */
#pragma once

#include "../unit/store-fixture.h"

#include <glib.h>
#include <stdbool.h>

#define SESSION_ITEMS 100u /* numbers are below this */

typedef struct Session Session;
typedef struct Run Run;

struct Session {
    const char *name;
    void (*prepare)(Run *run); /* what is there before; without faults */
    void (*script)(Run *run);
    bool opens_alike; /* as one before it does, so that opening need not go wrong here too */
};

extern const Session sessions[];
extern const unsigned n_sessions;
const Session *session_of(const char *name);

typedef enum {
    RUN_MAY_FAIL,      /* with an error that is about storage */
    RUN_MAY_NOT,       /* what was injected must not be seen at all */
    RUN_OUT_OF_MEMORY, /* may also say that something cannot be done */
} RunTemper;

struct Run {
    Fixture f;
    int report; /* the writing end of the pipe; -1: tells nobody */
    RunTemper temper;
    /* Defects, for controls: acknowledges before the commit; opens the store again after it failed,
     * as if nothing had been. */
    bool boasts, forgets;
    void (*lift)(Run *run);   /* ends what goes wrong */
    void (*opened)(Run *run); /* the store is open for the first time; may be NULL */
    void (*ending)(Run *run); /* all was done, and the store is not closed yet; may be NULL */
    guint64 journal_syncs;    /* counted by whoever watches */
    const char *injected;     /* what was done to it, NULL before it was */

    char first_op[64];         /* the operation that item 0 is */
    guint turn[SESSION_ITEMS]; /* the items of the open turn */
    guint n_turn;
    bool tried[SESSION_ITEMS];
    bool acknowledged[SESSION_ITEMS];
};

typedef struct {
    char what; /* 't'ried, 'a'cknowledged, the 'e'nd, or 'x': a complaint, whose size is `n` */
    guint32 n;
} Report;

/* What the store promised and did not keep; the process ends. */
G_GNUC_PRINTF(2, 3) G_GNUC_NORETURN void run_complain(Run *run, const char *format, ...);

/* ---- what the log must hold ---- */

char *item_object(guint n);
/* While the store is open. */
char *item_content(const Run *run, guint n, size_t *ret_size);
char *item_key(guint n); /* NULL for an item without one */
/* In the open turn; `key` may be NULL. */
bool item_append(Run *run, guint n, const char *scope, const char *key, GError **error);

/* ---- what a session purges ---- */

#define SESSION_SECRET "secret" /* the object */
#define SESSION_MARKER "what-nobody-shall-find-again"

/* Its chunks, to be removed later. */
void secret_remember(const GPtrArray *chunks);
/* How far its deletion is; RESTORED where there is none. */
bool secret_state(SyncdStore *store, SyncdDeletionState *ret_state, GError **error);
/* Clears what a purge left in other places. */
bool secret_scrub(SyncdStore *store, GError **error);
/* As syncd_store_read_body(), but that a body was purged is as good. */
bool read_or_purged(SyncdStore *store, const SyncdEntry *entry, SyncdBody *ret_body,
                    bool *ret_purged, GError **error);

/* Opens the state that a session left, and gives the first broken promise, NULL for none. Retries
 * every keyed item that was tried. */
char *judge_state(Run *run);

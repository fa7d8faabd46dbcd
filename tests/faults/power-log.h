/*
 * What a store promised during a history.
 *
 * A PowerLog notes each turn: when it began and when its commit returned, as numbers of events of
 * the disk.
 */
#pragma once

#include "store/purge.h"

#include <glib.h>
#include <stdbool.h>

typedef struct PowerLog PowerLog;

#define POWER_ACTOR "actor-power"
#define POWER_FIRST_MACHINE "machine-a"
#define POWER_SECOND_MACHINE "machine-b"

/* Clocks that go on and bytes that come from a seed. */
typedef struct {
    SyncdSources sources;
    guint64 now_usec;
    guint64 random;
} PowerSources;
void power_sources_init(PowerSources *sources, guint64 seed);

/* What a caller asks for, and asks for again when no answer came. */
typedef struct {
    char *scope;
    char *key; /* NULL for none */
    const char *kind, *lane;
    char *object;
    char *content;
    size_t size;
} PowerRequest;

PowerRequest *power_request_new(guint64 *random, const char *scope, size_t size, bool keyed);
void power_request_free(PowerRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PowerRequest, power_request_free)
/* As one operation of the open turn. */
bool power_request_send(const PowerRequest *request, SyncdStore *store, SyncdReceipt *ret_receipt,
                        GError **error);

PowerLog *power_log_new(void);
void power_log_free(PowerLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PowerLog, power_log_free)

/* Notes what an operation of the open turn asked for, which the log owns from now on. */
void power_log_add_request(PowerLog *log, const char *op, PowerRequest *request);
void power_log_forget_requests(PowerLog *log); /* the turn was discarded */
/* A turn (entries, permanent checkpoints, or both) that began and was acknowledged at these events;
 * what it added is read from the store. */
void power_log_note_turn(PowerLog *log, SyncdStore *store, size_t begun, size_t acknowledged);
void power_log_note_adoption(PowerLog *log); /* the turn noted last belongs to a new machine */
/* The entry at `pos`, of the turn noted last, took those bodies. Takes it. */
void power_log_note_purge(PowerLog *log, guint64 pos, SyncdPurgeable *purgeable);
/* Everything so far was durable before the first event. */
void power_log_settle(PowerLog *log);
/* No image may make the store build its index anew: a good one was durable all the time. */
void power_log_expect_index(PowerLog *log);

/* Which turns had begun and which were acknowledged at a cut: the same number, the same promise. */
guint64 power_log_promise(const PowerLog *log, size_t cut);
/* The machine that the state belongs to after the last turn. */
const char *power_log_machine(const PowerLog *log);

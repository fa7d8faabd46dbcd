/* What a store promised, from the inside. */
#pragma once

#include "power-log.h"

typedef struct {
    char *op;
    char *header;
    PowerRequest *request; /* NULL where nobody asked for it */
    SyncdHash body;
    guint64 purged_by; /* the entry that took the body; 0: none did */
} PowerEntry;

typedef struct {
    guint64 entries; /* in the log after it */
    gint64 checkpoints;
    size_t begun, acknowledged; /* events */
    bool adopts;
} PowerTurn;

struct PowerLog {
    GPtrArray *entries;   /* PowerEntry, by pos - 1 */
    GArray *turns;        /* PowerTurn; the first is the empty log */
    GHashTable *requests; /* op -> PowerRequest, of the open turn */
    GHashTable *indexes;  /* number of entries -> SyncdHash of the index that a rebuild makes */
    bool expect_index;
    SyncdPurgeable *purge; /* NULL: there was none */
    guint64 purge_pos;
};

void power_entry_free(void *entry);
PowerTurn *power_log_last_turn(const PowerLog *log);
gint64 power_count_checkpoints(SyncdStore *store); /* -1: they cannot be read */
/* An entry as the store gives it. */
PowerEntry *power_log_read_entry(SyncdStore *store, guint64 pos, GError **error);

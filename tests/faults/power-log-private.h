/* What a store promised, from the inside. */
#pragma once

#include "power-log.h"

typedef struct {
    char *op;
    char *header;
    char *scope; /* of its key */
    char *key;   /* NULL for none */
    SyncdHash body;
} PowerEntry;

typedef struct {
    guint64 entries; /* in the log after it */
    gint64 checkpoints;
    size_t begun, acknowledged; /* events */
    bool adopts;
} PowerTurn;

struct PowerLog {
    GPtrArray *entries;  /* PowerEntry, by pos - 1 */
    GArray *turns;       /* PowerTurn; the first is the empty log */
    GHashTable *keys;    /* op -> PowerEntry (only scope and key), of the open turn */
    GHashTable *indexes; /* number of entries -> SyncdHash of the index that a rebuild makes */
    bool expect_index;
};

void power_entry_free(void *entry);
PowerTurn *power_log_last_turn(const PowerLog *log);
gint64 power_count_checkpoints(SyncdStore *store); /* -1: they cannot be read */
/* An entry as the store gives it, with its key where the log knows of one. */
PowerEntry *power_log_read_entry(PowerLog *log, SyncdStore *store, guint64 pos, GError **error);

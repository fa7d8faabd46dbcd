#include "domain/deletion.h"

#define ROW(state, event, next)                                                                    \
    {                                                                                              \
        SYNCD_DELETION_##state, SYNCD_DELETION_##event, SYNCD_DELETION_##next                      \
    }

static const struct {
    SyncdDeletionState state;
    SyncdDeletionEvent event;
    SyncdDeletionState next;
} rows[] = {
    ROW(RESTORED, REQUEST, REQUESTED),
    /* one that did not get further is asked for again */
    ROW(REQUESTED, REQUEST, REQUESTED),
    ROW(AUTHORISED, REQUEST, REQUESTED),
    ROW(REQUESTED, AUTHORISE, AUTHORISED),
    ROW(AUTHORISED, TOMBSTONE, TOMBSTONED),
    ROW(TOMBSTONED, PROPAGATE, PROPAGATED),
    ROW(PROPAGATED, HIDE, HIDDEN),
    ROW(HIDDEN, PURGE, PURGED),
    ROW(PURGED, PROVE, PROVEN),
    ROW(HIDDEN, RESTORE, RESTORED),
};

static const struct {
    const char *kind;
    SyncdDeletionEvent event;
} kinds[] = {
    {"deletion.authorised", SYNCD_DELETION_AUTHORISE},
    {"tombstone.apply", SYNCD_DELETION_TOMBSTONE},
    {"deletion.propagated", SYNCD_DELETION_PROPAGATE},
    {"deletion.hidden", SYNCD_DELETION_HIDE},
    {"deletion.restored", SYNCD_DELETION_RESTORE},
    {"deletion.purged", SYNCD_DELETION_PURGE},
    {"deletion.proven", SYNCD_DELETION_PROVE},
};

static const char *const purged_kinds[] = {
    "operation.enqueue", "operation.replay", "operation.reconcile",
    "object.created",    "object.changed",   "object.deleted",
};

static const char *const names[SYNCD_N_DELETION_STATES] = {
    [SYNCD_DELETION_REQUESTED] = "requested",   [SYNCD_DELETION_AUTHORISED] = "authorised",
    [SYNCD_DELETION_TOMBSTONED] = "tombstoned", [SYNCD_DELETION_PROPAGATED] = "propagated",
    [SYNCD_DELETION_HIDDEN] = "hidden",         [SYNCD_DELETION_PURGED] = "purged",
    [SYNCD_DELETION_PROVEN] = "proven",         [SYNCD_DELETION_RESTORED] = "restored",
};

const char *syncd_deletion_state_name(SyncdDeletionState state)
{
    return names[state];
}

bool syncd_deletion_move(SyncdDeletionState *state, SyncdDeletionEvent event)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].state != *state || rows[i].event != event)
            continue;
        *state = rows[i].next;
        return true;
    }
    return false;
}

bool syncd_deletion_kind(SyncdBytes kind, SyncdDeletionEvent *ret_event)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (!syncd_bytes_are(kind, kinds[i].kind))
            continue;
        if (ret_event != NULL)
            *ret_event = kinds[i].event;
        return true;
    }
    return false;
}

const char *syncd_deletion_kind_of(SyncdDeletionEvent event)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].event == event)
            return kinds[i].kind;
    return NULL;
}

bool syncd_deletion_purges(SyncdBytes kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(purged_kinds); i++)
        if (strlen(purged_kinds[i]) == kind.size &&
            memcmp(purged_kinds[i], kind.data, kind.size) == 0)
            return true;
    return false;
}

#include "domain/names.h"

#include "domain/lifecycle.h"

char *syncd_name_of_replay(const char *operation, const char *key)
{
    return g_strconcat(operation, "\n", key, NULL);
}

static void name_replay(SyncdJson record, const char *operation, SyncdNameFunc func, void *data)
{
    g_autofree char *key = syncd_json_dup_text(syncd_json_member(record, "replay_idempotency_key"));
    if (key == NULL)
        return;
    g_autofree char *name = syncd_name_of_replay(operation, key);
    func(data, SYNCD_FAMILY_REPLAY, name);
}

static void name_text(SyncdJson value, const char *family, SyncdNameFunc func, void *data)
{
    g_autofree char *text = syncd_json_dup_text(value);
    if (text != NULL)
        func(data, family, text);
}

static void name_reconciled(SyncdJson record, const char *operation, SyncdNameFunc func, void *data)
{
    SyncdJsonIter iter;
    SyncdJson provisional, final;
    func(data, SYNCD_FAMILY_LOCAL, operation);
    name_text(syncd_json_member(record, "remote_operation_id"), SYNCD_FAMILY_REMOTE, func, data);
    syncd_json_iter_init(&iter, syncd_json_member(record, "artifact_reconciliation"));
    while (iter.object && syncd_json_iter_next(&iter, &provisional, &final)) {
        name_text(provisional, SYNCD_FAMILY_PROVISIONAL, func, data);
        name_text(final, SYNCD_FAMILY_FINAL, func, data);
    }
}

void syncd_names_each(SyncdBytes kind, SyncdJson record, SyncdNameFunc func, void *data)
{
    SyncdEvent event;
    const char *member;
    if (!syncd_lifecycle_kind(kind, &event, &member))
        return;
    g_autofree char *operation = syncd_json_dup_text(syncd_json_member(record, member));
    if (operation != NULL && event == SYNCD_EVENT_REPLAY)
        name_replay(record, operation, func, data);
    if (operation != NULL && event == SYNCD_EVENT_RECONCILE)
        name_reconciled(record, operation, func, data);
}

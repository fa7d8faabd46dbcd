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

void syncd_names_each(SyncdBytes kind, SyncdJson record, SyncdNameFunc func, void *data)
{
    SyncdEvent event;
    const char *member;
    if (!syncd_lifecycle_kind(kind, &event, &member))
        return;
    g_autofree char *operation = syncd_json_dup_text(syncd_json_member(record, member));
    if (operation != NULL && event == SYNCD_EVENT_REPLAY)
        name_replay(record, operation, func, data);
}

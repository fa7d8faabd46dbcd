#include "service/files.h"
#include "service/registry.h"

#include <string.h>

/* The record as it is, but for why it is paused. */
static GString *paused_record(SyncdJson record, const char *cause, const char *reason)
{
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_iter_init(&iter, record);
    while (syncd_json_iter_next(&iter, &name, &value))
        if (!syncd_json_is(name, "pause_cause") && !syncd_json_is(name, "pause_reason"))
            syncd_json_member_copy(&writer, name, value);
    syncd_json_member_string(&writer, "pause_cause", cause);
    syncd_json_member_string(&writer, "pause_reason", reason);
    syncd_json_end_object(&writer);
    return text;
}

bool syncd_service_pause_root(SyncdService *service, const SyncdRoot *root, const char *cause,
                              const char *reason, GError **error)
{
    const SyncdRegistryRequest request = {.kind = "root"};
    g_auto(SyncdReceipt) receipt = {0};
    if (!syncd_service_find_own(service, error))
        return false;
    g_auto(SyncdChange) change = {.service = service,
                                  .request = &request,
                                  .verb = SYNCD_VERB_UPDATE,
                                  .family = syncd_family(SYNCD_FAMILY_ROOT),
                                  .actor = g_strdup(service->own_actor),
                                  .id = g_strdup(root->id),
                                  .state = g_strdup(SYNCD_STATE_PAUSED),
                                  .data_class = SYNCD_POLICY_DATA_CLASS};
    if (!syncd_registry_look_up(&change, error))
        return false;
    if (!change.present || strcmp(change.row.state, SYNCD_STATE_ACTIVE) != 0)
        return true;
    g_autoptr(GString) record = paused_record(change.previous, cause, reason);
    change.record = syncd_json_root(record->str, record->len);
    change.step = syncd_transition_find(change.family, change.verb, change.row.state, change.state);
    /* Only what is durable has paused it: nobody may take it for resumed after a lost turn. */
    return syncd_registry_write_entry(&change, "", &receipt, error) &&
           syncd_service_commit_turn(service, error);
}

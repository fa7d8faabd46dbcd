#include "bus/tasks.h"

#include "bus/error-bus.h"
#include "bus/options.h"

#include <string.h>

/* ---- replay ---- */

static const SyncdOption replay_options[] = {{"idempotency_key", SYNCD_OPTION_TEXT, 0}};

static void replayed_free(void *data)
{
    SyncdReplayed *replayed = data;
    syncd_replayed_clear(replayed);
    g_free(replayed);
}

static bool answer_replay(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    const SyncdReplayed *replayed = data;
    g_autofree char *evidence = syncd_service_describe_replay(service, replayed->evidence, error);
    return evidence != NULL &&
           syncd_call_reply(call, error, "sb", evidence, (int)replayed->duplicate);
}

bool syncd_handle_replay(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *operation = NULL, *key = NULL;
    if (!syncd_text_argument_read(message, &operation, error) ||
        !syncd_options_read(message, replay_options, G_N_ELEMENTS(replay_options), &key, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, false, NULL, error);
    if (service == NULL)
        return false;
    SyncdReplayed *replayed = g_new0(SyncdReplayed, 1);
    if (!syncd_service_replay(service, syncd_call_caller(call), operation, key, replayed, error)) {
        replayed_free(replayed);
        return false;
    }
    syncd_call_after_commit(call, service, answer_replay, replayed, replayed_free);
    return true;
}

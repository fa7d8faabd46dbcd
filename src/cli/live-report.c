#include "cli/live-report.h"

#include "cli/state.h"
#include "client/calls.h"
#include "service/health.h"

#include <string.h>
#include <unistd.h>

void syncd_live_report_clear(SyncdLiveReport *live)
{
    g_clear_pointer(&live->text, g_free);
    g_clear_pointer(&live->key, g_free);
}

/* It comes from the daemon that has it, and which everybody who may have the report may know. */
static char *key_in(SyncdJson report)
{
    SyncdJsonIter iter;
    SyncdJson invariant;
    syncd_json_iter_init(&iter, syncd_json_member(report, "invariants"));
    while (syncd_json_iter_next(&iter, NULL, &invariant))
        if (syncd_json_is(syncd_json_member(invariant, "id"), "attestation.signed"))
            return syncd_json_dup_text(
                syncd_json_member(syncd_json_member(invariant, "evidence"), "key"));
    return NULL;
}

bool syncd_live_report_get(SyncdCli *cli, SyncdLiveReport *ret_live, GError **error)
{
    g_auto(SyncdLiveReport) live = {0};
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    live.text = syncd_client_health(client, error);
    if (live.text == NULL)
        return false;
    live.key = key_in(syncd_json_root(live.text, strlen(live.text)));
    *ret_live = live;
    live = (SyncdLiveReport){0};
    return true;
}

char *syncd_live_report_inspect(const char *directory, GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(SyncdService) service = syncd_state_inspect(directory, &fault);
    const SyncdCaller caller = {.uid = geteuid(), .inspector = true};
    if (service != NULL)
        return syncd_service_health(service, &caller, error);
    if (g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_BUSY)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return NULL;
    }
    return syncd_health_without_state(directory, syncd_sources_system(), fault);
}

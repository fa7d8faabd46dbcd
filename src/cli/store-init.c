#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/state.h"
#include "cli/text.h"
#include "cli/verbs.h"

#include <unistd.h>

static void show(SyncdCli *cli, const char *directory, const char *device, bool made)
{
    if (!syncd_cli_json(cli)) {
        g_autofree char *safe = syncd_text_safe(directory);
        syncd_output_wrapped(cli->out,
                             made ? _("State was made in %s, for %s.\n")
                                  : _("There is state in %s already, of %s.\n"),
                             safe, device);
        return;
    }
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "state_dir", directory);
    syncd_json_member_string(writer, "device_id", device);
    syncd_json_member_bool(writer, "created", made);
    syncd_output_end_object(cli->out);
}

typedef struct {
    GError *error;
} Outcome;

static void on_commit(void *data, const GError *error)
{
    Outcome *outcome = data;
    if (error != NULL)
        outcome->error = g_error_copy(error);
}

/* The first entries: device, daemon, the user. */
static bool begin(SyncdCli *cli, SyncdStore *store, GError **error)
{
    Outcome outcome = {NULL};
    g_autoptr(SyncdService) service = syncd_service_new(syncd_state_instance(cli), geteuid(), store,
                                                        syncd_sources_system(), error);
    if (service == NULL)
        return false;
    syncd_service_after_commit(service, on_commit, &outcome);
    if (syncd_service_has_turn(service))
        syncd_service_commit(service);
    if (outcome.error == NULL)
        return true;
    g_propagate_error(error, outcome.error);
    return false;
}

bool syncd_verb_store_init(SyncdCli *cli, GError **error)
{
    g_autofree char *directory = syncd_state_directory(cli, error);
    if (directory == NULL)
        return false;
    SyncdStore *store = syncd_state_open(directory, SYNCD_STORE_CREATE, error);
    if (store == NULL)
        return false;
    bool made = syncd_store_is_new(store);
    g_autofree char *device = g_strdup(syncd_store_device_id(store));
    if (!made)
        syncd_store_free(store);
    else if (!begin(cli, store, error))
        return false;
    show(cli, directory, device, made);
    return true;
}

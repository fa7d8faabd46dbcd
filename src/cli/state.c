#include "cli/state.h"

#include "base/sources.h"
#include "config.h"
#include "daemon/paths.h"

#include <pwd.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

SyncdInstance syncd_state_instance(const SyncdCli *cli)
{
    return syncd_cli_instance(cli) == SYNCD_CLIENT_SYSTEM ? SYNCD_INSTANCE_SYSTEM
                                                          : SYNCD_INSTANCE_USER;
}

/* As the daemon knows it; NULL on a machine without one. */
static char *read_machine_id(void)
{
    sd_id128_t id;
    char text[SD_ID128_STRING_MAX];
    return sd_id128_get_machine(&id) >= 0 ? g_strdup(sd_id128_to_string(id, text)) : NULL;
}

SyncdStore *syncd_state_open(const char *directory, SyncdStoreMode mode, GError **error)
{
    g_autofree char *machine = read_machine_id();
    SyncdStoreOptions options = {
        .directory = directory,
        .mode = mode,
        .sources = syncd_sources_system(),
        .machine = machine,
        .elsewhere = mode == SYNCD_STORE_INSPECT, /* it was named */
    };
    return syncd_store_open(&options, error);
}

SyncdService *syncd_state_inspect(const char *directory, GError **error)
{
    SyncdStore *store = syncd_state_open(directory, SYNCD_STORE_INSPECT, error);
    if (store == NULL)
        return NULL;
    return syncd_service_new(SYNCD_INSTANCE_USER, geteuid(), store, syncd_sources_system(), error);
}

/* Files of another owner would keep the daemon from starting. */
static bool check_owner(GError **error)
{
    const struct passwd *owner = getpwnam(SYNCD_SERVICE_USER);
    if (owner == NULL || owner->pw_uid == geteuid())
        return true;
    syncd_set_error_next(
        error, SYNCD_ERROR_ACCESS_DENIED,
        "repeat it as that user, for example with `runuser -u " SYNCD_SERVICE_USER
        " -- sourceos-syncd …`",
        "The state of the system instance belongs to the user " SYNCD_SERVICE_USER);
    return false;
}

char *syncd_state_directory(const SyncdCli *cli, GError **error)
{
    const char *given = syncd_cli_value(cli, "state-dir");
    if (given != NULL)
        return g_strdup(given);
    SyncdInstance instance = syncd_state_instance(cli);
    if (instance == SYNCD_INSTANCE_SYSTEM && !check_owner(error))
        return NULL;
    return syncd_path_state(instance);
}

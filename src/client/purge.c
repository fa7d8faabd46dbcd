#include "client/purge.h"

#include "client/client-internal.h"
#include "client/names.h"

static sd_bus_message *begin(SyncdClient *client, const char *method, GError **error)
{
    return syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_OPERATIONS, method, error);
}

char *syncd_client_plan_purge(SyncdClient *client, const char *scope, const char *object,
                              char **ret_digest, GError **error)
{
    g_autoptr(sd_bus_message) message = begin(client, "PlanPurge", error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "ss", scope, object);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, NULL, error);
    const char *plan = NULL, *digest = NULL;
    if (reply == NULL ||
        !syncd_client_check(client, sd_bus_message_read(reply, "ss", &plan, &digest), error))
        return NULL;
    char *checked = syncd_client_take_json(plan, error);
    if (checked != NULL)
        *ret_digest = g_strdup(digest);
    return checked;
}

char *syncd_client_purge(SyncdClient *client, const char *scope, const char *object,
                         const char *digest, GError **error)
{
    g_autoptr(sd_bus_message) message = begin(client, "Purge", error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "sss", scope, object, digest);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, NULL, error);
    const char *operation = NULL;
    guint64 sequence;
    if (reply == NULL ||
        !syncd_client_check(client, sd_bus_message_read(reply, "st", &operation, &sequence), error))
        return NULL;
    return g_strdup(operation);
}

char *syncd_client_purge_report(SyncdClient *client, const char *operation, GError **error)
{
    g_autoptr(sd_bus_message) message = begin(client, "PurgeReport", error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "s", operation);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, NULL, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

#include "client/migrations.h"

#include "client/client-internal.h"
#include "client/names.h"

static sd_bus_message *begin(SyncdClient *client, const char *method, GError **error)
{
    return syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_REGISTRY, method, error);
}

char *syncd_client_plan_migration(SyncdClient *client, const char *method, const char *subject,
                                  GVariant *options, char **ret_digest, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message = begin(client, method, error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "s", subject);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    const char *report = NULL, *digest = NULL;
    if (reply == NULL ||
        !syncd_client_check(client, sd_bus_message_read(reply, "ss", &report, &digest), error))
        return NULL;
    char *checked = syncd_client_take_json(report, error);
    if (checked != NULL)
        *ret_digest = g_strdup(digest);
    return checked;
}

char *syncd_client_apply_migration(SyncdClient *client, const char *method, const char *subject,
                                   const char *digest, GVariant *options, char **ret_operation,
                                   GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message = begin(client, method, error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "ss", subject, digest);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    const char *operation = NULL, *report = NULL;
    guint64 sequence;
    if (reply == NULL ||
        !syncd_client_check(
            client, sd_bus_message_read(reply, "sts", &operation, &sequence, &report), error))
        return NULL;
    char *checked = syncd_client_take_json(report, error);
    if (checked != NULL)
        *ret_operation = g_strdup(operation);
    return checked;
}

char *syncd_client_migration_report(SyncdClient *client, const char *operation, GVariant *options,
                                    GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message = begin(client, "MigrationReport", error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "s", operation);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

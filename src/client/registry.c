#include "client/registry.h"

#include "client/client-internal.h"
#include "client/names.h"

void syncd_client_change_clear(SyncdClientChange *change)
{
    g_clear_pointer(&change->id, g_free);
    g_clear_pointer(&change->operation, g_free);
    g_clear_pointer(&change->unknown, g_strfreev);
}

static sd_bus_message *begin(SyncdClient *client, const char *method, GError **error)
{
    return syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_REGISTRY, method, error);
}

bool syncd_client_change(SyncdClient *client, const char *method, const char *kind, const char *id,
                         const char *record, GVariant *options, SyncdClientChange *ret_change,
                         GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message = begin(client, method, error);
    if (message == NULL)
        return false;
    int r = sd_bus_message_append(message, "s", kind);
    if (r >= 0 && id != NULL)
        r = sd_bus_message_append(message, "s", id);
    if (r >= 0 && record != NULL)
        r = sd_bus_message_append(message, "s", record);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    if (reply == NULL)
        return false;

    const char *changed = NULL, *operation = NULL;
    guint64 sequence = 0;
    int duplicate = 0;
    r = sd_bus_message_read(reply, "sstb", &changed, &operation, &sequence, &duplicate);
    char **unknown = NULL;
    if (r >= 0 && record != NULL)
        r = sd_bus_message_read_strv(reply, &unknown);
    if (!syncd_client_check(client, r, error))
        return false;
    *ret_change = (SyncdClientChange){g_strdup(changed), g_strdup(operation), sequence,
                                      duplicate != 0, unknown};
    return true;
}

char *syncd_client_show_record(SyncdClient *client, const char *kind, const char *id,
                               GVariant *options, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message = begin(client, "Show", error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "ss", kind, id);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

bool syncd_client_list_records(SyncdClient *client, const char *kind, GVariant *options,
                               char **ret_records, char **ret_cursor, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message = begin(client, "List", error);
    if (message == NULL)
        return false;
    int r = sd_bus_message_append(message, "s", kind);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    const char *records = NULL, *cursor = NULL;
    if (reply == NULL ||
        !syncd_client_check(client, sd_bus_message_read(reply, "ss", &records, &cursor), error))
        return false;
    *ret_records = syncd_client_take_json(records, error);
    if (*ret_records == NULL)
        return false;
    *ret_cursor = g_strdup(cursor);
    return true;
}

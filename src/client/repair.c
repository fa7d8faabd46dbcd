#include "client/repair.h"

#include "client/client-internal.h"
#include "client/names.h"

#define PLANS SYNCD_BUS_ROOT "/plan"

static sd_bus_message *begin(SyncdClient *client, const char *plan, const char *method,
                             GError **error)
{
    g_autofree char *path = NULL;
    if (!syncd_client_check(client, sd_bus_path_encode(PLANS, plan, &path), error))
        return NULL;
    return syncd_client_message(client, path, SYNCD_BUS_PLAN, method, error);
}

static sd_bus_message *ask_root(SyncdClient *client, const char *method, GVariant *options,
                                GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_REPAIR, method, error);
    return message != NULL ? syncd_client_finish(client, message, 0, own, error) : NULL;
}

static char *read_path(SyncdClient *client, sd_bus_message *reply, GError **error)
{
    const char *path = NULL;
    if (reply == NULL || !syncd_client_check(client, sd_bus_message_read(reply, "o", &path), error))
        return NULL;
    return g_strdup(path);
}

char *syncd_client_plan_repair(SyncdClient *client, GVariant *options, GError **error)
{
    g_autoptr(sd_bus_message) reply = ask_root(client, "Plan", options, error);
    g_autofree char *path = read_path(client, reply, error);
    char *id = NULL;
    if (path == NULL || !syncd_client_check(client, sd_bus_path_decode(path, PLANS, &id), error))
        return NULL;
    return id;
}

char *syncd_client_list_repairs(SyncdClient *client, GVariant *options, GError **error)
{
    g_autoptr(sd_bus_message) reply = ask_root(client, "List", options, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

static char *ask(SyncdClient *client, const char *plan, const char *method, GError **error)
{
    g_autoptr(sd_bus_message) message = begin(client, plan, method, error);
    g_autoptr(sd_bus_message) reply =
        message != NULL ? syncd_client_send(client, message, error) : NULL;
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

char *syncd_client_describe_repair(SyncdClient *client, const char *plan, GError **error)
{
    return ask(client, plan, "Describe", error);
}

char *syncd_client_repair_document(SyncdClient *client, const char *plan, GError **error)
{
    return ask(client, plan, "Document", error);
}

char *syncd_client_repair_report(SyncdClient *client, const char *plan, GError **error)
{
    return ask(client, plan, "Report", error);
}

/* `digest` NULL: the method takes none. */
static sd_bus_message *tell(SyncdClient *client, const char *plan, const char *method,
                            const char *digest, GError **error)
{
    g_autoptr(sd_bus_message) message = begin(client, plan, method, error);
    if (message == NULL)
        return NULL;
    int r = digest != NULL ? sd_bus_message_append(message, "s", digest) : 0;
    return syncd_client_check(client, r, error) ? syncd_client_send(client, message, error) : NULL;
}

bool syncd_client_approve_repair(SyncdClient *client, const char *plan, const char *digest,
                                 GError **error)
{
    g_autoptr(sd_bus_message) reply = tell(client, plan, "Approve", digest, error);
    return reply != NULL;
}

bool syncd_client_discard_repair(SyncdClient *client, const char *plan, GError **error)
{
    g_autoptr(sd_bus_message) reply = tell(client, plan, "Discard", NULL, error);
    return reply != NULL;
}

char *syncd_client_apply_repair(SyncdClient *client, const char *plan, const char *digest,
                                GError **error)
{
    g_autoptr(sd_bus_message) reply = tell(client, plan, "Apply", digest, error);
    return read_path(client, reply, error);
}

char *syncd_client_rollback_repair(SyncdClient *client, const char *plan, const char *digest,
                                   GError **error)
{
    g_autoptr(sd_bus_message) reply = tell(client, plan, "Rollback", digest, error);
    return read_path(client, reply, error);
}

#include "client/workspaces.h"

#include "client/client-internal.h"
#include "client/names.h"

#include <string.h>

static sd_bus_message *begin(SyncdClient *client, const char *method, GError **error)
{
    return syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_WORKSPACES, method, error);
}

char *syncd_client_list_workspaces(SyncdClient *client, GVariant *options, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message = begin(client, "List", error);
    g_autoptr(sd_bus_message) reply =
        message != NULL ? syncd_client_finish(client, message, 0, own, error) : NULL;
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

bool syncd_client_list_files(SyncdClient *client, const char *workspace, const char *path,
                             GVariant *options, char **ret_files, char **ret_cursor, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message = begin(client, "ListFiles", error);
    const char *files = NULL, *cursor = NULL;
    if (message == NULL)
        return false;
    int r = sd_bus_message_append(message, "s", workspace);
    if (r >= 0)
        r = sd_bus_message_append_array(message, 'y', path, strlen(path));
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    if (reply == NULL ||
        !syncd_client_check(client, sd_bus_message_read(reply, "ss", &files, &cursor), error))
        return false;
    *ret_files = syncd_client_take_json(files, error);
    if (*ret_files == NULL)
        return false;
    *ret_cursor = g_strdup(cursor);
    return true;
}

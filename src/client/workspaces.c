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

/* The reply of a call about a path, and a digest perhaps. */
static sd_bus_message *ask_of(SyncdClient *client, const char *method, const char *workspace,
                              const char *path, const char *digest, GVariant *options,
                              GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message = begin(client, method, error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "s", workspace);
    if (r >= 0)
        r = sd_bus_message_append_array(message, 'y', path, strlen(path));
    if (r >= 0 && digest != NULL)
        r = sd_bus_message_append(message, "s", digest);
    return syncd_client_finish(client, message, r, own, error);
}

static sd_bus_message *ask(SyncdClient *client, const char *method, const char *workspace,
                           const char *path, GVariant *options, GError **error)
{
    return ask_of(client, method, workspace, path, NULL, options, error);
}

static bool take_page(SyncdClient *client, sd_bus_message *reply, char **ret_page,
                      char **ret_cursor, GError **error)
{
    const char *page = NULL, *cursor = NULL;
    if (reply == NULL ||
        !syncd_client_check(client, sd_bus_message_read(reply, "ss", &page, &cursor), error))
        return false;
    *ret_page = syncd_client_take_json(page, error);
    if (*ret_page == NULL)
        return false;
    *ret_cursor = g_strdup(cursor);
    return true;
}

char *syncd_client_get_file(SyncdClient *client, const char *workspace, const char *path,
                            GVariant *options, GError **error)
{
    g_autoptr(sd_bus_message) reply = ask(client, "GetFile", workspace, path, options, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

char *syncd_client_check_ignored(SyncdClient *client, const char *workspace, const char *path,
                                 GError **error)
{
    g_autoptr(sd_bus_message) reply = ask(client, "CheckIgnored", workspace, path, NULL, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

bool syncd_client_list_files(SyncdClient *client, const char *workspace, const char *path,
                             GVariant *options, char **ret_files, char **ret_cursor, GError **error)
{
    g_autoptr(sd_bus_message) reply = ask(client, "ListFiles", workspace, path, options, error);
    return take_page(client, reply, ret_files, ret_cursor, error);
}

bool syncd_client_file_history(SyncdClient *client, const char *file, GVariant *options,
                               char **ret_changes, char **ret_cursor, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message = begin(client, "FileHistory", error);
    if (message == NULL)
        return false;
    int r = sd_bus_message_append(message, "s", file);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    return take_page(client, reply, ret_changes, ret_cursor, error);
}

char *syncd_client_scan(SyncdClient *client, const char *workspace, bool deep, GError **error)
{
    const char *job = NULL;
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(sd_bus_message) message = begin(client, "Scan", error);
    if (message == NULL)
        return NULL;
    if (deep)
        g_variant_dict_insert(&options, "deep", "b", TRUE);
    g_autoptr(GVariant) own = g_variant_ref_sink(g_variant_dict_end(&options));
    int r = sd_bus_message_append(message, "s", workspace);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    if (reply == NULL || !syncd_client_check(client, sd_bus_message_read(reply, "o", &job), error))
        return NULL;
    return g_strdup(job);
}

char *syncd_client_announce(SyncdClient *client, const char *workspace, const char *changes,
                            GVariant *options, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message = begin(client, "Announce", error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "ss", workspace, changes);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

char *syncd_client_plan_restore(SyncdClient *client, const char *workspace, const char *path,
                                GVariant *options, GError **error)
{
    g_autoptr(sd_bus_message) reply = ask(client, "PlanRestore", workspace, path, options, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

char *syncd_client_restore(SyncdClient *client, const char *workspace, const char *path,
                           const char *digest, GVariant *options, GError **error)
{
    const char *job = NULL;
    g_autoptr(sd_bus_message) reply =
        ask_of(client, "Restore", workspace, path, digest, options, error);
    if (reply == NULL || !syncd_client_check(client, sd_bus_message_read(reply, "o", &job), error))
        return NULL;
    return g_strdup(job);
}

char *syncd_client_accept(SyncdClient *client, const char *workspace, const char *path,
                          const char *sha256, GError **error)
{
    g_autoptr(sd_bus_message) reply =
        ask_of(client, "AcceptFile", workspace, path, sha256, NULL, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

#include "cli/workspace-find.h"

#include "cli/listing.h"
#include "cli/parse.h"
#include "client/registry.h"

#include <stdlib.h>
#include <string.h>

#define ROOT "root"
#define PREFIX "workspace:"
#define REVOKED "revoked"
#define PAGE 100u

void syncd_cli_workspace_free(SyncdCliWorkspace *self)
{
    if (self == NULL)
        return;
    g_free(self->workspace);
    g_free(self->directory);
    g_free(self->state);
    g_free(self->root);
    g_free(self->record);
    g_free(self);
}

/* ---- names ---- */

char *syncd_cli_workspace_id(const char *name)
{
    return g_str_has_prefix(name, PREFIX) ? g_strdup(name) : g_strconcat(PREFIX, name, NULL);
}

const char *syncd_cli_workspace_name(const char *id)
{
    return g_str_has_prefix(id, PREFIX) ? id + strlen(PREFIX) : id;
}

/* A shell leaves it alone within quotes. */
static char *expand_home(const char *given)
{
    bool is_home = *given == '~' && (given[1] == '\0' || given[1] == '/');
    return is_home ? g_strconcat(g_get_home_dir(), given + 1, NULL) : g_strdup(given);
}

char *syncd_cli_directory(const char *given)
{
    g_autofree char *path = expand_home(given);
    char *real = realpath(path, NULL);
    return real != NULL ? real : g_canonicalize_filename(path, NULL);
}

/* The same, but a symlink at its end is itself: it is recorded as what it is. */
static char *path_of(const char *given)
{
    g_autofree char *path = expand_home(given);
    for (size_t size = strlen(path); size > 1 && path[size - 1] == '/'; size--)
        path[size - 1] = '\0';
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *folder = g_path_get_dirname(path);
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "/") == 0)
        return syncd_cli_directory(given);
    g_autofree char *real = syncd_cli_directory(folder);
    return g_build_filename(real, name, NULL);
}

bool syncd_cli_lies_in(const char *path, const char *directory)
{
    size_t size = strlen(directory);
    return strncmp(path, directory, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

/* ---- all ---- */

/* Without the key there is no record, and nobody knows which one it is. */
static void add_root(GPtrArray *workspaces, SyncdJson row, bool *ret_closed)
{
    SyncdJson record = syncd_json_member(row, "record");
    g_autofree char *state = syncd_record_text(row, "state");
    bool ended = strcmp(state, REVOKED) == 0, closed = record.type != SYNCD_JSON_OBJECT;
    *ret_closed |= closed && !ended;
    if (ended || closed)
        return;
    SyncdCliWorkspace *workspace = g_new0(SyncdCliWorkspace, 1);
    *workspace = (SyncdCliWorkspace){
        .workspace = syncd_record_text(record, "workspace_id"),
        .directory = syncd_record_text(record, "directory"),
        .state = g_steal_pointer(&state),
        .root = syncd_record_text(row, "id"),
        .record = g_strndup(record.at, syncd_json_size(record)),
        .sequence = syncd_record_number(row, "sequence"),
    };
    g_ptr_array_add(workspaces, workspace);
}

static GVariant *page_options(const SyncdCli *cli, const char *cursor)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_variant_dict_insert(&options, "limit", "u", PAGE);
    if (*cursor != '\0')
        g_variant_dict_insert(&options, "cursor", "s", cursor);
    if (syncd_cli_find_option(cli->verb, "all") != NULL && syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    return g_variant_dict_end(&options);
}

static GPtrArray *read_all(SyncdCli *cli, SyncdClient *client, bool *ret_closed, GError **error)
{
    g_autoptr(GPtrArray) workspaces =
        g_ptr_array_new_with_free_func((GDestroyNotify)syncd_cli_workspace_free);
    g_autofree char *cursor = g_strdup("");
    do {
        g_autofree char *rows = NULL, *next = NULL;
        SyncdJsonIter iter;
        SyncdJson row;
        if (!syncd_client_list_records(client, ROOT, page_options(cli, cursor), &rows, &next,
                                       error))
            return NULL;
        syncd_json_iter_init(&iter, syncd_json_root(rows, strlen(rows)));
        while (syncd_json_iter_next(&iter, NULL, &row))
            add_root(workspaces, row, ret_closed);
        g_free(cursor);
        cursor = g_steal_pointer(&next);
    } while (*cursor != '\0');
    return g_steal_pointer(&workspaces);
}

GPtrArray *syncd_cli_workspaces(SyncdCli *cli, SyncdClient *client, GError **error)
{
    bool closed = false;
    return read_all(cli, client, &closed, error);
}

/* ---- one ---- */

static SyncdCliWorkspace *take(GPtrArray *workspaces, guint i)
{
    g_ptr_array_set_free_func(workspaces, NULL);
    SyncdCliWorkspace *taken = g_ptr_array_steal_index_fast(workspaces, i);
    g_ptr_array_set_free_func(workspaces, (GDestroyNotify)syncd_cli_workspace_free);
    return taken;
}

static SyncdCliWorkspace *take_named(GPtrArray *workspaces, const char *named)
{
    g_autofree char *id = syncd_cli_workspace_id(named);
    for (guint i = 0; i < workspaces->len; i++)
        if (strcmp(((const SyncdCliWorkspace *)workspaces->pdata[i])->workspace, id) == 0)
            return take(workspaces, i);
    return NULL;
}

static SyncdCliWorkspace *take_around(GPtrArray *workspaces, const char *path)
{
    for (guint i = 0; i < workspaces->len; i++)
        if (syncd_cli_lies_in(path, ((const SyncdCliWorkspace *)workspaces->pdata[i])->directory))
            return take(workspaces, i);
    return NULL;
}

static void refuse_closed(const char *named, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_NOT_INITIALIZED,
                         "put the folder keys/ of the state directory back from a backup and "
                         "restart the daemon; `sourceos-syncd doctor` says which key it is",
                         "Whether `%s` is in a workspace nobody can tell: the key is not here that "
                         "opens what was recorded of workspaces",
                         named);
}

static void refuse(const GPtrArray *workspaces, bool closed, const char *named, GError **error)
{
    if (closed) {
        refuse_closed(named, error);
        return;
    }
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (guint i = 0; i < workspaces->len; i++) {
        const SyncdCliWorkspace *workspace = workspaces->pdata[i];
        g_ptr_array_add(known, (gpointer)syncd_cli_workspace_name(workspace->workspace));
        g_ptr_array_add(known, workspace->directory);
    }
    g_ptr_array_add(known, NULL);
    const char *nearest = syncd_nearest(named, (const char *const *)known->pdata);
    g_autofree char *next =
        nearest != NULL
            ? g_strdup_printf("the nearest is `%s`; see all with `sourceos-syncd workspace list`",
                              nearest)
            : g_strdup("see those that there are with `sourceos-syncd workspace list`; "
                       "`sourceos-syncd workspace add DIRECTORY` makes one");
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, next,
                         "`%s` is neither the name of a workspace nor in its directory", named);
}

SyncdCliWorkspace *syncd_cli_find_path(SyncdCli *cli, SyncdClient *client, const char *named,
                                       char **ret_path, GError **error)
{
    bool closed = false;
    g_autoptr(GPtrArray) workspaces = read_all(cli, client, &closed, error);
    g_autofree char *path = path_of(named);
    if (workspaces == NULL)
        return NULL;
    SyncdCliWorkspace *found = take_named(workspaces, named);
    if (found != NULL) {
        *ret_path = g_strdup("");
        return found;
    }
    found = take_around(workspaces, path);
    if (found == NULL) {
        g_free(path);
        path = syncd_cli_directory(named);
        found = take_around(workspaces, path);
    }
    if (found == NULL) {
        refuse(workspaces, closed, named, error);
        return NULL;
    }
    const char *within = path + strlen(found->directory);
    *ret_path = g_strdup(*within == '/' ? within + 1 : within);
    return found;
}

SyncdCliWorkspace *syncd_cli_find_workspace(SyncdCli *cli, SyncdClient *client, const char *named,
                                            GError **error)
{
    g_autofree char *path = NULL;
    g_autoptr(SyncdCliWorkspace) found = syncd_cli_find_path(cli, client, named, &path, error);
    if (found == NULL || *path == '\0')
        return g_steal_pointer(&found);
    g_autofree char *next =
        g_strdup_printf("name the workspace: `%s`", syncd_cli_workspace_name(found->workspace));
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, next,
                         "`%s` is no workspace, but lies in one: %s", named, found->directory);
    return NULL;
}

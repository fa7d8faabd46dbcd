/* Whether a path of a workspace is ignored, and by which rule. */
#include "service/file-path.h"
#include "service/file-reading.h"
#include "service/files.h"
#include "service/internal.h"

#include "base/json-writer.h"

#include <string.h>

#define DEPTH_MAX 256u /* of a path that is asked about */

static const SyncdRoot *find_root(const GPtrArray *roots, const char *workspace)
{
    for (guint i = 0; i < roots->len; i++)
        if (strcmp(((const SyncdRoot *)roots->pdata[i])->workspace, workspace) == 0)
            return roots->pdata[i];
    return NULL;
}

/* Whoever may not read it is told the same as where there is none. */
static const SyncdIgnore *find_rules(SyncdService *service, const SyncdCaller *caller,
                                     const char *workspace, GError **error)
{
    const SyncdListener *listener = &service->listener;
    g_autoptr(GPtrArray) roots = NULL;
    bool may;
    if (!syncd_service_may_read_files(service, caller, &may, error) ||
        !syncd_service_list_roots(service, &roots, error))
        return NULL;
    const SyncdRoot *root = may ? find_root(roots, workspace) : NULL;
    if (root == NULL) {
        syncd_set_error_next(
            error, SYNCD_ERROR_NOT_FOUND, "list what there is with `sourceos-syncd workspace list`",
            "There is no directory that is the workspace %.*s", SYNCD_ID_TOKEN_MAX, workspace);
        return NULL;
    }
    const SyncdIgnore *rules =
        listener->rules != NULL ? listener->rules(listener->data, root->id) : NULL;
    g_autofree char *next = g_strdup_printf(
        "see why with `sourceos-syncd workspace show %s`; a workspace that is paused is resumed "
        "with `sourceos-syncd workspace resume %s`",
        workspace, workspace);
    if (rules == NULL)
        syncd_set_error_next(error, SYNCD_ERROR_ENGINE_DISABLED, next,
                             "Nothing in %s is looked at now, so nobody knows its rules",
                             workspace);
    return rules;
}

static void write_bytes(SyncdJsonWriter *writer, const char *name, const char *name_base64,
                        SyncdBytes bytes)
{
    if (g_utf8_validate(bytes.data, (gssize)bytes.size, NULL)) {
        syncd_json_name(writer, name);
        syncd_json_string_sized(writer, bytes.data, bytes.size);
        return;
    }
    g_autofree char *base64 = g_base64_encode(bytes.data, bytes.size);
    syncd_json_member_string(writer, name_base64, base64);
}

static void write_source(SyncdJsonWriter *writer, const SyncdIgnoreVerdict *verdict)
{
    if (verdict->shared) {
        syncd_json_member_string(writer, "source", "shared");
        return;
    }
    g_autoptr(GString) path = g_string_new_len(verdict->folder.data, (gssize)verdict->folder.size);
    g_string_append(path, path->len > 0 ? "/" SYNCD_IGNORE_FILE : SYNCD_IGNORE_FILE);
    write_bytes(writer, "source", "source_base64", SYNCD_BYTES(path->str, path->len));
}

static char *describe(SyncdBytes path, const SyncdIgnoreVerdict *verdict)
{
    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    write_bytes(&writer, "path", "path_base64", path);
    syncd_json_member_bool(&writer, "ignored", verdict->ignored);
    if (verdict->by_rule) {
        write_source(&writer, verdict);
        syncd_json_member_uint(&writer, "line", verdict->line);
        write_bytes(&writer, "pattern", "pattern_base64", verdict->pattern);
        write_bytes(&writer, "matched", "matched_base64", verdict->path);
    }
    syncd_json_end_object(&writer);
    return g_string_free(out, FALSE);
}

/* Each folder on the way has rules to be asked. */
static bool check_depth(SyncdBytes path, GError **error)
{
    SyncdBytes name;
    guint depth = 0;
    while (syncd_file_path_take(&path, &name))
        depth++;
    if (depth <= DEPTH_MAX)
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "A path of more than %u names is not judged",
                    DEPTH_MAX);
    return false;
}

bool syncd_service_ignores(SyncdService *service, const SyncdRoot *root, SyncdBytes path)
{
    const SyncdListener *listener = &service->listener;
    const SyncdIgnore *rules =
        listener->rules != NULL ? listener->rules(listener->data, root->id) : NULL;
    return rules != NULL && syncd_ignore_judge(rules, path, false).ignored;
}

char *syncd_service_check_ignored(SyncdService *service, const SyncdCaller *caller,
                                  const char *workspace, SyncdBytes path, GError **error)
{
    const char *text = path.data;
    bool is_folder = path.size > 0 && text[path.size - 1] == '/';
    path.size -= is_folder;
    if (!syncd_file_path_check(path, error) || !check_depth(path, error))
        return NULL;
    const SyncdIgnore *rules = find_rules(service, caller, workspace, error);
    if (rules == NULL)
        return NULL;
    SyncdIgnoreVerdict verdict = syncd_ignore_judge(rules, path, is_folder);
    return describe(path, &verdict);
}

#include "service/content-name.h"

#include "service/file-find.h"
#include "service/internal.h"
#include "service/repair-file.h"
#include "store/chunks.h"

#include <string.h>

#define OTHERS_MAX 4u      /* versions of the same bytes are named */
#define VERSIONS_MAX 1000u /* are looked through: more are not kept */

/* Which version of the file that entry has; 0: it is not kept any more. */
static guint64 version_at(SyncdStore *store, const SyncdFileRow *row, guint64 pos)
{
    guint64 version = row->version;
    for (guint n = 0; n < VERSIONS_MAX && version > 0; n++) {
        g_auto(SyncdContentRow) content = {0};
        bool found;
        if (!syncd_store_find_content(store, row->id, version, &content, &found, NULL) || !found)
            return 0;
        if (syncd_file_place_pos(content.place) == pos)
            return content.version;
        version = content.version - 1;
    }
    return 0;
}

static bool find(SyncdService *service, const char *id, SyncdRepairFile *ret_file)
{
    return syncd_repair_file_find(service, id, ret_file, NULL) && ret_file->row.id != 0;
}

/* By its path, or its id, and where it is. */
static char *name_file(SyncdService *service, const SyncdRepairFile *file, const char *id,
                       bool by_path)
{
    g_autoptr(GString) path = g_string_new(NULL);
    guint64 top;
    bool whole;
    const char *workspace =
        file->root != NULL ? file->root->workspace : "what is no workspace any more";
    if (!by_path)
        return g_strdup_printf("%s of %s", id, workspace);
    if (!syncd_file_read_path(service->store, &file->row, path, &top, &whole, NULL))
        return g_strdup(id);
    g_autofree char *valid = g_utf8_make_valid(path->str, (gssize)path->len);
    return g_strdup_printf("%s of %s", valid, workspace);
}

static void add_version(GString *out, guint64 version)
{
    if (version != 0)
        g_string_append_printf(out, ", version %" G_GUINT64_FORMAT, version);
}

static void add_user(SyncdService *service, const SyncdChunkUser *user, const SyncdRepairFile *of,
                     bool by_path, GString *out)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    char id[SYNCD_FILE_ID_SIZE];
    if (user->file == of->row.id) {
        g_string_append_printf(out, "version %" G_GUINT64_FORMAT " of it", user->version);
        return;
    }
    bool known =
        syncd_store_file_id(service->store, user->file, id, NULL) && find(service, id, &file);
    g_autofree char *name = known ? name_file(service, &file, id, by_path) : g_strdup("a file");
    g_string_append(out, name);
    add_version(out, user->version);
}

bool syncd_service_users_of_part(SyncdService *service, const SyncdVerifyFinding *finding,
                                 GArray *users)
{
    SyncdHash name;
    const char *part = finding->file != NULL ? finding->part : NULL;
    return part != NULL && syncd_hash_from_hex(part, strlen(part), &name) &&
           syncd_store_list_chunk_users(service->store, &name, users, NULL);
}

/* Equal bytes are one chunk: what is the matter with it is so for all that have them. */
static void add_others(SyncdService *service, const SyncdVerifyFinding *finding,
                       const SyncdRepairFile *file, guint64 version, bool by_path, GString *out)
{
    g_autoptr(GArray) users = g_array_new(FALSE, FALSE, sizeof(SyncdChunkUser));
    guint n = 0;
    if (!syncd_service_users_of_part(service, finding, users))
        return;
    for (guint i = 0; i < users->len; i++) {
        const SyncdChunkUser *user = &g_array_index(users, SyncdChunkUser, i);
        if ((user->file == file->row.id && user->version == version) || n++ >= OTHERS_MAX)
            continue;
        g_string_append(out, n == 1 ? " (and " : "; ");
        add_user(service, user, file, by_path, out);
    }
    if (n > OTHERS_MAX)
        g_string_append_printf(out, "; and %u more", n - OTHERS_MAX);
    if (n > 0)
        g_string_append_c(out, ')');
}

static char *name_version(SyncdService *service, const SyncdVerifyFinding *finding, bool by_path)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    if (!find(service, finding->file, &file))
        return g_strdup(finding->file);
    guint64 version = version_at(service->store, &file.row, (guint64)finding->pos);
    g_autofree char *name = name_file(service, &file, finding->file, by_path);
    GString *out = g_string_new(name);
    add_version(out, version);
    add_others(service, finding, &file, version, by_path, out);
    return g_string_free(out, FALSE);
}

char *syncd_service_name_version(SyncdService *service, const SyncdVerifyFinding *finding)
{
    return name_version(service, finding, false);
}

/* Of an operation there is no other name than that of the object it is about. */
static char *name_object(SyncdService *service, guint64 pos)
{
    g_auto(SyncdEntry) entry = {0};
    if (!syncd_store_read(service->store, pos, &entry, NULL) || entry.header.object.size == 0)
        return NULL;
    g_autofree char *object = syncd_bytes_dup(entry.header.object),
                    *scope = syncd_service_scope_text(service, entry.header.scope);
    return g_strdup_printf("%s of %s", object, scope);
}

char *syncd_service_name_content(SyncdService *service, const SyncdVerifyFinding *finding)
{
    if (finding->pos <= 0)
        return NULL;
    return finding->file != NULL ? name_version(service, finding, true)
                                 : name_object(service, (guint64)finding->pos);
}

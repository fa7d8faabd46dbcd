#include "service/content-name.h"

#include "service/file-find.h"
#include "service/internal.h"
#include "service/repair-file.h"
#include "store/chunks.h"

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

static char *with_version(SyncdService *service, const SyncdRepairFile *file, guint64 pos,
                          const char *name)
{
    guint64 version = version_at(service->store, &file->row, pos);
    const char *workspace =
        file->root != NULL ? file->root->workspace : "what is no workspace any more";
    return version != 0
               ? g_strdup_printf("%s of %s, version %" G_GUINT64_FORMAT, name, workspace, version)
               : g_strdup_printf("%s of %s", name, workspace);
}

static bool find(SyncdService *service, const char *id, SyncdRepairFile *ret_file)
{
    return syncd_repair_file_find(service, id, ret_file, NULL) && ret_file->row.id != 0;
}

char *syncd_service_name_version(SyncdService *service, const char *id, guint64 pos)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    return find(service, id, &file) ? with_version(service, &file, pos, id) : g_strdup(id);
}

static char *name_file(SyncdService *service, const char *id, guint64 pos)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    g_autoptr(GString) path = g_string_new(NULL);
    guint64 top;
    bool whole;
    if (!find(service, id, &file) ||
        !syncd_file_read_path(service->store, &file.row, path, &top, &whole, NULL))
        return g_strdup(id);
    g_autofree char *valid = g_utf8_make_valid(path->str, (gssize)path->len);
    return with_version(service, &file, pos, valid);
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
    return finding->file != NULL ? name_file(service, finding->file, (guint64)finding->pos)
                                 : name_object(service, (guint64)finding->pos);
}

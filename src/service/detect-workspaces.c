/* How it stands with the directories that are workspaces. */
#include "service/content-faults.h"
#include "service/detect.h"
#include "service/file-find.h"
#include "service/repair-file.h"

#include <string.h>

/* ---- what their readers say ---- */

static SyncdFound *add_about(SyncdDiagnosis *self, const char *code, const SyncdRoot *root,
                             const char *reason)
{
    SyncdFound *found = syncd_diagnosis_add(self, code, "workspace", root->workspace, "directory",
                                            root->directory, "reason", reason, NULL);
    found->object = g_strdup(root->id);
    syncd_found_evidence(found, g_strdup(root->directory));
    return found;
}

static void add_paused(SyncdDiagnosis *self, const SyncdRoot *root)
{
    add_about(self, root->asks ? "workspace-asks" : "workspace-paused", root,
              *root->pause_reason != '\0' ? root->pause_reason : "nobody said why");
}

static void add_unreadable(SyncdDiagnosis *self, const SyncdRoot *root, guint64 n)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, n);
    SyncdFound *found = syncd_diagnosis_add(self, "workspace-unreadable", "workspace",
                                            root->workspace, "n", text, NULL);
    found->object = g_strdup(root->id);
    found->count = n;
}

static void add_standing(SyncdDiagnosis *self, const SyncdRoot *root)
{
    const SyncdListener *listener = &self->service->listener;
    SyncdRootStanding standing;
    if (listener->standing == NULL || !listener->standing(listener->data, root->id, &standing))
        return;
    if (strcmp(standing.state, "missing") == 0)
        add_about(self, "workspace-missing", root, standing.reason);
    if (strcmp(standing.state, "failed") == 0)
        add_about(self, "workspace-failed", root, standing.reason);
    if (standing.unreadable > 0)
        add_unreadable(self, root, standing.unreadable);
    if (standing.unruled > 0)
        add_about(self, "workspace-unruled", root, standing.reason);
    if (standing.unwatched)
        add_about(self, "workspace-unwatched", root, standing.reason);
}

/* ---- files that are not what is recorded ---- */

#define MISMATCHED_MAX 1000u /* are counted */

typedef struct {
    SyncdFileRow rows[SYNCD_FOUND_EVIDENCE];
    guint n, looked;
    bool may_be_restored; /* one of them */
    SyncdService *service;
    SyncdContentFaults faults;
} Named;

static bool name_one(void *data, const SyncdFileRow *row)
{
    Named *named = data;
    if (named->n < SYNCD_FOUND_EVIDENCE)
        named->rows[named->n++] = *row;
    named->may_be_restored =
        named->may_be_restored ||
        (syncd_repair_file_may_be_restored(row) &&
         !syncd_content_faults_hit(&named->faults, named->service, row->id, row->version));
    return ++named->looked < MISMATCHED_MAX &&
           (named->n < SYNCD_FOUND_EVIDENCE || !named->may_be_restored);
}

static bool add_named(SyncdDiagnosis *self, SyncdFound *found, const Named *named, GError **error)
{
    g_autoptr(GString) path = g_string_new(NULL);
    for (guint i = 0; i < named->n; i++) {
        char id[SYNCD_FILE_ID_SIZE];
        guint64 top;
        bool whole;
        g_string_truncate(path, 0);
        if (!syncd_store_file_id(self->service->store, named->rows[i].id, id, error) ||
            !syncd_file_read_path(self->service->store, &named->rows[i], path, &top, &whole, error))
            return false;
        g_autofree char *valid = g_utf8_make_valid(path->str, (gssize)path->len);
        syncd_found_evidence(found, g_strdup_printf("%s %s", id, valid));
    }
    return true;
}

static bool add_mismatched(SyncdDiagnosis *self, const SyncdRoot *root, GError **error)
{
    SyncdStore *store = self->service->store;
    Named named = {.service = self->service};
    guint64 n;
    if (!syncd_store_count_mismatched(store, root->scope_id, MISMATCHED_MAX, &n, error))
        return false;
    if (n == 0)
        return true;
    syncd_content_faults_gather(self->service, &named.faults);
    bool walked = syncd_store_walk_mismatched(store, root->scope_id, 0, name_one, &named, error);
    syncd_content_faults_clear(&named.faults);
    if (!walked)
        return false;
    bool more = n == MISMATCHED_MAX;
    g_autofree char *text = g_strdup_printf("%s%" G_GUINT64_FORMAT, more ? "at least " : "", n);
    SyncdFound *found = syncd_diagnosis_add(self, "checksum-mismatch", "workspace", root->workspace,
                                            "n", text, NULL);
    found->count = n;
    found->more = more;
    found->object = g_strdup(root->id);
    found->target = g_strdup(root->workspace);
    found->unmended = !named.may_be_restored ||
                      syncd_repair_file_rest(self->service, root) == SYNCD_FILE_UNWATCHED;
    return add_named(self, found, &named, error);
}

static bool look(SyncdDiagnosis *self, GError **error)
{
    g_autoptr(GPtrArray) roots = NULL;
    if (!syncd_service_list_roots(self->service, &roots, error))
        return false;
    for (guint i = 0; i < roots->len; i++) {
        const SyncdRoot *root = roots->pdata[i];
        if (!add_mismatched(self, root, error))
            return false;
        if (root->paused)
            add_paused(self, root);
        else
            add_standing(self, root);
    }
    return true;
}

/* ---- where nobody can look ---- */

static bool is_told(const SyncdDiagnosis *self, const char *code)
{
    for (guint i = 0; i < self->found->len; i++)
        if (strcmp(((const SyncdFound *)self->found->pdata[i])->finding->code, code) == 0)
            return true;
    return false;
}

/* What was known last is what the state goes on to say. Which files they are the index knows, which
 * is mended first. */
static void add_remembered(SyncdDiagnosis *self)
{
    SyncdService *service = self->service;
    guint len = service->roots != NULL ? service->roots->len : 0;
    bool asks = is_told(self, "workspace-asks");
    for (guint i = 0; i < len && !asks; i++)
        if (((const SyncdRoot *)service->roots->pdata[i])->asks)
            add_paused(self, service->roots->pdata[i]);
    if (service->mismatched_in == NULL || is_told(self, "checksum-mismatch"))
        return;
    SyncdFound *found = syncd_diagnosis_add(self, "checksum-mismatch", "workspace",
                                            service->mismatched_in, "n", "at least 1", NULL);
    found->more = found->unmended = true;
    found->next = syncd_store_is_indexing(service->store) ? SYNCD_NEXT_STATUS_WATCH
                                                          : "sourceos-syncd repair plan";
    syncd_found_evidence(found, g_strdup_printf("as of entry %" G_GUINT64_FORMAT
                                                " of the log; which files they are the index "
                                                "cannot say now",
                                                service->mismatched_of));
    for (guint i = 0; i < len; i++) {
        const SyncdRoot *root = service->roots->pdata[i];
        if (strcmp(root->workspace, service->mismatched_in) == 0)
            found->object = g_strdup(root->id);
    }
}

bool syncd_detect_workspaces(SyncdDiagnosis *self, GError **error)
{
    if (look(self, error))
        return true;
    add_remembered(self);
    return false;
}

/*
 * Chunks that nobody names are set aside: into the folder of the ledger, so the way back only has
 * to move them. Nothing but the log says what is named, so it is asked once more of each of them
 * before it is touched; what an open turn may still come to name is not (store/orphans.h). Those
 * that the plan does not tell of (repair-named.h) are left for another one.
 */
#include "service/damage.h"
#include "service/repair-kinds.h"
#include "service/repair-named.h"
#include "store/aside.h"
#include "store/orphans.h"
#include "store/repair-store.h"

#include <string.h>

#define LIST_MAX (64u * 1024u * 1024u)
#define SENTENCES_MAX 50u
#define LEFT "- " /* before a name that the plan does not tell of */

typedef struct {
    SyncdOrphans *orphans; /* while they are looked for, and then to be asked of each */
    GPtrArray *names;      /* char *: as listed; NULL: they are not yet … */
    GPtrArray *left;       /* … and those that are left */
    bool confirmed;        /* all of the log was looked through for these */
    guint next, aside;
} Work;

static Work *work_of(SyncdRepairAct *act)
{
    if (act->data == NULL)
        act->data = g_new0(Work, 1);
    return act->data;
}

static void clear_names(Work *work)
{
    g_clear_pointer(&work->names, g_ptr_array_unref);
    g_clear_pointer(&work->left, g_ptr_array_unref);
}

static void stop(SyncdRepairAct *act)
{
    Work *work = act->data;
    if (work == NULL)
        return;
    syncd_orphans_free(work->orphans);
    clear_names(work);
    g_clear_pointer(&act->data, g_free);
}

/* ---- the list ---- */

static char *list_name(const SyncdRepairAct *act)
{
    return g_strconcat(act->snapshot, ".list", NULL);
}

static char *kept_name(const SyncdRepairAct *act, const char *name)
{
    const char *base = strrchr(name, '/');
    return g_strdup_printf("%s.%s", act->snapshot, base != NULL ? base + 1 : name);
}

static bool load(SyncdRepairAct *act, Work *work, GError **error)
{
    size_t size;
    g_autofree char *name = list_name(act);
    if (work->names != NULL || !syncd_store_has_repair(act->service->store, name))
        return true;
    g_autofree char *text =
        syncd_store_get_repair(act->service->store, name, LIST_MAX, &size, error);
    if (text == NULL)
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    work->names = g_ptr_array_new_with_free_func(g_free);
    work->left = g_ptr_array_new_with_free_func(g_free);
    for (char **line = lines; *line != NULL; line++)
        if (g_str_has_prefix(*line, LEFT))
            g_ptr_array_add(work->left, g_strdup(*line + strlen(LEFT)));
        else if (**line != '\0')
            g_ptr_array_add(work->names, g_strdup(*line));
    return true;
}

/* Those that were found when somebody looked last. */
static char *name_orphans(SyncdService *service)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    const char *told = syncd_service_orphans_told(service);
    return told != NULL ? g_strdup(told) : syncd_named_write(none, false);
}

static bool write_list(SyncdRepairAct *act, Work *work, GError **error)
{
    g_autofree char *name = list_name(act);
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    g_ptr_array_extend(found, (GPtrArray *)syncd_orphans_found(work->orphans), NULL, NULL);
    g_autoptr(GHashTable) told = syncd_named_told(act->bound_to, found);
    g_autoptr(GString) lines = g_string_new(NULL);
    for (guint i = 0; i < found->len; i++)
        g_string_append_printf(lines, "%s%s\n",
                               g_hash_table_contains(told, found->pdata[i]) ? "" : LEFT,
                               (const char *)found->pdata[i]);
    return syncd_store_put_repair(act->service->store, name, SYNCD_BYTES(lines->str, lines->len),
                                  error) &&
           load(act, work, error);
}

/* ---- forward ---- */

/* What was listed before a crash is what was found. */
static bool begin(SyncdRepairAct *act, GError **error)
{
    return load(act, work_of(act), error);
}

static bool find(SyncdRepairAct *act, Work *work, GError **error)
{
    bool more;
    if (work->orphans == NULL)
        work->orphans = syncd_orphans_new(act->service->store, SYNCD_ORPHANS_AT_ONCE);
    if (!syncd_orphans_step(work->orphans, &more, error))
        return false;
    if (more)
        return true;
    bool listed = write_list(act, work, error);
    g_clear_pointer(&work->orphans, syncd_orphans_free);
    return listed;
}

static bool confirm(SyncdRepairAct *act, Work *work, GError **error)
{
    bool more;
    if (work->orphans == NULL)
        work->orphans = syncd_orphans_new_of(act->service->store, work->names);
    if (!syncd_orphans_step(work->orphans, &more, error))
        return false;
    work->confirmed = !more;
    return true;
}

static bool set_aside(SyncdRepairAct *act, Work *work, GError **error)
{
    const char *name = work->names->pdata[work->next++];
    g_autofree char *kept = kept_name(act, name);
    bool is;
    if (syncd_store_has_repair(act->service->store, kept)) {
        work->aside++;
        return true;
    }
    if (!syncd_orphans_is_one(work->orphans, name, &is, error))
        return false;
    work->aside += is;
    return !is || syncd_store_set_aside(act->service->store, name, kept, error);
}

static bool step(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    Work *work = work_of(act);
    bool done = work->names == NULL             ? find(act, work, error)
                : !work->confirmed              ? confirm(act, work, error)
                : work->next < work->names->len ? set_aside(act, work, error)
                                                : true;
    *ret_more = work->names == NULL || !work->confirmed || work->next < work->names->len;
    *ret_progress = work->names == NULL ? 0.0 : (double)work->next / (work->names->len + 1);
    return done;
}

static bool check(SyncdRepairAct *act, GError **error)
{
    const Work *work = work_of(act);
    for (guint i = 0; i < work->names->len && act->quarantined->len < SENTENCES_MAX; i++) {
        g_autofree char *kept = kept_name(act, work->names->pdata[i]);
        if (syncd_store_has_repair(act->service->store, kept))
            g_ptr_array_add(act->quarantined, g_strdup_printf("%s, which nothing names",
                                                              (char *)work->names->pdata[i]));
    }
    g_ptr_array_add(
        act->preserved,
        g_strdup_printf("All chunks that anything names; %u others are set aside", work->aside));
    syncd_named_tell_left(act->preserved, work->left, work->left->len);
    if (work->left->len > 0)
        syncd_service_note_orphans(act->service, work->left);
    return true;
}

/* ---- back ---- */

static bool put_back(SyncdRepairAct *act, const char *name, GError **error)
{
    SyncdStore *store = act->service->store;
    g_autofree char *kept = kept_name(act, name);
    if (syncd_lost_has(act->lost, kept))
        return true;
    /* Whoever put one there since needs that, and with its mode: no note of one is left alone. */
    return syncd_store_has_repair(store, kept) && syncd_store_has_state(store, name)
               ? syncd_store_forget_mode(store, kept, error) &&
                     syncd_store_remove_repair(store, kept, error)
               : syncd_store_put_back(store, kept, name, error);
}

static bool release_list(SyncdRepairAct *act, GError **error)
{
    g_autofree char *name = list_name(act);
    return syncd_store_remove_repair(act->service->store, name, error);
}

static bool undo(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    Work *work = work_of(act);
    if (work->orphans != NULL) { /* this way back begins */
        g_clear_pointer(&work->orphans, syncd_orphans_free);
        work->next = 0;
    }
    *ret_more = false;
    if (!load(act, work, error))
        return false;
    if (work->names == NULL)
        return true;
    if (work->next < work->names->len && !put_back(act, work->names->pdata[work->next++], error))
        return false;
    *ret_more = work->next < work->names->len;
    if (*ret_more)
        return true;
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_ptr_array_extend(all, work->names, NULL, NULL);
    g_ptr_array_extend(all, work->left, NULL, NULL);
    syncd_service_note_orphans(act->service, all);
    return release_list(act, error);
}

static bool release(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    Work work = {.names = NULL};
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    if (!load(act, &work, error))
        return false;
    for (guint i = 0; work.names != NULL && i < work.names->len; i++)
        syncd_aside_add(kept, kept_name(act, work.names->pdata[i]));
    clear_names(&work);
    return syncd_store_remove_repairs(act->service->store, kept, ret_more, error) &&
           (*ret_more || release_list(act, error));
}

const SyncdRepairKind syncd_repair_blob_sweep = {
    .name = "blob-sweep",
    .kind = "quarantine",
    .risk = "low",
    .description = "Set aside chunks of content that nothing names, as a crash or a damage left "
                   "them.",
    .expected_result = "Only chunks that something names take room beside the log.",
    .bound_to = name_orphans,
    .covers = syncd_named_covers,
    .begin = begin,
    .step = step,
    .check = check,
    .undo = undo,
    .kept_list = ".list",
    .release = release,
    .stop = stop,
};

/* The index is made anew from the log, beside the one that serves if that still does. */
#include "service/repair-kinds.h"
#include "store/repair-store.h"

#include <string.h>

/* Whether it serves, and lies, or not for long. */
static bool is_wrong(const SyncdFinding *finding)
{
    static const char *const codes[] = {"index-damaged", "index-drift", "index-displaced", NULL};
    return g_strv_contains(codes, finding->code);
}

/* One that lacks room, or is being made, needs none. */
static bool expand(SyncdRepairNeeds *needs, const SyncdFound *found, GError **error)
{
    if (syncd_store_index_fault(needs->service->store) != NULL || is_wrong(found->finding))
        syncd_repair_need(needs, &syncd_repair_index_rebuild, "index", NULL, found);
    return true;
}

/* While one is made beside it, what is sorted for it takes room as well. */
static guint64 space(SyncdService *service, const char *target)
{
    guint64 bytes = syncd_store_index_file_bytes(service->store);
    return bytes + bytes / 2;
}

static bool step(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    return syncd_store_step_index_repair(act->service->store, act->snapshot, ret_more, ret_progress,
                                         error);
}

static char *say_differences(guint64 compared, guint64 wrong)
{
    if (wrong == 0)
        return g_strdup_printf("Rows of the index that were compared with the log: "
                               "%" G_GUINT64_FORMAT ", and none was wrong",
                               compared);
    return g_strdup_printf("Rows of the index that were compared with the log: "
                           "%" G_GUINT64_FORMAT ", that were wrong: %" G_GUINT64_FORMAT,
                           compared, wrong);
}

/* Of the one that was there, by table, where it could be read. */
static void tell_differences(SyncdRepairAct *act)
{
    const GArray *tables = syncd_store_index_differences(act->service->store);
    guint64 compared = 0, wrong = 0;
    for (guint i = 0; tables != NULL && i < tables->len; i++) {
        const SyncdIndexDifference *table = &g_array_index(tables, SyncdIndexDifference, i);
        compared += table->compared;
        wrong += table->wrong;
        if (table->wrong > 0)
            g_ptr_array_add(act->rebuilt,
                            g_strdup_printf("%s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                                            " rows that were compared",
                                            table->table, table->wrong, table->compared));
        if (table->unread)
            g_ptr_array_add(act->rebuilt,
                            g_strdup_printf("%s: what could not be read of it", table->table));
    }
    if (tables != NULL)
        g_ptr_array_add(act->rebuilt, say_differences(compared, wrong));
}

static bool check(SyncdRepairAct *act, GError **error)
{
    SyncdStore *store = act->service->store;
    if (!syncd_store_settle(store, error))
        return false;
    if (syncd_store_index_fault(store) != NULL) {
        syncd_set_error(error, SYNCD_ERROR_FAILED, "The index that was made is of no use either");
        return false;
    }
    g_ptr_array_add(act->rebuilt,
                    g_strdup_printf("The index, from %" G_GUINT64_FORMAT " %s of the log",
                                    syncd_store_sequence(store),
                                    syncd_store_sequence(store) == 1 ? "entry" : "entries"));
    tell_differences(act);
    g_ptr_array_add(act->preserved, g_strdup("The log, and the index that was there before"));
    return true;
}

/* Without a log nothing says whether the one that was there is of use, and no other can be made. */
static bool returns(const SyncdRepairAct *act, GError **error)
{
    return syncd_store_check_readable(act->service->store, error);
}

static bool undo(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    SyncdStore *store = act->service->store;
    *ret_more = false;
    if (!syncd_store_undo_index_repair(store, act->snapshot, error))
        return false;
    /* One whose file was not in its place answered from what was open, which is closed now. */
    if (syncd_store_unreadable(store) == NULL && syncd_store_lacks_index(store))
        g_ptr_array_add(act->preserved,
                        g_strdup("The log; lookups fail, as what is in the place of the index is "
                                 "none that serves: another repair has it made anew"));
    return true;
}

static bool release(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    return syncd_store_release_index_snapshot(act->service->store, act->snapshot, error);
}

const SyncdRepairKind syncd_repair_index_rebuild = {
    .name = "index-rebuild",
    .kind = "rebuild",
    .risk = "low",
    .description = "Make the index anew from the log; the one that is there is kept aside.",
    .expected_result = "Lookups answer, and say what the log says.",
    .rebuildable = true,
    .expand = expand,
    .space = space,
    .step = step,
    .check = check,
    .undo = undo,
    .returns = returns,
    .release = release,
};

#include "repair-purges.h"

#include "../unit/purge-world.h"

#include "service/internal.h"

#include <string.h>

#define RESTS 6u /* until it is proven, too */

static const struct {
    const char *object, *marker;
} gone[] = {{"gone-1", MARKER "-1"}, {"gone-2", MARKER "-2"}};

void repair_purges_begin(RepairWorld *w)
{
    repair_open(&w->f, NULL);
    fill_world(&w->f);
    service_close(&w->f);
    w->notes++; /* an operation of the one that has not ended */
}

/* False also while nobody knows. */
static bool find_deletion(RepairLife *life, size_t which, SyncdDeletion *ret_deletion)
{
    bool found;
    g_autoptr(SyncdScope) scope = NULL;
    SyncdStore *store = life->f->service->store;
    return syncd_store_find_scope(store, "public", "notes", &scope, NULL) && scope != NULL &&
           syncd_store_find_deletion(store, scope->id, gone[which].object, ret_deletion, &found,
                                     NULL) &&
           found;
}

static bool holds(RepairLife *life, const char *name, size_t which)
{
    g_autofree char *path = state_path(life->f, name);
    return files_hold(path, SYNCD_BYTES_TEXT(gone[which].marker));
}

/* ---- a start ---- */

/* What a purge leaves to be cleared is on its way, in halves, until it is proven: then nothing is.
 */
void repair_purges_open(RepairLife *life)
{
    RepairWorld *w = life->data;
    SyncdDeletion deletion;
    bool held[G_N_ELEMENTS(gone)];
    for (size_t i = 0; i < G_N_ELEMENTS(gone); i++)
        held[i] = state_holds(&life->f->base, gone[i].marker);
    repair_world_open(life);
    w->is_proven_early = false;
    for (size_t i = 0; i < G_N_ELEMENTS(gone); i++)
        w->is_proven_early |=
            held[i] && find_deletion(life, i, &deletion) && deletion.state == SYNCD_DELETION_PROVEN;
    fill_disk(life->f);
    for (guint i = 0; i < RESTS; i++)
        rest(life->f);
}

/* ---- before, and after ---- */

static bool is_whole(RepairLife *life, size_t which)
{
    SyncdDeletion deletion;
    return find_deletion(life, which, &deletion) && deletion.state == SYNCD_DELETION_HIDDEN &&
           holds(life, "blobs", which) &&
           (holds(life, "journal.db", which) || holds(life, "journal.db-wal", which));
}

static bool is_of(RepairLife *life, guint64 pos, SyncdDeletionEvent event, const char *object,
                  const char *lane)
{
    g_auto(SyncdEntry) entry = {0};
    return syncd_store_read(life->f->service->store, pos, &entry, NULL) &&
           syncd_bytes_are(entry.header.kind, syncd_deletion_kind_of(event)) &&
           syncd_bytes_are(entry.header.object, object) &&
           (lane == NULL || syncd_bytes_are(entry.header.lane, lane));
}

static bool is_proven(RepairLife *life, size_t which)
{
    SyncdDeletion deletion;
    return find_deletion(life, which, &deletion) && deletion.state == SYNCD_DELETION_PROVEN &&
           is_of(life, deletion.moved, SYNCD_DELETION_PROVE, gone[which].object,
                 SYNCD_LANE_AUDIT) &&
           !state_holds(&life->f->base, gone[which].marker);
}

/* So often as something went. */
static bool says(RepairLife *life, SyncdDeletionEvent event, guint times)
{
    return count_entries(life->f, syncd_deletion_kind_of(event)) == times;
}

/* What else was stored, and answered meanwhile; and the log and the files say the same. */
static bool is_all_else_there(RepairLife *life)
{
    bool sound = true;
    repair_world_look_deep(life);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(life->f->service);
    for (guint i = 0; i < found->len; i++)
        sound &= strcmp(((SyncdFound *)found->pdata[i])->finding->severity, "critical") != 0;
    return sound && repair_world_has_all(life) && is_the_rest_there(life->f);
}

static bool are(RepairLife *life, guint *ret_proven)
{
    RepairWorld *w = life->data;
    for (guint i = 0; i < RESTS; i++)
        rest(life->f);
    *ret_proven = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(gone); i++) {
        bool proven = is_proven(life, i);
        *ret_proven += proven;
        if (!proven && !is_whole(life, i))
            return false;
    }
    return !w->is_proven_early && says(life, SYNCD_DELETION_PURGE, *ret_proven) &&
           says(life, SYNCD_DELETION_PROVE, *ret_proven) && is_all_else_there(life);
}

/* What of a plan that failed was done stays done: nobody takes it back. */
bool repair_purges_are_there(RepairLife *life)
{
    guint proven;
    return are(life, &proven) && (proven == 0 || repair_world_is_plan(life, "failed"));
}

bool repair_purges_are_gone(RepairLife *life)
{
    guint proven;
    return are(life, &proven) && proven == G_N_ELEMENTS(gone);
}

/* ---- what must be noticed ---- */

static void take_files(const char *path)
{
    const char *name;
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    if (folder == NULL && files_hold(path, SYNCD_BYTES_TEXT(MARKER)))
        g_assert_cmpint(g_unlink(path), ==, 0);
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        take_files(child);
    }
}

void repair_purges_take_content(RepairLife *life)
{
    g_autofree char *blobs = state_path(life->f, "blobs");
    take_files(blobs);
}

#include "repair-generations.h"

#include "../unit/diagnose-fixture.h"
#include "../unit/raw-sql.h"

#include "service/damage.h"
#include "service/internal.h"
#include "store/mend.h"

#include <string.h>

#define JOURNAL "journal.db"
#define BACKUP "journal-backup.db"
#define COPY "a-copy"

/* A file takes the place of another, seen by whoever watches. */
static void copy_over(const ServiceFixture *f, const char *from, const char *to)
{
    gsize size;
    g_autofree char *bytes = state_read(f, from, &size);
    state_write(f, COPY, bytes, (gssize)size);
    state_move(f, COPY, to);
}

/* ---- damaged ---- */

static void damage(RepairWorld *w, const char *sql)
{
    g_autofree char *path = state_path(&w->f, JOURNAL);
    copy_over(&w->f, JOURNAL, BACKUP);
    forge_raw(path, sql);
}

void repair_log_loses_header(RepairWorld *w)
{
    damage(w, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 12");
}

void repair_log_loses_body(RepairWorld *w)
{
    damage(w, "UPDATE entry SET body = zeroblob(length(body)) WHERE pos = 12");
}

static guint64 generation_of(RepairLife *life)
{
    guint64 generation;
    return syncd_store_generation(life->f->service->store, &generation, NULL) ? generation : 0;
}

static bool is_sound(RepairLife *life)
{
    repair_world_look_deep(life);
    return !syncd_service_is_damaged(life->f->service) && repair_world_has_all(life);
}

/* Nothing was exchanged, or what was is by now in a further one. */
bool repair_log_is_as_it_was(RepairLife *life)
{
    guint64 generation = generation_of(life);
    bool sound = is_sound(life), found = is_found(life->f, life->subject->finding);
    return generation == 1 ? !sound && found : generation > 2 && sound && !found;
}

bool repair_log_is_mended(RepairLife *life)
{
    return generation_of(life) == 2 && is_sound(life);
}

/* ---- displaced ---- */

/* Its last entry is in its WAL alone, which stays: nothing is lost with the process. */
void repair_log_is_displaced(RepairLife *life)
{
    RepairWorld *w = life->data;
    w->is_displaced = false;
    repair_world_open(life);
    if (repair_world_is_repaired(life) || repair_world_is_plan(life, "rolled_back"))
        return;
    put(life->f, "note-1", "{}");
    ++*w->answered;
    copy_over(life->f, JOURNAL, JOURNAL);
    w->is_displaced = true;
}

/* What this process has displaced, unless that was taken back: else it is where it should be. */
bool repair_log_is_elsewhere(RepairLife *life)
{
    const RepairWorld *w = life->data;
    bool elsewhere = w->is_displaced && !repair_world_is_plan(life, "rolled_back");
    return is_found(life->f, life->subject->finding) == elsewhere &&
           (elsewhere || is_sound(life)) && repair_world_has_all(life);
}

bool repair_log_is_back(RepairLife *life)
{
    return is_sound(life) && !is_found(life->f, life->subject->finding);
}

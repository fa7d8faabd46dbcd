/*
 * Long work with a database in steps. Sorting all rows for a lookup, copying or checking a whole
 * file is one call of SQLite; on the way it reads pages and calls back, and that is where it
 * pauses: on a stack of its own (base/fiber.h). Until it goes on, the connection is in the middle
 * of that call and nobody may use it.
 *
 * One that is given up is not let read any more, which ends it as a disk would that fails.
 */
#include "base/fiber.h"
#include "store/database-private.h"
#include "store/vfs.h"

/* A step ends after so many instructions of SQLite's machine, of which a row to sort takes six and
 * one that is sorted four, or after so many pages. */
#define INSTRUCTIONS_A_STEP 40000
#define PAGES_A_STEP 512u
#define STACK_SPARE (512u * 1024u)
/* What is sorted at once is one instruction: where others wait, so much of it that it is no longer
 * than others. */
static const char *const cache[] = {
    [SYNCD_STEPS_LONG] = "PRAGMA cache_size = -8192;",
    [SYNCD_STEPS_SHORT] = "PRAGMA cache_size = -256;",
};

struct SyncdDatabaseSteps {
    SyncdDatabase *db;
    SyncdDatabaseTask task;
    SyncdFiber *fiber;
    guint64 pages, read; /* of the file, and so many of them were read */
    guint taken;         /* steps */
    bool given_up;
    bool too_deep; /* why it was */
    bool ok;
    GError *error;
};

static int pause_here(void *data)
{
    struct SyncdDatabaseSteps *self = data;
    if (!self->given_up)
        syncd_fiber_pause(self->fiber);
    return self->given_up; /* which ends the statement */
}

/* SQLite follows a tree that somebody has made too deep by calling itself. What it holds in memory
 * of a file is not read again, and fits below. */
static bool note_read(void *data)
{
    struct SyncdDatabaseSteps *self = data;
    self->too_deep |= syncd_fiber_stack_left(self->fiber) < STACK_SPARE;
    self->given_up |= self->too_deep;
    if (++self->read % PAGES_A_STEP == 0)
        pause_here(self);
    return !self->given_up;
}

static void work(SyncdFiber *fiber, void *data)
{
    struct SyncdDatabaseSteps *self = data;
    self->ok = self->task.work(self->db, &self->task, &self->error);
}

static guint64 count_pages(SyncdDatabase *db)
{
    gint64 pages = 0;
    syncd_database_number(db, "PRAGMA page_count", &pages, NULL);
    return (guint64)pages;
}

static struct SyncdDatabaseSteps *begin(SyncdDatabase *db, const SyncdDatabaseTask *task)
{
    struct SyncdDatabaseSteps *self = g_new0(struct SyncdDatabaseSteps, 1);
    self->db = db;
    self->task = *task;
    self->pages = count_pages(db);
    self->fiber = syncd_fiber_new(work, self);
    if (self->fiber == NULL) {
        g_free(self);
        return NULL;
    }
    sqlite3_progress_handler(db->handle, INSTRUCTIONS_A_STEP, pause_here, self);
    syncd_vfs_watch_reads(db->handle, note_read, self);
    return self;
}

/* What a check says of a tree that it did not follow is not what is wrong with it. */
static bool find_too_deep(struct SyncdDatabaseSteps *self)
{
    GPtrArray *faults = self->task.faults;
    if (!self->too_deep || faults == NULL)
        return self->ok;
    g_clear_error(&self->error);
    g_ptr_array_insert(faults, 0, g_strdup("a tree in it is deeper than any that is made here"));
    return true;
}

static bool end(SyncdDatabase *db, GError **error)
{
    struct SyncdDatabaseSteps *self = g_steal_pointer(&db->steps);
    bool ok = find_too_deep(self);
    sqlite3_progress_handler(db->handle, 0, NULL, NULL);
    syncd_vfs_watch_reads(db->handle, NULL, NULL);
    if (self->error != NULL)
        g_propagate_error(error, self->error);
    syncd_fiber_free(self->fiber);
    g_free(self);
    return ok;
}

bool syncd_database_step(SyncdDatabase *db, const SyncdDatabaseTask *task, bool *ret_more,
                         GError **error)
{
    *ret_more = false;
    if (db->steps == NULL)
        db->steps = begin(db, task);
    if (db->steps == NULL)
        return task->work(db, task, error);
    db->steps->taken++;
    *ret_more = syncd_fiber_resume(db->steps->fiber);
    return *ret_more || end(db, error);
}

guint syncd_database_steps_taken(const SyncdDatabase *db)
{
    return db->steps->taken;
}

bool syncd_database_is_in_steps(const SyncdDatabase *db)
{
    return db->steps != NULL;
}

double syncd_database_step_part(const SyncdDatabase *db)
{
    const struct SyncdDatabaseSteps *steps = db->steps;
    return steps != NULL && steps->pages > 0
               ? (double)MIN(steps->read, steps->pages) / (double)steps->pages
               : 0;
}

void syncd_database_stop_steps(SyncdDatabase *db)
{
    if (db->steps == NULL)
        return;
    db->steps->given_up = true;
    while (syncd_fiber_resume(db->steps->fiber))
        continue;
    end(db, NULL);
}

/* ---- migrating ---- */

static bool migrate(SyncdDatabase *db, const SyncdDatabaseTask *task, GError **error)
{
    return syncd_database_run(db, cache[task->length], error) &&
           syncd_database_migrate(db, task->up_to, error) &&
           syncd_database_run(db, cache[SYNCD_STEPS_LONG], error);
}

bool syncd_database_migrate_step(SyncdDatabase *db, unsigned up_to, SyncdStepLength length,
                                 bool *ret_more, GError **error)
{
    const SyncdDatabaseTask task = {.work = migrate, .up_to = up_to, .length = length};
    return syncd_database_step(db, &task, ret_more, error);
}

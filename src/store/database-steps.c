/*
 * Migrating in steps. A lookup over a long table is one statement of SQLite, which sorts all of it;
 * on the way it calls back, and that is where it pauses: on a stack of its own (base/fiber.h).
 * Until it goes on, the connection is in the middle of that statement and nobody may use it.
 */
#include "base/fiber.h"
#include "store/database-private.h"

/* Instructions of SQLite's machine, of which a row to sort takes six and one that is sorted four.
 */
#define INSTRUCTIONS_A_STEP 40000
/* What is sorted at once is one instruction: where others wait, so much of it that it is no longer
 * than others. */
static const char *const cache[] = {
    [SYNCD_STEPS_LONG] = "PRAGMA cache_size = -8192;",
    [SYNCD_STEPS_SHORT] = "PRAGMA cache_size = -256;",
};

struct SyncdDatabaseSteps {
    SyncdDatabase *db;
    unsigned up_to;
    SyncdStepLength length;
    SyncdFiber *fiber;
    bool given_up;
    bool ok;
    GError *error;
};

static int pause_migrating(void *data)
{
    struct SyncdDatabaseSteps *self = data;
    if (!self->given_up)
        syncd_fiber_pause(self->fiber);
    return self->given_up; /* which ends the statement */
}

static void migrate(SyncdFiber *fiber, void *data)
{
    struct SyncdDatabaseSteps *self = data;
    self->ok = syncd_database_run(self->db, cache[self->length], &self->error) &&
               syncd_database_migrate(self->db, self->up_to, &self->error) &&
               syncd_database_run(self->db, cache[SYNCD_STEPS_LONG], &self->error);
}

static struct SyncdDatabaseSteps *begin(SyncdDatabase *db, unsigned up_to, SyncdStepLength length)
{
    struct SyncdDatabaseSteps *self = g_new0(struct SyncdDatabaseSteps, 1);
    self->db = db;
    self->up_to = up_to;
    self->length = length;
    self->fiber = syncd_fiber_new(migrate, self);
    if (self->fiber == NULL) {
        g_free(self);
        return NULL;
    }
    sqlite3_progress_handler(db->handle, INSTRUCTIONS_A_STEP, pause_migrating, self);
    return self;
}

static bool end(SyncdDatabase *db, GError **error)
{
    struct SyncdDatabaseSteps *self = g_steal_pointer(&db->steps);
    bool ok = self->ok;
    sqlite3_progress_handler(db->handle, 0, NULL, NULL);
    if (self->error != NULL)
        g_propagate_error(error, self->error);
    syncd_fiber_free(self->fiber);
    g_free(self);
    return ok;
}

bool syncd_database_migrate_step(SyncdDatabase *db, unsigned up_to, SyncdStepLength length,
                                 bool *ret_more, GError **error)
{
    *ret_more = false;
    if (db->steps == NULL)
        db->steps = begin(db, up_to, length);
    if (db->steps == NULL)
        return syncd_database_migrate(db, up_to, error);
    *ret_more = syncd_fiber_resume(db->steps->fiber);
    return *ret_more || end(db, error);
}

bool syncd_database_is_migrating(const SyncdDatabase *db)
{
    return db->steps != NULL;
}

void syncd_database_stop_migrating(SyncdDatabase *db)
{
    if (db->steps == NULL)
        return;
    db->steps->given_up = true;
    while (syncd_fiber_resume(db->steps->fiber))
        continue;
    end(db, NULL);
}

#include "store/structure.h"

#include "store/database-private.h"

/* An open transaction ends between two steps, but for who steps without letting anybody end it. */
#define WAITS_MAX 1000u
#define BEGINS_MAX 3u

struct SyncdStructure {
    SyncdDatabase *db, *look; /* `look` NULL: not begun */
    SyncdLooks *looks;
    guint64 moved; /* of the looks, when this began */
    guint waits, begins;
};

SyncdStructure *syncd_structure_new(SyncdDatabase *db)
{
    SyncdStructure *self = g_new0(SyncdStructure, 1);
    self->db = db;
    self->looks = g_rc_box_acquire(db->looks);
    return self;
}

static void end_look(SyncdStructure *self)
{
    self->looks->n -= self->look != NULL;
    g_clear_pointer(&self->look, syncd_database_free);
}

void syncd_structure_free(SyncdStructure *self)
{
    if (self == NULL)
        return;
    end_look(self);
    g_rc_box_release(self->looks);
    g_free(self);
}

/* What is looked at is at its path, and holds all that was committed. */
static bool is_still(SyncdDatabase *db)
{
    g_autofree char *displaced = syncd_database_displacement(db, NULL);
    return displaced == NULL && syncd_database_empty_wal(db, NULL);
}

/* There is no look where there can be none. */
static bool begin(SyncdStructure *self, GError **error)
{
    SyncdDatabase *db = self->db;
    g_autoptr(GError) problem = NULL;
    if (!syncd_database_is_written(db) || self->begins++ == BEGINS_MAX || !is_still(db))
        return true;
    self->look = syncd_database_open(db->path, db->kind, SYNCD_DATABASE_BESIDE, &problem);
    if (self->look == NULL && g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    self->looks->n += self->look != NULL;
    self->moved = self->looks->moved;
    return true;
}

static bool step(SyncdStructure *self, GPtrArray *faults, bool *ret_more, GError **error)
{
    *ret_more = true;
    if (self->look != NULL && self->looks->moved != self->moved) {
        end_look(self);
        g_ptr_array_set_size(faults, 0);
    }
    if (self->look == NULL && !sqlite3_get_autocommit(self->db->handle) &&
        self->waits++ < WAITS_MAX)
        return true;
    if (self->look == NULL && !begin(self, error))
        return false;
    if (self->look != NULL)
        return syncd_database_check_structure_step(self->look, faults, ret_more, error);
    *ret_more = false;
    return syncd_database_check_structure(self->db, faults, error);
}

/* Some damage ends the check instead of being told by it. */
static void take_damage(GPtrArray *faults, const GError *problem)
{
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(problem->message, &sentence, &next);
    if (faults->len == 0)
        g_ptr_array_add(faults, syncd_database_without_code(sentence));
}

bool syncd_structure_step(SyncdStructure *self, GPtrArray *faults, bool *ret_more, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (step(self, faults, ret_more, &problem))
        return true;
    *ret_more = false;
    if (!g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    take_damage(faults, problem);
    return true;
}

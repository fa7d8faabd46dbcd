#include "store/verify-private.h"

#include "store/generation.h"

/* ---- what does not belong to any one feed ---- */

static bool count_rows(SyncdVerify *self, const char *sql, gint64 *ret_count, GError **error)
{
    return syncd_statement_number(
        syncd_database_statement(syncd_journal_database(self->store->journal), sql), 0, ret_count,
        error);
}

/* Rows that no entry or feed accounts for, found at the ends of their tables or in small ones: none
 * of this grows with the log. Within the log such a row is told by the walk over the entries. While
 * a turn is open the tables hold rows of it, which nobody was told of. */
static bool check_strays(SyncdVerify *self, GError **error)
{
    static const struct {
        const char *code;
        const char *sql;
        const char *what;
    } strays[] = {
        {"stray-entry", "SELECT count(*) FROM entry WHERE pos < 1", "entries have no place"},
        {"stray-head",
         "SELECT count(*) FROM head WHERE NOT EXISTS (SELECT 1 FROM feed WHERE feed.id = "
         "head.feed)",
         "heads belong to no feed"},
        {"stray-checkpoint",
         "SELECT count(*) FROM checkpoint WHERE NOT EXISTS (SELECT 1 FROM feed WHERE feed.id = "
         "checkpoint.feed)",
         "checkpoints belong to no feed"},
        {"base",
         "SELECT count(*) FROM feed WHERE base_size <> 0 OR base_frontier <> x'' OR base_snapshot "
         "<> x''",
         "feeds name a snapshot, which this version never writes"},
        {"stray-purge",
         "SELECT count(*) FROM purge WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.pos = "
         "purge.pos AND body IS NULL)",
         "bodies are said to be purged that are there, or have no entry"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(strays); i++) {
        gint64 count;
        if (!count_rows(self, strays[i].sql, &count, error))
            return false;
        if (count > 0)
            syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, strays[i].code, NULL, -1, -1,
                             "%" G_GINT64_FORMAT " %s", count, strays[i].what);
    }
    return true;
}

static bool check_meta(SyncdVerify *self, GError **error)
{
    gint64 count;
    if (!count_rows(self, "SELECT count(*) FROM meta", &count, error))
        return false;
    g_autofree char *device = NULL, *machine = NULL, *generation = NULL;
    if (!syncd_journal_meta(self->store->journal, "device", &device, error) ||
        !syncd_journal_meta(self->store->journal, "machine", &machine, error) ||
        !syncd_journal_meta(self->store->journal, SYNCD_GENERATION_META, &generation, error))
        return false;
    if (count != (generation != NULL ? 3 : 2))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "meta", NULL, -1, -1,
                         "the table meta has unknown rows");
    guint64 number;
    if (device != NULL && !syncd_generation_parse(device, generation, &number))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "meta", NULL, -1, -1,
                         "the number of this generation of the log is unreadable");
    const char *own = syncd_store_device_id(self->store);
    if (device == NULL || (own != NULL && strcmp(device, own) != 0))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "meta", NULL, -1, -1,
                         "the log says it is of another device than its keys");
    if (machine == NULL || !syncd_machine_is_sound(machine))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "meta", NULL, -1, -1,
                         "the machine that the log is bound to is unreadable");
    return true;
}

static void add_faults(SyncdVerify *self, const GPtrArray *faults)
{
    for (guint i = 0; i < faults->len; i++)
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "structure", NULL, -1, -1, "%s",
                         (const char *)faults->pdata[i]);
}

/* Nothing that is held answers for the disk. */
static void begin_to_read(SyncdVerify *self)
{
    SyncdDatabase *db = syncd_journal_database(self->store->journal);
    syncd_database_forget_pages(db);
    self->pages = syncd_structure_new(db);
    self->faults = g_ptr_array_new_with_free_func(g_free);
}

bool syncd_verify_pages(SyncdVerify *self, bool *ret_more, GError **error)
{
    *ret_more = false;
    if (self->target == 0)
        return true;
    if (self->pages == NULL)
        begin_to_read(self);
    bool ok = syncd_structure_step(self->pages, self->faults, ret_more, error);
    if (ok && *ret_more)
        return true;
    g_clear_pointer(&self->pages, syncd_structure_free);
    if (ok)
        add_faults(self, self->faults);
    return ok;
}

bool syncd_verify_structure(SyncdVerify *self, GError **error)
{
    if (self->target == 0)
        return true;
    SyncdDatabase *db = syncd_journal_database(self->store->journal);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    if (!syncd_database_check_schema(db, faults, error))
        return false;
    self->lookups_hold = faults->len == 0;
    add_faults(self, faults);
    if (!check_meta(self, error) || !syncd_verify_losses_hold(self, error))
        return false;
    return self->mode != SYNCD_VERIFY_FULL || check_strays(self, error);
}

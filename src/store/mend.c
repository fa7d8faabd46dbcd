#include "store/mend-private.h"

#include "store/displaced.h"
#include "store/generation.h"

#include <string.h>

static void feed_free(void *feed)
{
    g_free(feed);
}

static void item_free(void *data)
{
    SyncdMendItem *item = data;
    g_free(item->feed);
    g_free(item->digest);
    g_free(item->source);
    g_free(item);
}

bool syncd_store_generation(SyncdStore *self, guint64 *ret_generation, GError **error)
{
    g_autofree char *device = NULL, *described = NULL;
    if (!syncd_journal_meta(self->journal, "device", &device, error) ||
        !syncd_journal_meta(self->journal, SYNCD_GENERATION_META, &described, error))
        return false;
    if (device == NULL || !syncd_generation_parse(device, described, ret_generation))
        *ret_generation = 1; /* verification tells */
    return true;
}

SyncdDatabase *syncd_mend_journal(const SyncdMend *self)
{
    return syncd_journal_database(self->store->journal);
}

SyncdMend *syncd_mend_new(SyncdStore *store, GError **error)
{
    g_autoptr(SyncdMend) self = g_new0(SyncdMend, 1);
    self->store = store;
    self->sources = syncd_source_find_journals(store->directory);
    self->feeds = g_ptr_array_new_with_free_func(feed_free);
    self->items = g_ptr_array_new_with_free_func(item_free);
    self->verdicts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    if (!syncd_mend_begin_feeds(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void syncd_mend_free(SyncdMend *self)
{
    if (self == NULL)
        return;
    syncd_mend_end_build(self);
    syncd_structure_free(self->structure);
    g_clear_pointer(&self->faults, g_ptr_array_unref);
    syncd_mend_forget_purges(self);
    g_hash_table_unref(self->verdicts);
    g_ptr_array_unref(self->items);
    g_ptr_array_unref(self->feeds);
    g_ptr_array_unref(self->sources);
    g_free(self);
}

SyncdMendFeed *syncd_mend_feed(const SyncdMend *self, gint64 id)
{
    for (guint i = 0; i < self->feeds->len; i++)
        if (((SyncdMendFeed *)self->feeds->pdata[i])->feed->id == id)
            return self->feeds->pdata[i];
    return NULL;
}

/* ---- what was found ---- */

void syncd_mend_add(SyncdMend *self, const char *what, SyncdMendOutcome outcome,
                    const SyncdFeed *feed, gint64 seq, gint64 pos, const char *source)
{
    self->counts[outcome]++;
    if (self->items->len >= SYNCD_MEND_MAX_ITEMS)
        return;
    SyncdMendItem *item = g_new(SyncdMendItem, 1);
    *item = (SyncdMendItem){.what = what,
                            .outcome = outcome,
                            .feed = g_strdup(feed != NULL ? feed->text : ""),
                            .seq = seq,
                            .pos = pos,
                            .source = g_strdup(source)};
    g_ptr_array_add(self->items, item);
}

char *syncd_mend_item_name(const SyncdMendItem *item)
{
    if (item->digest != NULL)
        return g_strdup_printf("%s %s", item->what, item->digest);
    return item->pos > 0
               ? g_strdup_printf("%s of sequence number %" G_GINT64_FORMAT, item->what, item->pos)
               : g_strdup(item->what);
}

const GPtrArray *syncd_mend_items(const SyncdMend *self)
{
    return self->items;
}

guint64 syncd_mend_count(const SyncdMend *self, SyncdMendOutcome outcome)
{
    return self->counts[outcome];
}

guint64 syncd_mend_count_lost_entries(const SyncdMend *self)
{
    guint64 n = 0;
    void *value;
    GHashTableIter iter;
    g_hash_table_iter_init(&iter, self->verdicts);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const SyncdMendVerdict *verdict = value;
        n += verdict->header_lost || verdict->body_lost;
    }
    return n;
}

bool syncd_mend_is_needed(const SyncdMend *self)
{
    return self->counts[SYNCD_MEND_REFILLED] > 0 || self->counts[SYNCD_MEND_DERIVED] > 0 ||
           self->counts[SYNCD_MEND_LOST] > 0 || self->counts[SYNCD_MEND_BEYOND] > 0 ||
           syncd_store_displacement(self->store) != NULL;
}

/* NULL: it is something else that cannot be had. */
static const char *first_entry_gone(const SyncdMend *self)
{
    for (guint i = 0; i < self->items->len; i++) {
        const SyncdMendItem *item = self->items->pdata[i];
        if (item->outcome == SYNCD_MEND_BEYOND && item->seq == 0 &&
            strcmp(item->what, "header") == 0)
            return item->feed;
    }
    return NULL;
}

bool syncd_mend_is_possible(const SyncdMend *self, GError **error)
{
    static const char next[] = "restore the state directory from a backup; until then the log "
                               "can be read as far as it goes";
    const char *feed = first_entry_gone(self);
    if (feed != NULL)
        syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT, next,
                             "The first entry of the feed %s is gone; all others are read by the "
                             "key and the scope that it names, so nothing can stand in for it",
                             feed);
    else if (self->counts[SYNCD_MEND_BEYOND] == 1)
        syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT, next,
                             "Of 1 part of the log not even the hash is known: nothing can stand "
                             "in for it");
    else if (self->counts[SYNCD_MEND_BEYOND] > 1)
        syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT, next,
                             "Of %" G_GUINT64_FORMAT
                             " parts of the log not even the hash is known: nothing can stand in "
                             "for them",
                             self->counts[SYNCD_MEND_BEYOND]);
    else if (!syncd_keyring_has_device(self->store->keyring))
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "put keys/device.key of the state directory back from a backup, and "
                             "restart the daemon",
                             "The device's key is not here, so no generation can be signed");
    else if (self->stopped)
        syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT, next,
                             "More than %u entries of the log are damaged",
                             SYNCD_MEND_MAX_VERDICTS);
    else
        return true;
    return false;
}

double syncd_mend_progress(const SyncdMend *self)
{
    if (self->verify != NULL)
        return syncd_verify_progress(self->verify);
    return self->target == 0 ? 1.0 : MIN(1.0, (double)self->at / (double)self->target);
}

/* ---- examining ---- */

static bool check_turn(const SyncdMend *self, GError **error)
{
    if (!syncd_store_has_turn(self->store))
        return true;
    syncd_set_error(error, SYNCD_ERROR_BUSY, "Entries are being written to the log");
    return false;
}

/* What tells of nothing but the machine and this device. */
static bool examine_meta(SyncdMend *self)
{
    g_autofree char *device = NULL, *machine = NULL;
    if (!syncd_journal_meta(self->store->journal, "device", &device, NULL) ||
        !syncd_journal_meta(self->store->journal, "machine", &machine, NULL) ||
        g_strcmp0(device, syncd_store_device_id(self->store)) != 0 || machine == NULL ||
        !syncd_machine_is_sound(machine))
        syncd_mend_add(self, "meta", SYNCD_MEND_DERIVED, NULL, -1, -1, NULL);
    return true;
}

/* What the first entry of each feed says, too, and was read from there (journal.c). */
static void examine_feeds(SyncdMend *self)
{
    gint64 n;
    if (!syncd_statement_number(
            syncd_database_statement(syncd_mend_journal(self),
                                     "SELECT count(device) FROM feed NOT INDEXED"),
            0, &n, NULL))
        syncd_mend_add(self, "feeds", SYNCD_MEND_DERIVED, NULL, -1, -1, NULL);
}

/* The next generation has its own. */
static void examine_schema(SyncdMend *self)
{
    if (syncd_database_schema_fault(syncd_mend_journal(self)) != NULL)
        syncd_mend_add(self, "schema", SYNCD_MEND_DERIVED, NULL, -1, -1, NULL);
}

/* Where all rows can be read, what leads to them, or is free, may be damaged all the same: what is
 * written next would fail, or damage more. A candidate is made anew whatever it is. */
static bool examine_structure(SyncdMend *self, GError **error)
{
    bool more;
    if (syncd_mend_is_needed(self) || self->store->candidate) {
        self->phase = MEND_EXAMINED;
        return true;
    }
    if (self->structure == NULL) {
        self->structure = syncd_structure_new(syncd_mend_journal(self));
        self->faults = g_ptr_array_new_with_free_func(g_free);
    }
    if (!syncd_structure_step(self->structure, self->faults, &more, error))
        return false;
    if (more)
        return true;
    g_clear_pointer(&self->structure, syncd_structure_free);
    if (self->faults->len > 0)
        syncd_mend_add(self, "structure", SYNCD_MEND_DERIVED, NULL, -1, -1, NULL);
    self->phase = MEND_EXAMINED;
    return true;
}

bool syncd_mend_examine(SyncdMend *self, bool *ret_more, GError **error)
{
    if (!check_turn(self, error))
        return false;
    bool ok = self->phase == MEND_ENTRIES       ? syncd_mend_walk(self, error)
              : self->phase == MEND_CONTENT     ? syncd_mend_examine_content(self, error)
              : self->phase == MEND_CHECKPOINTS ? syncd_mend_examine_checkpoints(self, error)
              : self->phase == MEND_STRUCTURE   ? examine_structure(self, error)
                                                : true;
    if (ok && self->phase == MEND_EXAMINED) {
        examine_meta(self);
        examine_feeds(self);
        examine_schema(self);
    }
    *ret_more = self->phase < MEND_EXAMINED;
    return ok;
}

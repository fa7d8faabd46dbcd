#include "store/misread.h"

#include "base/log.h"
#include "store/displaced.h"
#include "store/store-private.h"

/* Such a one is looked through within a few milliseconds. */
#define BYTES_MAX (4u * 1024u * 1024u)
#define AGAIN_USEC (60u * (guint64)G_USEC_PER_SEC)

const SyncdMisread *syncd_store_misread(const SyncdStore *self)
{
    return &self->misread;
}

bool syncd_store_saw_damage_again(const SyncdStore *self)
{
    return self->looked_again_at != 0;
}

void syncd_store_note_sound(SyncdStore *self)
{
    SyncdDatabase *db = syncd_journal_database(self->journal);
    if (!syncd_store_met_damage(self))
        return;
    g_free(self->misread.what);
    self->misread.what = syncd_database_without_code(syncd_database_damage(db));
    self->misread.sound_ms = syncd_sources_realtime_usec(self->sources) / 1000;
    self->misread.times++;
    self->looked_again_at = 0;
    syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_JOURNAL_CORRUPT,
              "What was found malformed in the journal (%s) is sound when it is read again: the "
              "disk, or what it is read through, may be failing",
              self->misread.what);
    syncd_database_forget_damage(db);
    /* Only what could be written met it in a turn. */
    if (syncd_journal_go_on(self->journal) && self->condition == SYNCD_STORE_DAMAGED)
        self->condition = SYNCD_STORE_WRITABLE;
}

static bool may_look(SyncdStore *self, SyncdDatabase *db)
{
    guint64 now = syncd_sources_monotonic_usec(self->sources);
    if (!syncd_store_met_damage(self) || syncd_database_is_in_steps(db) ||
        syncd_database_has_wrong_rows(db) || syncd_store_has_turn(self) ||
        syncd_store_journal_bytes(self) > BYTES_MAX)
        return false;
    return self->looked_again_at == 0 || now - self->looked_again_at >= AGAIN_USEC;
}

/* What cannot be read at all is not sound. */
static bool is_sound(SyncdDatabase *db)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    return syncd_database_check_schema(db, faults, NULL) &&
           syncd_database_check_structure(db, faults, NULL) && faults->len == 0;
}

void syncd_store_look_again(SyncdStore *self)
{
    SyncdDatabase *db = syncd_journal_database(self->journal);
    if (!may_look(self, db))
        return;
    guint64 met = syncd_database_met_damage(db);
    self->looked_again_at = syncd_sources_monotonic_usec(self->sources);
    syncd_database_forget_pages(db);
    if (is_sound(db) && syncd_database_met_damage(db) == met)
        syncd_store_note_sound(self);
}

#include "store/measure.h"

#include "store/store-private.h"

#include <string.h>

/* ---- what is there ---- */

static SyncdDatabaseFacts measure_database(SyncdDatabase *db, const SyncdMigrations *migrations)
{
    gint64 version = 0, pages = 0, size = 0;
    if (syncd_database_is_in_steps(db)) /* nobody else may ask it anything */
        return (SyncdDatabaseFacts){.there = true, .newest = (guint32)migrations->n_steps};
    syncd_statement_number(syncd_database_statement(db, "PRAGMA user_version"), 0, &version, NULL);
    syncd_statement_number(syncd_database_statement(db, "PRAGMA page_count"), 0, &pages, NULL);
    syncd_statement_number(syncd_database_statement(db, "PRAGMA page_size"), 0, &size, NULL);
    return (SyncdDatabaseFacts){true, (guint32)version, (guint32)migrations->n_steps,
                                (guint64)pages * (guint64)size};
}

/* Each is called after the migration that it was made before. */
static unsigned count_copies(const SyncdDirectory *directory)
{
    unsigned copies = 0;
    for (size_t i = 0; i < syncd_journal_migrations.n_steps; i++) {
        g_autofree char *name =
            g_strdup_printf("journal.db.before-%u", syncd_journal_migrations.steps[i].number);
        copies += syncd_directory_has(directory, name);
    }
    return copies;
}

/* ---- what the index lacks ---- */

static void add_waiting(const SyncdStore *self, SyncdStoreFacts *facts)
{
    for (guint i = 0; i < syncd_overlay_size(self->overlay); i++) {
        const SyncdEntry *entry = &syncd_overlay_at(self->overlay, i)->entry;
        if (entry->pos > facts->sequence)
            return; /* of the open turn: nothing happened yet */
        if (i == 0)
            facts->oldest_ms = entry->header.hlc.ms;
        facts->waiting++;
        const SyncdLane *lane = syncd_lane_find(entry->header.lane);
        if (lane != NULL && facts->counted)
            facts->lanes[lane->rank][SYNCD_LANE_ENTRIES]++;
    }
}

/* Until it has been in one, nobody knows in which lanes what is not projected lies. */
static void measure_index(SyncdStore *self, SyncdStoreFacts *facts)
{
    facts->index.newest = (guint32)syncd_index_migrations.n_steps;
    if (self->index_problem != NULL)
        facts->index_problem = g_strdup(self->index_problem->message);
    if (self->index == NULL) {
        facts->unprojected = facts->sequence;
        return;
    }
    facts->index = measure_database(syncd_index_database(self->index), &syncd_index_migrations);
    if (self->projection != NULL) {
        facts->rebuilding = true;
        facts->unprojected = syncd_projection_remaining(self->projection);
        return;
    }
    facts->remaking = self->remake.index != NULL;
    facts->counted = syncd_index_lane_counts(self->index, facts->lanes, NULL);
    add_waiting(self, facts);
}

void syncd_store_measure(SyncdStore *self, SyncdStoreFacts *ret_facts)
{
    *ret_facts = (SyncdStoreFacts){
        .condition = syncd_store_condition(self),
        .sequence = syncd_store_sequence(self),
        .copies = count_copies(self->directory),
    };
    ret_facts->journal =
        measure_database(syncd_journal_database(self->journal), &syncd_journal_migrations);
    if (self->unreadable != NULL)
        ret_facts->journal = (SyncdDatabaseFacts){.newest = ret_facts->journal.newest};
    measure_index(self, ret_facts);
}

void syncd_store_facts_clear(SyncdStoreFacts *facts)
{
    g_clear_pointer(&facts->index_problem, g_free);
}

bool syncd_store_tally(SyncdStore *self, const char *kind, guint64 *ret_count)
{
    return self->index != NULL && self->projection == NULL &&
           syncd_index_count_kind(self->index, kind, ret_count, NULL);
}

bool syncd_store_has_deletion_in(SyncdStore *self, SyncdDeletionState state, bool *ret_has)
{
    guint64 pos = 0;
    if (self->index == NULL || self->projection != NULL ||
        !syncd_index_find_deletion_in(self->index, state, 0, &pos, NULL))
        return false;
    *ret_has = pos > 0;
    return true;
}

bool syncd_store_is_elsewhere(const SyncdStore *self)
{
    return self->elsewhere;
}

const char *syncd_store_path(const SyncdStore *self)
{
    return syncd_directory_path(self->directory);
}

/* ---- hashes that nobody guesses ---- */

/* Signing is deterministic, and only this device can: what it would sign here, and never shows, is
 * a secret of this state. A text that begins so is no document and no note. */
bool syncd_store_keyed_hash(SyncdStore *self, const char *domain, const char *text,
                            SyncdHash *ret_hash)
{
    const SyncdSigner *signer = syncd_store_signer(self);
    if (signer == NULL)
        return false;
    g_autofree char *message = g_strconcat("sourceos-keyed-hash-v1\n", domain, NULL);
    SyncdSignature secret = syncd_signer_sign(signer, message, strlen(message));
    SyncdBytes part = SYNCD_BYTES_TEXT(text);
    *ret_hash = syncd_hmac(secret.bytes, sizeof secret.bytes, &part, 1);
    explicit_bzero(&secret, sizeof secret);
    return true;
}

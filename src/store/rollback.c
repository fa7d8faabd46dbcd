#include "store/rollback.h"

#include "base/log.h"
#include "store/epochs.h"
#include "store/rollback-private.h"
#include "store/store-private.h"

static void tell(const SyncdStore *self)
{
    if (self->rollback->known == 0)
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_JOURNAL_CORRUPT,
                  "The log lost its end: %s says so, and nobody knows what is missing.",
                  self->rollback->evidence);
    else
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_JOURNAL_CORRUPT,
                  "The log lost its end: %s knows %" G_GUINT64_FORMAT " entries, %" G_GUINT64_FORMAT
                  " are there.",
                  self->rollback->evidence, self->rollback->known, syncd_store_sequence(self));
}

static void take(SyncdStore *self, SyncdRollback *rollback)
{
    syncd_rollback_free(self->rollback);
    self->rollback = rollback;
    tell(self);
}

/* The person's word is in the log: the device's feed goes on in a later epoch. */
static bool is_adopted(const SyncdStore *self)
{
    const char *device = syncd_keyring_device_id(self->keyring);
    g_autofree char *prefix = g_strdup_printf("%s/%s/", device, device);
    const SyncdFeed *now = syncd_rollback_device_feed(self);
    guint64 epoch = 0;
    for (guint i = 0; i < self->rollback->feeds->len; i++) {
        const SyncdKnownFeed *known = self->rollback->feeds->pdata[i];
        if (g_str_has_prefix(known->feed, prefix))
            epoch = MAX(epoch, g_ascii_strtoull(known->feed + strlen(prefix), NULL, 10));
    }
    return now != NULL && epoch != 0 && now->epoch > epoch;
}

static bool has_all(SyncdStore *self, const SyncdKnownFeed *known)
{
    SyncdFrontier frontier;
    SyncdFeedNodes nodes;
    const SyncdFeed *feed = syncd_rollback_find_feed(self, known->feed);
    if (feed == NULL || feed->committed.size < known->size)
        return false;
    SyncdTreeReader reader = syncd_feed_reader(&nodes, self->journal, feed);
    if (!syncd_tree_frontier_at(&reader, known->size, &frontier, NULL))
        return false;
    SyncdHash root = syncd_frontier_root(&frontier);
    return syncd_hash_equal(&root, &known->root);
}

/* The newer log was put back. */
static bool is_back(SyncdStore *self)
{
    const SyncdRollback *rollback = self->rollback;
    if (rollback->known == 0 || rollback->known > syncd_store_sequence(self))
        return false;
    for (guint i = 0; i < rollback->feeds->len; i++)
        if (!has_all(self, rollback->feeds->pdata[i]))
            return false;
    return true;
}

/* ---- at the open ---- */

void syncd_store_end_rollback(SyncdStore *self)
{
    g_autoptr(GError) error = NULL;
    g_clear_pointer(&self->rollback, syncd_rollback_free);
    /* What these know is gone for good. The file that says so goes last. */
    if (!syncd_directory_remove(self->directory, SYNCD_VERIFIED_FILE, &error) ||
        !syncd_directory_remove(self->directory, SYNCD_END_FILE, &error) ||
        !syncd_directory_remove(self->directory, SYNCD_ROLLBACK_FILE, &error))
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_STORAGE_FAILED,
                  "That the log had lost its end cannot be forgotten yet: %s", error->message);
}

static void look_at_kept(SyncdStore *self)
{
    bool writes = self->mode != SYNCD_STORE_INSPECT;
    if (syncd_journal_problem(self->journal) != NULL || self->rollback->known == 0) {
        tell(self);
    } else if (is_back(self)) {
        g_clear_pointer(&self->rollback, syncd_rollback_free);
        if (writes)
            syncd_directory_remove(self->directory, SYNCD_ROLLBACK_FILE, NULL);
    } else if (!is_adopted(self)) {
        tell(self);
    } else if (writes) {
        syncd_store_end_rollback(self);
    } else {
        g_clear_pointer(&self->rollback, syncd_rollback_free);
    }
}

/* Takes both. */
static SyncdRollback *the_further(SyncdRollback *one, SyncdRollback *other)
{
    bool takes_other = one == NULL || (other != NULL && other->known > one->known);
    syncd_rollback_free(takes_other ? one : other);
    return takes_other ? other : one;
}

void syncd_store_look_for_rollback(SyncdStore *self)
{
    g_clear_pointer(&self->rollback, syncd_rollback_free);
    self->rollback = syncd_rollback_read_kept(self);
    if (self->rollback != NULL)
        look_at_kept(self);
    /* What is damaged is not measured. */
    if (syncd_journal_problem(self->journal) != NULL || self->rollback != NULL)
        return;
    bool inspects = self->mode == SYNCD_STORE_INSPECT;
    SyncdRollback *rollback =
        the_further(syncd_rollback_of_verified(self), syncd_rollback_of_end(self));
    if (rollback == NULL)
        rollback = syncd_rollback_of_epochs(self);
    if (rollback == NULL)
        rollback = syncd_rollback_of_wal(self);
    if (rollback == NULL) {
        if (!inspects)
            syncd_store_note_epoch(self);
        return;
    }
    take(self, rollback);
    if (!inspects)
        syncd_rollback_keep(self, rollback, NULL); /* what says it says so the next time too */
}

/* An index can name the last entry, which the heads at the end cannot. */
static bool says_more(const SyncdRollback *rollback, const SyncdRollback *known)
{
    return rollback->known > known->known ||
           (rollback->known == known->known && (strcmp(known->evidence, SYNCD_END_FILE) == 0 ||
                                                strcmp(known->evidence, SYNCD_WAL_FILE) == 0));
}

bool syncd_store_look_at_index_ahead(SyncdStore *self, SyncdIndex *index, GError **error)
{
    if (index == NULL || syncd_journal_problem(self->journal) != NULL)
        return true;
    SyncdRollback *rollback = syncd_rollback_of_index(self, index);
    if (rollback == NULL)
        return true;
    if (self->rollback == NULL || says_more(rollback, self->rollback))
        take(self, rollback);
    else
        syncd_rollback_free(rollback);
    syncd_store_judge_rollback(self);
    return self->rollback->kept || syncd_rollback_keep(self, self->rollback, error);
}

bool syncd_store_doubt_end(SyncdStore *self, SyncdJournal *journal, const char *from,
                           GError **error)
{
    if (syncd_rollback_index_is_of(self, journal))
        return true;
    g_autoptr(SyncdRollback) rollback = syncd_rollback_new(0, from);
    return syncd_rollback_keep(self, rollback, error);
}

void syncd_store_judge_rollback(SyncdStore *self)
{
    if (self->rollback != NULL &&
        (self->condition == SYNCD_STORE_WRITABLE || self->condition == SYNCD_STORE_KEYLESS ||
         self->condition == SYNCD_STORE_MACHINE_CHANGED))
        self->condition = SYNCD_STORE_ROLLED_BACK;
    /* The WAL may be what is damaged: then it has more than is seen of it, and older pages than
     * those in whose place they would come. */
    if (self->mode != SYNCD_STORE_INSPECT &&
        (self->condition == SYNCD_STORE_ROLLED_BACK || self->condition == SYNCD_STORE_DAMAGED))
        syncd_database_hold(syncd_journal_database(self->journal), true);
}

void syncd_store_keep_end(SyncdStore *self)
{
    bool stands = self->opened && self->mode != SYNCD_STORE_INSPECT && !syncd_store_is_new(self) &&
                  syncd_store_condition(self) == SYNCD_STORE_WRITABLE;
    if (stands)
        syncd_rollback_keep_end(self);
}

const SyncdRollback *syncd_store_rollback(const SyncdStore *self)
{
    return self->rollback;
}

guint64 syncd_store_n_rolled_back(const SyncdStore *self)
{
    guint64 now = syncd_store_sequence(self);
    return self->rollback != NULL && self->rollback->known > now ? self->rollback->known - now : 0;
}

GPtrArray *syncd_store_feeds_rolled_back(const SyncdStore *self)
{
    GPtrArray *cut = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; self->rollback != NULL && i < self->rollback->feeds->len; i++) {
        const SyncdKnownFeed *known = self->rollback->feeds->pdata[i];
        const SyncdFeed *feed = syncd_rollback_find_feed(self, known->feed);
        guint64 now = feed != NULL ? feed->committed.size : 0;
        if (known->size <= now)
            continue;
        g_ptr_array_add(cut, g_strdup_printf("%s had %" G_GUINT64_FORMAT
                                             " entries, %" G_GUINT64_FORMAT " are there",
                                             known->feed, known->size, now));
    }
    return cut;
}

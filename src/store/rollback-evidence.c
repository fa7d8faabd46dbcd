/* What knows more of a log than is there: verified.json, an index, the heads at its last end, and
 * the epoch that it was in. */
#include "base/json-writer.h"
#include "base/log.h"
#include "crypto/note.h"
#include "store/epochs.h"
#include "store/rollback-private.h"
#include "store/store-private.h"
#include "store/wal.h"

#define END_SCHEMA "sourceos.log-end/v1"
/* So far back an entry is looked for whose header was not lost. */
#define COMPARED_MAX 64u

const SyncdFeed *syncd_rollback_find_feed(const SyncdStore *self, const char *text)
{
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    for (guint i = 0; i < feeds->len; i++)
        if (strcmp(((const SyncdFeed *)feeds->pdata[i])->text, text) == 0)
            return feeds->pdata[i];
    return NULL;
}

const SyncdFeed *syncd_rollback_device_feed(const SyncdStore *self)
{
    return syncd_journal_own_feed(self->journal, syncd_keyring_device_id(self->keyring));
}

static const SyncdKnownFeed *known_of(const SyncdRollback *rollback, const SyncdFeed *feed)
{
    for (guint i = 0; feed != NULL && i < rollback->feeds->len; i++)
        if (strcmp(((const SyncdKnownFeed *)rollback->feeds->pdata[i])->feed, feed->text) == 0)
            return rollback->feeds->pdata[i];
    return NULL;
}

/* Nothing guards its numbers, but they have to add up: a bit that flipped is no evidence. */
SyncdRollback *syncd_rollback_of_verified(SyncdStore *self)
{
    SyncdJson root;
    guint64 sum;
    g_autofree char *text = syncd_rollback_read_document(self, SYNCD_VERIFIED_FILE, &root);
    if (text == NULL)
        return NULL;
    g_autoptr(SyncdRollback) rollback =
        syncd_rollback_new(syncd_rollback_number(root, "sequence"), SYNCD_VERIFIED_FILE);
    bool counts = syncd_rollback_read_feeds(rollback, syncd_json_member(root, "feeds"), &sum) &&
                  sum == rollback->known &&
                  known_of(rollback, syncd_rollback_device_feed(self)) != NULL;
    bool ahead = false;
    for (guint i = 0; i < rollback->feeds->len; i++) {
        const SyncdKnownFeed *known = rollback->feeds->pdata[i];
        const SyncdFeed *feed = syncd_rollback_find_feed(self, known->feed);
        ahead |= known->size > (feed != NULL ? feed->committed.size : 0);
        rollback->gone += feed == NULL;
    }
    return counts && ahead ? g_steal_pointer(&rollback) : NULL;
}

/* The newest entry of the log whose header is there is, in an index of this log, at the same place.
 */
static bool is_of_this_log(SyncdStore *self, SyncdIndex *index)
{
    guint64 last = syncd_store_sequence(self);
    for (guint64 pos = last; pos > 0 && last - pos < COMPARED_MAX; pos--) {
        size_t size;
        guint64 found = 0;
        SyncdHeader header;
        g_autofree char *text = syncd_journal_read_header(self->journal, pos, &size, NULL);
        if (text == NULL || !syncd_header_parse(text, size, &header, NULL) || header.lost)
            continue;
        g_autofree char *op = syncd_bytes_dup(header.op);
        return syncd_index_find_op(index, op, &found, NULL) && found == pos;
    }
    return false;
}

SyncdRollback *syncd_rollback_of_index(SyncdStore *self, SyncdIndex *index)
{
    guint64 known = 0, n = 0, sum = 0;
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    if (!syncd_index_projected(index, &known, NULL) || known <= syncd_store_sequence(self) ||
        !syncd_index_cursors(index, &n, &sum, NULL) || sum != known || n < feeds->len ||
        !is_of_this_log(self, index))
        return NULL;
    g_autoptr(SyncdRollback) rollback = syncd_rollback_new(known, "index.db");
    rollback->gone = n - feeds->len;
    for (guint i = 0; i < feeds->len; i++) {
        guint64 size;
        SyncdHash root;
        const SyncdFeed *feed = feeds->pdata[i];
        if (!syncd_index_cursor(index, feed->id, &size, &root, NULL) || size < feed->committed.size)
            return NULL;
        syncd_rollback_add(rollback, feed->text, size, &root);
    }
    bool read = syncd_index_entry_at(index, known, &rollback->operation, &rollback->ms, NULL);
    return read ? g_steal_pointer(&rollback) : NULL;
}

bool syncd_rollback_index_is_of(SyncdStore *self, SyncdJournal *journal)
{
    g_autoptr(SyncdIndex) index =
        self->index == NULL ? syncd_index_open(self->directory, NULL) : NULL;
    SyncdProjection *projection =
        index != NULL ? syncd_projection_new(index, journal, NULL, NULL, NULL) : NULL;
    bool is = projection != NULL && syncd_projection_remaining(projection) == 0;
    syncd_projection_free(projection);
    return is;
}

/* ---- an epoch that is not there ---- */

SyncdRollback *syncd_rollback_of_epochs(SyncdStore *self)
{
    SyncdEpochs epochs;
    const SyncdFeed *feed = syncd_rollback_device_feed(self);
    bool behind =
        feed != NULL && syncd_store_read_epochs(self, &epochs) && epochs.begun > feed->epoch;
    return behind ? syncd_rollback_new(0, SYNCD_EPOCHS_FILE) : NULL;
}

/* ---- a WAL that is damaged ---- */

bool syncd_store_wal_has_more(const SyncdStore *self)
{
    SyncdWalEnd end;
    return syncd_wal_look(self->directory, SYNCD_WAL_FILE, &end, NULL) && end.commits > 0;
}

/* How many entries the transactions had that are behind the damage is not known: one at least. */
SyncdRollback *syncd_rollback_of_wal(SyncdStore *self)
{
    SyncdWalEnd end;
    if (!syncd_wal_look(self->directory, SYNCD_WAL_FILE, &end, NULL) || !syncd_wal_is_cut(&end))
        return NULL;
    SyncdRollback *rollback = syncd_rollback_new(syncd_store_sequence(self) + 1, SYNCD_WAL_FILE);
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    for (guint i = 0; i < feeds->len; i++) {
        const SyncdFeed *feed = feeds->pdata[i];
        SyncdHash root = syncd_frontier_root(&feed->committed);
        syncd_rollback_add(rollback, feed->text, feed->committed.size, &root);
    }
    return rollback;
}

/* ---- the heads at its last end ---- */

/* The signature is what guards them: nobody else could have made one that says more. */
static bool read_end(SyncdStore *self, SyncdJson item, SyncdRollback *rollback, bool *ret_ahead)
{
    g_autofree char *note = syncd_json_dup_text(item);
    g_autoptr(SyncdCheckpoint) head =
        note != NULL ? syncd_checkpoint_parse(note, strlen(note), NULL) : NULL;
    if (head == NULL || !g_str_has_prefix(head->origin, SYNCD_ORIGIN_PREFIX) ||
        !syncd_note_verify(note, strlen(note), head->origin,
                           syncd_signer_public_key(syncd_keyring_signer(self->keyring))))
        return false;
    const char *text = head->origin + strlen(SYNCD_ORIGIN_PREFIX);
    const SyncdFeed *feed = syncd_rollback_find_feed(self, text);
    guint64 now = feed != NULL ? feed->committed.size : 0;
    *ret_ahead |= head->size > now;
    rollback->known += MAX(head->size, now);
    rollback->gone += feed == NULL;
    syncd_rollback_add(rollback, text, head->size, &head->root);
    return true;
}

SyncdRollback *syncd_rollback_of_end(SyncdStore *self)
{
    SyncdJson root, item;
    SyncdJsonIter iter;
    bool ahead = false, sound = true;
    if (!syncd_keyring_has_device(self->keyring))
        return NULL;
    g_autofree char *text = syncd_rollback_read_document(self, SYNCD_END_FILE, &root);
    if (text == NULL)
        return NULL;
    g_autoptr(SyncdRollback) rollback = syncd_rollback_new(0, SYNCD_END_FILE);
    syncd_json_iter_init(&iter, syncd_json_member(root, "heads"));
    while (sound && syncd_json_iter_next(&iter, NULL, &item))
        sound = read_end(self, item, rollback, &ahead);
    return sound && ahead ? g_steal_pointer(&rollback) : NULL;
}

void syncd_rollback_keep_end(SyncdStore *self)
{
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, true);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", END_SCHEMA);
    syncd_json_name(&writer, "heads");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < feeds->len; i++) {
        const SyncdFeed *feed = feeds->pdata[i];
        if (feed->own && feed->note != NULL)
            syncd_json_string(&writer, feed->note);
    }
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
    g_string_append_c(text, '\n');
    if (!syncd_directory_publish(self->directory, SYNCD_END_FILE, SYNCD_BYTES(text->str, text->len),
                                 &error))
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE, "Where the log ended cannot be kept: %s",
                  error->message);
}

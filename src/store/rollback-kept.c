/* What is known of a log that lost its end, and the file that remembers it. */
#include "base/json-writer.h"
#include "crypto/digested.h"
#include "store/rollback-private.h"
#include "store/store-private.h"

#define ROLLBACK_SCHEMA "sourceos.log-rolled-back/v1"
#define FILE_MAX (1024u * 1024u)
#define FEED_MAX (G_GINT64_CONSTANT(1) << 48) /* entries: their sum is a number, too */

static void known_feed_free(void *data)
{
    SyncdKnownFeed *known = data;
    g_free(known->feed);
    g_free(known);
}

SyncdRollback *syncd_rollback_new(guint64 known, const char *evidence)
{
    SyncdRollback *rollback = g_new0(SyncdRollback, 1);
    rollback->known = known;
    rollback->evidence = g_strdup(evidence);
    rollback->feeds = g_ptr_array_new_with_free_func(known_feed_free);
    return rollback;
}

void syncd_rollback_free(SyncdRollback *rollback)
{
    if (rollback == NULL)
        return;
    g_free(rollback->operation);
    g_free(rollback->evidence);
    g_ptr_array_unref(rollback->feeds);
    g_free(rollback);
}

void syncd_rollback_add(SyncdRollback *rollback, const char *feed, guint64 size,
                        const SyncdHash *root)
{
    SyncdKnownFeed *known = g_new0(SyncdKnownFeed, 1);
    known->feed = g_strdup(feed);
    known->size = size;
    known->root = *root;
    g_ptr_array_add(rollback->feeds, known);
}

/* ---- the file ---- */

static GString *write_kept(const SyncdRollback *rollback)
{
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_uint(&writer, "sequence", rollback->known);
    syncd_json_member_string(&writer, "operation", rollback->operation);
    syncd_json_member_uint(&writer, "at_ms", rollback->ms);
    syncd_json_member_string(&writer, "evidence", rollback->evidence);
    syncd_json_member_uint(&writer, "gone", rollback->gone);
    syncd_json_name(&writer, "feeds");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < rollback->feeds->len; i++) {
        const SyncdKnownFeed *known = rollback->feeds->pdata[i];
        char root[SYNCD_HASH_HEX_SIZE];
        syncd_hash_to_hex(&known->root, root);
        syncd_json_begin_object(&writer);
        syncd_json_member_string(&writer, "feed", known->feed);
        syncd_json_member_uint(&writer, "size", known->size);
        syncd_json_member_string(&writer, "root", root);
        syncd_json_end_object(&writer);
    }
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
    return text;
}

bool syncd_rollback_keep(SyncdStore *self, SyncdRollback *rollback, GError **error)
{
    g_autoptr(GString) kept = write_kept(rollback);
    g_autoptr(GString) text = syncd_digested_write(ROLLBACK_SCHEMA, kept);
    g_autoptr(GError) problem = NULL;
    SyncdBytes bytes = SYNCD_BYTES(text->str, text->len);
    rollback->kept = syncd_directory_publish(self->directory, SYNCD_ROLLBACK_FILE, bytes, &problem);
    if (!rollback->kept && syncd_store_made_room(self, problem)) {
        g_clear_error(&problem);
        rollback->kept =
            syncd_directory_publish(self->directory, SYNCD_ROLLBACK_FILE, bytes, &problem);
    }
    if (!rollback->kept)
        g_propagate_error(error, g_steal_pointer(&problem));
    return rollback->kept;
}

bool syncd_rollback_read_feeds(SyncdRollback *rollback, SyncdJson feeds, guint64 *ret_sum)
{
    SyncdJsonIter iter;
    SyncdJson item;
    *ret_sum = 0;
    syncd_json_iter_init(&iter, feeds);
    while (syncd_json_iter_next(&iter, NULL, &item)) {
        gint64 size = -1;
        SyncdHash root;
        g_autofree char *feed = syncd_json_dup_text(syncd_json_member(item, "feed"));
        g_autofree char *hex = syncd_json_dup_text(syncd_json_member(item, "root"));
        if (feed == NULL || hex == NULL || !syncd_hash_from_hex(hex, strlen(hex), &root) ||
            !syncd_json_get_int64(syncd_json_member(item, "size"), &size) || size < 0 ||
            size > FEED_MAX)
            return false;
        syncd_rollback_add(rollback, feed, (guint64)size, &root);
        *ret_sum += (guint64)size;
    }
    return true;
}

char *syncd_rollback_read_document(SyncdStore *self, const char *name, SyncdJson *ret_root)
{
    size_t size;
    char *text = syncd_directory_read(self->directory, name, FILE_MAX, &size, NULL);
    if (text != NULL && syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        *ret_root = syncd_json_root(text, size);
    else
        g_clear_pointer(&text, g_free);
    return text;
}

guint64 syncd_rollback_number(SyncdJson object, const char *name)
{
    gint64 number = 0;
    syncd_json_get_int64(syncd_json_member(object, name), &number);
    return (guint64)MAX(number, 0);
}

/* One that is not what was written says still that there was something. */
SyncdRollback *syncd_rollback_read_kept(SyncdStore *self)
{
    SyncdJson kept;
    guint64 sum;
    size_t size;
    if (!syncd_directory_has(self->directory, SYNCD_ROLLBACK_FILE))
        return NULL;
    g_autofree char *text =
        syncd_directory_read(self->directory, SYNCD_ROLLBACK_FILE, FILE_MAX, &size, NULL);
    g_autoptr(SyncdRollback) rollback = syncd_rollback_new(0, SYNCD_ROLLBACK_FILE);
    rollback->kept = true;
    if (text == NULL ||
        !syncd_digested_read(SYNCD_BYTES(text, size), ROLLBACK_SCHEMA, &kept, NULL) ||
        !syncd_rollback_read_feeds(rollback, syncd_json_member(kept, "feeds"), &sum))
        return g_steal_pointer(&rollback);
    rollback->known = syncd_rollback_number(kept, "sequence");
    rollback->ms = syncd_rollback_number(kept, "at_ms");
    rollback->gone = syncd_rollback_number(kept, "gone");
    rollback->operation = syncd_json_dup_text(syncd_json_member(kept, "operation"));
    char *evidence = syncd_json_dup_text(syncd_json_member(kept, "evidence"));
    if (evidence != NULL) {
        g_free(rollback->evidence);
        rollback->evidence = evidence;
    }
    return g_steal_pointer(&rollback);
}

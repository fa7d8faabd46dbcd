#include "store/rollback.h"

#include "base/json-writer.h"
#include "base/log.h"
#include "store/store-private.h"

#define ROLLBACK_FILE "rolled-back.json"
#define ROLLBACK_SCHEMA "sourceos.log-rolled-back/v1"
#define VERIFIED_FILE "verified.json"
#define FILE_MAX (1024u * 1024u)
#define FEED_MAX (G_GINT64_CONSTANT(1) << 48) /* entries: their sum is a number, too */
/* So far back an entry is looked for whose header was not lost. */
#define COMPARED_MAX 64u

typedef struct {
    char *feed;
    guint64 size;
    SyncdHash root;
} KnownFeed;

static void known_feed_free(void *data)
{
    KnownFeed *known = data;
    g_free(known->feed);
    g_free(known);
}

static SyncdRollback *rollback_new(guint64 known, const char *evidence)
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
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdRollback, syncd_rollback_free)

static void add_feed(SyncdRollback *rollback, const char *feed, guint64 size, const SyncdHash *root)
{
    KnownFeed *known = g_new0(KnownFeed, 1);
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
        const KnownFeed *known = rollback->feeds->pdata[i];
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

static void digest_of(SyncdJson kept, char ret_digest[SYNCD_DIGEST_SIZE])
{
    SyncdHash hash = syncd_hash_canonical(kept);
    syncd_hash_to_digest(&hash, ret_digest);
}

static bool keep(SyncdStore *self, SyncdRollback *rollback, GError **error)
{
    g_autoptr(GString) kept = write_kept(rollback), text = g_string_new(NULL);
    g_autoptr(GError) problem = NULL;
    SyncdJson root = syncd_json_root(kept->str, kept->len);
    char digest[SYNCD_DIGEST_SIZE];
    SyncdJsonWriter writer;
    digest_of(root, digest);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", ROLLBACK_SCHEMA);
    syncd_json_member_string(&writer, "digest", digest);
    syncd_json_member_value(&writer, "kept", root);
    syncd_json_end_object(&writer);
    SyncdBytes bytes = SYNCD_BYTES(text->str, text->len);
    rollback->kept = syncd_directory_publish(self->directory, ROLLBACK_FILE, bytes, &problem);
    if (!rollback->kept && syncd_store_made_room(self, problem)) {
        g_clear_error(&problem);
        rollback->kept = syncd_directory_publish(self->directory, ROLLBACK_FILE, bytes, &problem);
    }
    if (!rollback->kept)
        g_propagate_error(error, g_steal_pointer(&problem));
    return rollback->kept;
}

/* Of a list of feeds with a size and a root each; false when it is none. `*ret_sum` is what they
 * have together. */
static bool read_feeds(SyncdRollback *rollback, SyncdJson feeds, guint64 *ret_sum)
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
        add_feed(rollback, feed, (guint64)size, &root);
        *ret_sum += (guint64)size;
    }
    return true;
}

/* NULL: there is none, or it is not to be read. */
static char *read_document(SyncdStore *self, const char *name, SyncdJson *ret_root)
{
    size_t size;
    char *text = syncd_directory_read(self->directory, name, FILE_MAX, &size, NULL);
    if (text != NULL && syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        *ret_root = syncd_json_root(text, size);
    else
        g_clear_pointer(&text, g_free);
    return text;
}

static guint64 number_of(SyncdJson object, const char *name)
{
    gint64 number = 0;
    syncd_json_get_int64(syncd_json_member(object, name), &number);
    return (guint64)MAX(number, 0);
}

/* One that is not what was written says still that there was something. */
static SyncdRollback *read_kept(SyncdStore *self)
{
    SyncdJson root;
    guint64 sum;
    char digest[SYNCD_DIGEST_SIZE];
    if (!syncd_directory_has(self->directory, ROLLBACK_FILE))
        return NULL;
    g_autofree char *text = read_document(self, ROLLBACK_FILE, &root);
    g_autoptr(SyncdRollback) rollback = rollback_new(0, ROLLBACK_FILE);
    rollback->kept = true;
    if (text == NULL)
        return g_steal_pointer(&rollback);
    SyncdJson kept = syncd_json_member(root, "kept");
    if (kept.type == SYNCD_JSON_NONE)
        return g_steal_pointer(&rollback);
    digest_of(kept, digest);
    if (!syncd_json_is(syncd_json_member(root, "digest"), digest) ||
        !read_feeds(rollback, syncd_json_member(kept, "feeds"), &sum))
        return g_steal_pointer(&rollback);
    rollback->known = number_of(kept, "sequence");
    rollback->ms = number_of(kept, "at_ms");
    rollback->gone = number_of(kept, "gone");
    rollback->operation = syncd_json_dup_text(syncd_json_member(kept, "operation"));
    g_free(rollback->evidence);
    rollback->evidence = syncd_json_dup_text(syncd_json_member(kept, "evidence"));
    return g_steal_pointer(&rollback);
}

/* ---- what else knows of the log ---- */

static const SyncdFeed *find_feed(const SyncdStore *self, const char *text)
{
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    for (guint i = 0; i < feeds->len; i++)
        if (strcmp(((const SyncdFeed *)feeds->pdata[i])->text, text) == 0)
            return feeds->pdata[i];
    return NULL;
}

static const SyncdFeed *device_feed(const SyncdStore *self)
{
    return syncd_journal_own_feed(self->journal, syncd_keyring_device_id(self->keyring));
}

static const KnownFeed *known_of(const SyncdRollback *rollback, const SyncdFeed *feed)
{
    for (guint i = 0; feed != NULL && i < rollback->feeds->len; i++)
        if (strcmp(((const KnownFeed *)rollback->feeds->pdata[i])->feed, feed->text) == 0)
            return rollback->feeds->pdata[i];
    return NULL;
}

/* Nothing guards its numbers, but they have to add up: a bit that flipped is no evidence. */
static SyncdRollback *read_verified(SyncdStore *self)
{
    SyncdJson root;
    guint64 sum;
    g_autofree char *text = read_document(self, VERIFIED_FILE, &root);
    if (text == NULL)
        return NULL;
    g_autoptr(SyncdRollback) rollback = rollback_new(number_of(root, "sequence"), VERIFIED_FILE);
    bool ahead = read_feeds(rollback, syncd_json_member(root, "feeds"), &sum) &&
                 sum == rollback->known && rollback->known > syncd_store_sequence(self) &&
                 known_of(rollback, device_feed(self)) != NULL;
    for (guint i = 0; i < rollback->feeds->len; i++)
        rollback->gone += find_feed(self, ((KnownFeed *)rollback->feeds->pdata[i])->feed) == NULL;
    return ahead ? g_steal_pointer(&rollback) : NULL;
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

static SyncdRollback *read_index(SyncdStore *self, SyncdIndex *index)
{
    guint64 known = 0, n = 0, sum = 0;
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    if (!syncd_index_projected(index, &known, NULL) || known <= syncd_store_sequence(self) ||
        !syncd_index_cursors(index, &n, &sum, NULL) || sum != known || n < feeds->len ||
        !is_of_this_log(self, index))
        return NULL;
    g_autoptr(SyncdRollback) rollback = rollback_new(known, "index.db");
    rollback->gone = n - feeds->len;
    for (guint i = 0; i < feeds->len; i++) {
        guint64 size;
        SyncdHash root;
        const SyncdFeed *feed = feeds->pdata[i];
        if (!syncd_index_cursor(index, feed->id, &size, &root, NULL) || size < feed->committed.size)
            return NULL;
        add_feed(rollback, feed->text, size, &root);
    }
    bool read = syncd_index_entry_at(index, known, &rollback->operation, &rollback->ms, NULL);
    return read ? g_steal_pointer(&rollback) : NULL;
}

/* ---- what is to be said of it ---- */

static void tell(const SyncdStore *self)
{
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
    const SyncdFeed *now = device_feed(self);
    guint64 epoch = 0;
    for (guint i = 0; i < self->rollback->feeds->len; i++) {
        const KnownFeed *known = self->rollback->feeds->pdata[i];
        if (g_str_has_prefix(known->feed, prefix))
            epoch = MAX(epoch, g_ascii_strtoull(known->feed + strlen(prefix), NULL, 10));
    }
    return now != NULL && epoch != 0 && now->epoch > epoch;
}

static bool has_all(SyncdStore *self, const KnownFeed *known)
{
    SyncdFrontier frontier;
    SyncdFeedNodes nodes;
    const SyncdFeed *feed = find_feed(self, known->feed);
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
    /* What verified.json knows is gone for good. The file that says so goes last. */
    if (!syncd_directory_remove(self->directory, VERIFIED_FILE, &error) ||
        !syncd_directory_remove(self->directory, ROLLBACK_FILE, &error))
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
            syncd_directory_remove(self->directory, ROLLBACK_FILE, NULL);
    } else if (!is_adopted(self)) {
        tell(self);
    } else if (writes) {
        syncd_store_end_rollback(self);
    } else {
        g_clear_pointer(&self->rollback, syncd_rollback_free);
    }
}

void syncd_store_look_for_rollback(SyncdStore *self)
{
    g_clear_pointer(&self->rollback, syncd_rollback_free);
    self->rollback = read_kept(self);
    if (self->rollback != NULL)
        look_at_kept(self);
    /* What is damaged is not measured, and an inspection reads verified.json by itself. */
    if (syncd_journal_problem(self->journal) != NULL || self->rollback != NULL ||
        self->mode == SYNCD_STORE_INSPECT)
        return;
    SyncdRollback *rollback = read_verified(self);
    if (rollback == NULL)
        return;
    take(self, rollback);
    keep(self, rollback, NULL); /* verified.json says it the next time too */
}

bool syncd_store_look_at_index_ahead(SyncdStore *self, SyncdIndex *index, GError **error)
{
    if (index == NULL || syncd_journal_problem(self->journal) != NULL)
        return true;
    SyncdRollback *rollback = read_index(self, index);
    if (rollback == NULL)
        return true;
    if (self->rollback == NULL || rollback->known > self->rollback->known)
        take(self, rollback);
    else
        syncd_rollback_free(rollback);
    syncd_store_judge_rollback(self);
    return self->rollback->kept || keep(self, self->rollback, error);
}

void syncd_store_judge_rollback(SyncdStore *self)
{
    if (self->rollback != NULL &&
        (self->condition == SYNCD_STORE_WRITABLE || self->condition == SYNCD_STORE_KEYLESS ||
         self->condition == SYNCD_STORE_MACHINE_CHANGED))
        self->condition = SYNCD_STORE_ROLLED_BACK;
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
        const KnownFeed *known = self->rollback->feeds->pdata[i];
        const SyncdFeed *feed = find_feed(self, known->feed);
        guint64 now = feed != NULL ? feed->committed.size : 0;
        if (known->size <= now)
            continue;
        g_ptr_array_add(cut, g_strdup_printf("%s had %" G_GUINT64_FORMAT
                                             " entries, %" G_GUINT64_FORMAT " are there",
                                             known->feed, known->size, now));
    }
    return cut;
}

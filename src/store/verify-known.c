#include "store/verify-private.h"

#include "base/json-writer.h"
#include "crypto/note.h"
#include "store/journal-private.h"

#define VERIFIED_FILE "verified.json"
#define VERIFIED_MAX (1024u * 1024u)

/* ---- heads that were kept elsewhere ---- */

typedef struct {
    char *note;
    SyncdCheckpoint *checkpoint;
} KnownHead;

void syncd_known_head_free(void *data)
{
    KnownHead *known = data;
    g_free(known->note);
    syncd_checkpoint_free(known->checkpoint);
    g_free(known);
}

bool syncd_verify_parse_known(SyncdVerify *self, const char *const *notes, GError **error)
{
    for (size_t i = 0; notes[i] != NULL; i++) {
        g_autoptr(GError) problem = NULL;
        SyncdCheckpoint *checkpoint = syncd_checkpoint_parse(notes[i], strlen(notes[i]), &problem);
        if (checkpoint == NULL) {
            g_autofree char *sentence = NULL, *next = NULL;
            syncd_error_split(problem->message, &sentence, &next);
            syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                                 "give the note as `sourceos-syncd ops checkpoint` printed it",
                                 "Known head %" G_GSIZE_FORMAT " is not a signed checkpoint: %s",
                                 i + 1, sentence);
            return false;
        }
        KnownHead *known = g_new0(KnownHead, 1);
        known->note = g_strdup(notes[i]);
        known->checkpoint = checkpoint;
        g_ptr_array_add(self->known, known);
    }
    return true;
}

static SyncdFeedCheck *find_check(SyncdVerify *self, const char *origin)
{
    for (guint i = 0; i < self->checks->len; i++)
        if (strcmp(((SyncdFeedCheck *)self->checks->pdata[i])->feed->origin, origin) == 0)
            return self->checks->pdata[i];
    return NULL;
}

static bool check_known(SyncdVerify *self, const KnownHead *known, GError **error)
{
    const SyncdCheckpoint *head = known->checkpoint;
    SyncdFeedCheck *check = find_check(self, head->origin);
    if (check == NULL) {
        syncd_verify_add(self, SYNCD_ERROR_FEED_ROLLBACK, "known-feed", NULL, -1, -1,
                         "a known head is of the feed %s, which is not in this log", head->origin);
        return true;
    }
    const SyncdFeed *feed = check->feed;
    if (!syncd_note_verify(known->note, strlen(known->note), feed->origin, &feed->signer)) {
        /* It says nothing about the log, so it is no finding. */
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             "give the note as `sourceos-syncd ops checkpoint` printed it",
                             "A known head of %s is not signed by its device and proves nothing",
                             feed->text);
        return false;
    }
    if (head->size > check->head.size) {
        syncd_verify_add(
            self, SYNCD_ERROR_FEED_ROLLBACK, "rollback", feed, (gint64)check->head.size, -1,
            "a known head covers %" G_GUINT64_FORMAT " entries, the log has only %" G_GUINT64_FORMAT
            ": it was cut or replaced by an older copy",
            head->size, check->head.size);
        return true;
    }

    SyncdFeedNodes nodes;
    SyncdFrontier frontier;
    SyncdTreeReader reader = syncd_feed_reader(&nodes, self->store->journal, feed);
    if (!syncd_tree_frontier_at(&reader, head->size, &frontier, error))
        return false;
    SyncdHash root = syncd_frontier_root(&frontier);
    if (!syncd_hash_equal(&root, &head->root))
        syncd_verify_add(self, SYNCD_ERROR_FEED_FORK, "fork", feed, (gint64)head->size - 1, -1,
                         "a known head signed another history of the first %" G_GUINT64_FORMAT
                         " entries",
                         head->size);
    return true;
}

/* What the open found, where verified.json does not say it too. */
static void tell_rollback(SyncdVerify *self)
{
    g_autoptr(GPtrArray) feeds = syncd_store_feeds_rolled_back(self->store);
    for (guint i = 0; i < self->findings->len; i++)
        if (strcmp(((const SyncdVerifyFinding *)self->findings->pdata[i])->code, "rollback") == 0)
            return;
    if (syncd_store_rollback(self->store) != NULL)
        syncd_verify_add(self, SYNCD_ERROR_FEED_ROLLBACK, "rollback", NULL, -1, -1,
                         "it was cut or replaced by an older copy: %s",
                         feeds->len > 0 ? (const char *)feeds->pdata[0]
                                        : "what is missing is not known");
}

bool syncd_verify_known(SyncdVerify *self, GError **error)
{
    tell_rollback(self);
    for (guint i = 0; i < self->known->len; i++)
        if (!check_known(self, self->known->pdata[i], error))
            return false;
    return true;
}

/* ---- how far verification came ---- */

static SyncdJson find_remembered(SyncdJson feeds, const char *text)
{
    SyncdJsonIter iter;
    SyncdJson item;
    syncd_json_iter_init(&iter, feeds);
    while (syncd_json_iter_next(&iter, NULL, &item))
        if (syncd_json_is(syncd_json_member(item, "feed"), text))
            return item;
    return (SyncdJson){0};
}

/* Nothing guards its numbers, but one that flipped is no evidence against the log. */
static bool adds_up(SyncdJson document)
{
    gint64 sequence, size;
    guint64 sum = 0;
    SyncdJsonIter iter;
    SyncdJson item;
    syncd_json_iter_init(&iter, syncd_json_member(document, "feeds"));
    while (syncd_json_iter_next(&iter, NULL, &item)) {
        if (!syncd_json_get_int64(syncd_json_member(item, "size"), &size) || size < 0)
            return false;
        sum += (guint64)size;
    }
    return syncd_json_get_int64(syncd_json_member(document, "sequence"), &sequence) &&
           (guint64)sequence == sum;
}

/* Entries that were verified once and are not there any more were cut off: nothing here ever
 * removes one. */
static void check_remembered(SyncdVerify *self, SyncdJson feeds)
{
    for (guint i = 0; i < self->checks->len; i++) {
        const SyncdFeedCheck *check = self->checks->pdata[i];
        gint64 size = 0;
        SyncdJson remembered = find_remembered(feeds, check->feed->text);
        if (!syncd_json_get_int64(syncd_json_member(remembered, "size"), &size) ||
            size <= (gint64)check->head.size)
            continue;
        syncd_verify_add(self, SYNCD_ERROR_FEED_ROLLBACK, "rollback", check->feed,
                         (gint64)check->head.size, -1,
                         "%" G_GINT64_FORMAT " entries were verified earlier, the log has only "
                         "%" G_GUINT64_FORMAT ": it was cut or replaced by an older copy",
                         size, check->head.size);
    }
}

/* Takes the tree of one feed up where it was left; false when the log is not a continuation of
 * that. */
static bool resume_feed(SyncdVerify *self, SyncdFeedCheck *check, SyncdJson remembered)
{
    gint64 size = 0;
    if (remembered.type == SYNCD_JSON_NONE)
        return true;
    if (!syncd_json_get_int64(syncd_json_member(remembered, "size"), &size) || size < 0 ||
        (guint64)size > check->head.size)
        return false;

    SyncdFeedNodes nodes;
    SyncdTreeReader reader = syncd_feed_reader(&nodes, self->store->journal, check->feed);
    char hex[SYNCD_HASH_HEX_SIZE];
    if (!syncd_tree_frontier_at(&reader, (guint64)size, &check->frontier, NULL))
        return false;
    SyncdHash root = syncd_frontier_root(&check->frontier);
    syncd_hash_to_hex(&root, hex);
    if (!syncd_json_is(syncd_json_member(remembered, "root"), hex) ||
        !syncd_tiles_load(self->store->journal, check->feed, (guint64)size, &check->partial, NULL))
        return false;
    self->at += (guint64)size;
    return true;
}

static bool resume_feeds(SyncdVerify *self, SyncdJson document)
{
    SyncdJson feeds = syncd_json_member(document, "feeds");
    for (guint i = 0; i < self->checks->len; i++) {
        SyncdFeedCheck *check = self->checks->pdata[i];
        if (!resume_feed(self, check, find_remembered(feeds, check->feed->text)))
            return false;
    }
    /* Positions have no gaps, so the sizes add up to one; entries of several feeds before it were
     * all checked only if the last checked entry is that one. */
    gint64 position;
    return syncd_json_get_int64(syncd_json_member(document, "sequence"), &position) &&
           (guint64)position == self->at;
}

static void begin_anew(SyncdVerify *self)
{
    self->at = 0;
    for (guint i = 0; i < self->checks->len; i++)
        syncd_frontier_init(&((SyncdFeedCheck *)self->checks->pdata[i])->frontier);
}

void syncd_verify_resume(SyncdVerify *self)
{
    size_t size;
    g_autofree char *text =
        syncd_directory_read(self->store->directory, VERIFIED_FILE, VERIFIED_MAX, &size, NULL);
    if (text == NULL || !syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return;
    SyncdJson document = syncd_json_root(text, size);
    if (!adds_up(document))
        return;
    check_remembered(self, syncd_json_member(document, "feeds"));
    /* When in doubt everything is verified. */
    bool opened = false;
    bool resumed = resume_feeds(self, document);
    if (resumed && syncd_json_get_bool(syncd_json_member(document, "opened"), &opened) && opened)
        self->opened = self->at;
    if (!resumed || self->mode != SYNCD_VERIFY_INCREMENTAL)
        begin_anew(self);
    else
        self->opened_all = opened;
    self->first = self->at;
}

/* Without it, on a full disk, the next verification begins further back: the log is as sound. */
void syncd_verify_remember(SyncdVerify *self)
{
    if (self->mode == SYNCD_VERIFY_HEADS || self->n_findings > 0 ||
        self->store->mode == SYNCD_STORE_INSPECT || self->store->candidate ||
        self->at == self->first)
        return;

    SyncdJsonWriter writer;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_json_writer_init(&writer, text, true);
    syncd_json_begin_object(&writer);
    syncd_json_member_uint(&writer, "sequence", self->at);
    syncd_json_member_bool(&writer, "opened", self->opened_all);
    syncd_json_name(&writer, "feeds");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < self->checks->len; i++) {
        SyncdFeedCheck *check = self->checks->pdata[i];
        char hex[SYNCD_HASH_HEX_SIZE];
        SyncdHash root = syncd_frontier_root(&check->frontier);
        syncd_hash_to_hex(&root, hex);
        syncd_json_begin_object(&writer);
        syncd_json_member_string(&writer, "feed", check->feed->text);
        syncd_json_member_uint(&writer, "size", check->frontier.size);
        syncd_json_member_string(&writer, "root", hex);
        syncd_json_end_object(&writer);
    }
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
    g_string_append_c(text, '\n');
    syncd_directory_publish(self->store->directory, VERIFIED_FILE,
                            SYNCD_BYTES(text->str, text->len), NULL);
}

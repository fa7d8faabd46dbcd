#include "store/lost.h"
#include "store/missing-keys.h"
#include "store/repair-store.h"
#include "store/store-private.h"

#include "base/id.h"
#include "base/json.h"
#include "crypto/note.h"
#include "store/blobs.h"
#include "store/body.h"

/* ---- entries ---- */

void syncd_entry_clear(SyncdEntry *entry)
{
    g_clear_pointer(&entry->text, g_free);
}

static bool damaged_header(guint64 pos, GError **error)
{
    syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                    "The header of the entry %" G_GUINT64_FORMAT " is damaged", pos);
    return false;
}

bool syncd_store_read(SyncdStore *self, guint64 pos, SyncdEntry *ret_entry, GError **error)
{
    g_auto(SyncdEntry) entry = {.pos = pos};
    if (!syncd_store_check_readable(self, error))
        return false;
    entry.text = syncd_journal_read_header(self->journal, pos, &entry.size, error);
    if (entry.text == NULL)
        return false;
    if (!syncd_header_parse(entry.text, entry.size, &entry.header, NULL))
        return damaged_header(pos, error);
    *ret_entry = entry;
    entry.text = NULL;
    return true;
}

/* ---- bodies ---- */

/* Why an entry has no body, where that is as it should be: it was purged, or is lost. True when it
 * is neither. */
static bool tell_gone(SyncdStore *self, guint64 pos, const SyncdHeader *header, guint64 *ret_by,
                      bool *ret_lost, GError **error)
{
    SyncdHash leaf;
    bool header_too;
    *ret_lost = false;
    if (!syncd_store_tell_purged(self, pos, header, ret_by, error) ||
        !syncd_journal_lost(self->journal, pos, ret_lost, &leaf, &header_too, error))
        return false;
    if (!*ret_lost)
        return true;
    syncd_set_error_next(
        error, SYNCD_ERROR_NOT_FOUND, "restore it from a backup of this log, if there is one",
        "%s of %.*s is lost: it was damaged, and a repair found it nowhere else",
        header_too ? "All" : "The content", (int)header->op.size, (const char *)header->op.data);
    return false;
}

bool syncd_store_has_key(SyncdStore *self, const SyncdHeader *header)
{
    return header->key.size == 0 || syncd_keyring_find(self->keyring, header->key) != NULL;
}

/* Bodies of public scopes are plain, all others are sealed: who could write a plain one elsewhere
 * would need no key to have it believed. */
static bool check_sealing(const SyncdHeader *header, GError **error)
{
    static const char public[] = "public-";
    bool is_public = header->scope.size >= strlen(public) &&
                     memcmp(header->scope.data, public, strlen(public)) == 0;
    if (is_public == (header->key.size == 0))
        return true;
    syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "The body of %.*s is %s",
                    (int)header->op.size, (const char *)header->op.data,
                    is_public ? "sealed in a public scope" : "not sealed");
    return false;
}

static bool fetch_chunks(SyncdStore *self, const SyncdHeader *header, const SyncdSealKey *key,
                         SyncdBody *body, GError **error)
{
    size_t size;
    g_autofree char *scope = syncd_bytes_dup(header->scope);
    char *content =
        syncd_blobs_get(self->directory, scope, key, SYNCD_BYTES(body->content, body->content_size),
                        SYNCD_STORE_CONTENT_MAX, &size, error);
    if (content == NULL)
        return false;
    g_free(body->content);
    body->content = content;
    body->content_size = size;
    return true;
}

/* `fetch`: with the content, also where it lies in chunks. */
static bool open_stored(SyncdStore *self, const SyncdHeader *header, SyncdBytes stored, bool fetch,
                        SyncdBody *ret_body, GError **error)
{
    if (!check_sealing(header, error))
        return false;
    const SyncdSealKey *key =
        header->key.size > 0 ? syncd_keyring_find(self->keyring, header->key) : NULL;
    if (key == NULL && header->key.size > 0) {
        syncd_store_refuse_keyless(error);
        return false;
    }
    char epoch[24];
    g_autoptr(GString) feed = g_string_sized_new(128);
    g_snprintf(epoch, sizeof epoch, "/%" G_GUINT64_FORMAT, header->epoch);
    syncd_text_append(feed, header->device);
    g_string_append_c(feed, '/');
    syncd_text_append(feed, header->scope);
    syncd_text_append(feed, SYNCD_BYTES_TEXT(epoch));
    g_auto(SyncdBody) body = {0};
    if (!syncd_body_open(key, feed->str, header, stored, &body, error) ||
        (fetch && header->body_is_list && !fetch_chunks(self, header, key, &body, error)))
        return false;
    *ret_body = body;
    body = (SyncdBody){0};
    return true;
}

bool syncd_store_open_stored(SyncdStore *self, const SyncdHeader *header, SyncdBytes stored,
                             SyncdBody *ret_body, GError **error)
{
    return open_stored(self, header, stored, true, ret_body, error);
}

bool syncd_store_open_meta(SyncdStore *self, const SyncdHeader *header, SyncdBytes stored,
                           SyncdBody *ret_body, GError **error)
{
    return open_stored(self, header, stored, false, ret_body, error);
}

bool syncd_store_read_body(SyncdStore *self, const SyncdEntry *entry, SyncdBody *ret_body,
                           GError **error)
{
    guint64 by;
    bool lost;
    g_autoptr(GError) problem = NULL;
    g_autoptr(GBytes) stored = syncd_journal_read_body(self->journal, entry->pos, &problem);
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND) &&
        !tell_gone(self, entry->pos, &entry->header, &by, &lost, error))
        return false;
    if (stored == NULL)
        g_propagate_error(error, g_steal_pointer(&problem));
    return stored != NULL &&
           open_stored(self, &entry->header,
                       SYNCD_BYTES(g_bytes_get_data(stored, NULL), g_bytes_get_size(stored)), true,
                       ret_body, error);
}

/* ---- many entries ---- */

typedef struct {
    SyncdStore *store;
    SyncdReadDepth depth;
    bool (*take)(void *data, const SyncdRow *row);
    void *data;
    guint64 damaged; /* the position where reading ended for that, 0 for none */
} Reading;

static bool take_stored(void *data, guint64 pos, SyncdBytes text, SyncdBytes stored)
{
    Reading *reading = data;
    SyncdRow row = {.entry = {.pos = pos, .text = (char *)text.data, .size = text.size}};
    if (!syncd_header_parse(text.data, text.size, &row.entry.header, NULL)) {
        reading->damaged = pos;
        return false;
    }
    g_autoptr(GError) unreadable = NULL;
    if (reading->depth == SYNCD_READ_BODY &&
        (stored.size > 0 ||
         tell_gone(reading->store, pos, &row.entry.header, &row.purged_by, &row.lost, &unreadable)))
        open_stored(reading->store, &row.entry.header, stored, true, &row.body, &unreadable);
    row.unreadable = unreadable;
    bool more = reading->take(reading->data, &row);
    syncd_body_clear(&row.body);
    return more;
}

bool syncd_store_read_many(SyncdStore *self, const guint64 *positions, guint n,
                           SyncdReadDepth depth, bool (*take)(void *data, const SyncdRow *row),
                           void *data, GError **error)
{
    Reading reading = {self, depth, take, data, 0};
    return syncd_journal_read_many(self->journal, positions, n, depth == SYNCD_READ_BODY,
                                   take_stored, &reading, error) &&
           (reading.damaged == 0 || damaged_header(reading.damaged, error));
}

/* ---- lookups: the overlay first, then the index ---- */

guint64 syncd_store_registries(const SyncdStore *self)
{
    return self->registries + 1;
}

bool syncd_store_find_op(SyncdStore *self, const char *op, guint64 *ret_pos, GError **error)
{
    *ret_pos = syncd_overlay_find_op(self->overlay, op);
    if (*ret_pos != 0)
        return true;
    return syncd_store_need_index(self, error) &&
           syncd_index_find_op(self->index, op, ret_pos, error);
}

bool syncd_store_find_key(SyncdStore *self, const char *actor, const char *scope_id,
                          const char *key, guint64 *ret_pos, GError **error)
{
    /* The index comes first: the first entry with a key keeps it. */
    if (!syncd_store_need_index(self, error) ||
        !syncd_index_find_key(self->index, actor, scope_id, key, ret_pos, error))
        return false;
    if (*ret_pos == 0)
        *ret_pos = syncd_overlay_find_key(self->overlay, actor, scope_id, key);
    return true;
}

bool syncd_store_has_decision(SyncdStore *self, const char *policy_digest, const char *decision_id,
                              bool *ret_has, GError **error)
{
    *ret_has = syncd_overlay_has_decision(self->overlay, policy_digest, decision_id);
    if (*ret_has)
        return true;
    return syncd_store_need_index(self, error) &&
           syncd_index_has_decision(self->index, policy_digest, decision_id, ret_has, error);
}

bool syncd_store_query(SyncdStore *self, const SyncdQuery *query, GArray **ret_positions,
                       char **ret_cursor, GError **error)
{
    if (!syncd_store_need_index(self, error) || !syncd_store_settle(self, error))
        return false;
    return syncd_index_query(self->index, query, syncd_journal_committed(self->journal),
                             ret_positions, ret_cursor, error);
}

/* ---- heads and proofs ---- */

void syncd_head_free(SyncdHead *head)
{
    if (head == NULL)
        return;
    g_free(head->device);
    g_free(head->scope);
    g_free(head->origin);
    g_free(head->note);
    g_free(head->verifier_key);
    g_free(head);
}

/* A head is what was signed. The row beside the note says the same, unless it is damaged. */
static void take_signed(SyncdHead *head, const SyncdFeed *feed)
{
    size_t size = feed->note != NULL ? strlen(feed->note) : 0;
    g_autoptr(SyncdCheckpoint) said =
        size > 0 ? syncd_checkpoint_parse(feed->note, size, NULL) : NULL;
    if (said == NULL || (said->size == head->size && syncd_hash_equal(&said->root, &head->root)) ||
        strcmp(said->origin, feed->origin) != 0 ||
        !syncd_note_verify(feed->note, size, feed->origin, &feed->signer))
        return;
    head->size = said->size;
    head->root = said->root;
}

static SyncdHead *describe_head(const SyncdFeed *feed)
{
    SyncdHead *head = g_new0(SyncdHead, 1);
    head->device = g_strdup(feed->device);
    head->scope = g_strdup(feed->scope);
    head->epoch = feed->epoch;
    head->origin = g_strdup(feed->origin);
    head->note = g_strdup(feed->note);
    head->verifier_key = syncd_verifier_key_format(feed->origin, &feed->signer);
    head->size = feed->committed.size;
    head->root = syncd_frontier_root(&feed->committed);
    head->own = feed->own;
    take_signed(head, feed);
    return head;
}

SyncdHead *syncd_store_head(SyncdStore *self, const char *scope_id, GError **error)
{
    const SyncdFeed *feed = syncd_journal_own_feed(self->journal, scope_id);
    if (feed == NULL || feed->note == NULL) {
        syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "The scope %s has no log of this device",
                        scope_id);
        return NULL;
    }
    return describe_head(feed);
}

GPtrArray *syncd_store_heads(SyncdStore *self)
{
    GPtrArray *heads = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_head_free);
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    for (guint i = 0; i < feeds->len; i++)
        if (((const SyncdFeed *)feeds->pdata[i])->note != NULL)
            g_ptr_array_add(heads, describe_head(feeds->pdata[i]));
    return heads;
}

typedef struct {
    SyncdTreeReader stored;
    const SyncdFeed *feed;
    SyncdProvenLeaves near; /* those around the entry, which are proven with it */
} Committed;

/* The root over leaves that are at hand. */
static SyncdHash fold(const SyncdHash *leaves, unsigned level)
{
    SyncdHash row[SYNCD_TILE_WIDTH];
    memcpy(row, leaves, sizeof(SyncdHash) << level);
    for (unsigned n = 1u << level; n > 1; n /= 2)
        for (unsigned i = 0; i < n / 2; i++)
            row[i] = syncd_tree_parent(&row[2 * i], &row[2 * i + 1]);
    return row[0];
}

/* The newest leaves are at hand: a header among them that is damaged takes nothing from others. */
static bool committed_node(void *data, unsigned level, guint64 index, SyncdHash *ret_node,
                           GError **error)
{
    const Committed *tree = data;
    guint64 size = tree->feed->committed.size, tail = size - size % SYNCD_TILE_WIDTH,
            first = index << level, start = tree->near.start;
    if (level < SYNCD_TILE_HEIGHT && first >= start && first < start + tree->near.n)
        *ret_node = fold(tree->near.leaves + (first - start), level);
    else if (level < SYNCD_TILE_HEIGHT && first >= tail)
        *ret_node = fold(tree->feed->tail + (first - tail), level);
    else
        return tree->stored.node(tree->stored.data, level, index, ret_node, error);
    return true;
}

static bool find_near(SyncdStore *self, const SyncdFeed *feed, guint64 seq,
                      SyncdProvenLeaves *ret_near, GError **error)
{
    guint64 size = feed->committed.size;
    ret_near->feed = feed;
    ret_near->start = seq - seq % SYNCD_TILE_WIDTH;
    ret_near->n = (guint)MIN(size - ret_near->start, SYNCD_TILE_WIDTH);
    if (ret_near->n == SYNCD_TILE_WIDTH)
        return syncd_tile_leaves(self->journal, feed, seq / SYNCD_TILE_WIDTH, ret_near->leaves,
                                 error);
    memcpy(ret_near->leaves, feed->tail, ret_near->n * sizeof(SyncdHash));
    return true;
}

static bool is_proven(const SyncdProvenLeaves *proven, const SyncdFeed *feed, guint64 seq,
                      const SyncdHash *leaf)
{
    return proven->feed == feed && seq >= proven->start && seq < proven->start + proven->n &&
           syncd_hash_equal(&proven->leaves[seq - proven->start], leaf);
}

static const SyncdFeed *feed_of(SyncdStore *self, const SyncdHeader *header, GError **error)
{
    g_autofree char *device = syncd_bytes_dup(header->device),
                    *scope = syncd_bytes_dup(header->scope);
    const SyncdFeed *feed = syncd_journal_find_feed(self->journal, device, scope, header->epoch);
    if (feed != NULL && header->seq < feed->committed.size)
        return feed;
    syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "The entry is not covered by a signed head yet");
    return NULL;
}

/* What is handed out holds, or is not handed out. A proof covers all leaves around the entry. */
static bool find_path(SyncdStore *self, const SyncdFeed *feed, guint64 seq, const SyncdHash *leaf,
                      GArray *path, GError **error)
{
    SyncdFeedNodes nodes;
    Committed tree = {.stored = syncd_feed_reader(&nodes, self->journal, feed), .feed = feed};
    const SyncdTreeReader reader = {.node = committed_node, .data = &tree};
    if (!find_near(self, feed, seq, &tree.near, error) ||
        !syncd_tree_inclusion(&reader, seq, feed->committed.size, path, error))
        return false;
    SyncdHash root = syncd_frontier_root(&feed->committed);
    if (!syncd_tree_verify_inclusion(leaf, seq, feed->committed.size,
                                     (const SyncdHash *)(void *)path->data, path->len, &root)) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "The entry is not the one that the head of %s covers", feed->text);
        return false;
    }
    self->proven = tree.near;
    return true;
}

bool syncd_store_check_entry(SyncdStore *self, const SyncdEntry *entry, SyncdHash *ret_leaf,
                             GError **error)
{
    guint64 seq = entry->header.seq;
    const SyncdFeed *feed = feed_of(self, &entry->header, error);
    g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    *ret_leaf = syncd_entry_leaf(entry->text, entry->size);
    return feed != NULL && (is_proven(&self->proven, feed, seq, ret_leaf) ||
                            find_path(self, feed, seq, ret_leaf, path, error));
}

bool syncd_store_prove(SyncdStore *self, const SyncdEntry *entry, SyncdHead **ret_head,
                       SyncdHash *ret_leaf, GArray **ret_path, GError **error)
{
    SyncdHash leaf = syncd_tree_leaf(entry->text, entry->size);
    const SyncdFeed *feed = feed_of(self, &entry->header, error);
    g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    if (feed == NULL || !find_path(self, feed, entry->header.seq, &leaf, path, error))
        return false;
    *ret_leaf = leaf;
    *ret_head = describe_head(feed);
    *ret_path = g_steal_pointer(&path);
    return true;
}

static const SyncdFeed *find_feed(const SyncdStore *self, const char *text)
{
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    for (guint i = 0; i < feeds->len; i++)
        if (strcmp(((const SyncdFeed *)feeds->pdata[i])->text, text) == 0)
            return feeds->pdata[i];
    return NULL;
}

bool syncd_store_prove_prefix(SyncdStore *self, const char *text, guint64 size,
                              const SyncdHash *root, bool *ret_holds, SyncdHead **ret_head,
                              GArray **ret_path, GError **error)
{
    const SyncdFeed *feed = find_feed(self, text);
    if (feed == NULL) {
        syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "There is no feed %.*s", SYNCD_ID_TOKEN_MAX,
                        text);
        return false;
    }
    SyncdFeedNodes nodes;
    SyncdTreeReader reader = syncd_feed_reader(&nodes, self->journal, feed);
    g_autoptr(SyncdHead) now = describe_head(feed);
    g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    bool grown = size <= now->size;
    if (grown && !syncd_tree_consistency(&reader, size, now->size, path, error))
        return false;
    *ret_holds =
        grown && syncd_tree_verify_consistency(size, now->size, root, &now->root,
                                               (const SyncdHash *)(void *)path->data, path->len);
    *ret_head = g_steal_pointer(&now);
    *ret_path = g_steal_pointer(&path);
    return true;
}

#include "service/ephemeral.h"

#include <string.h>

/* What one uid has, oldest first. */
typedef struct {
    uid_t uid;
    GQueue queue; /* SyncdEphemeral, owned */
    size_t bytes;
} Share;

struct SyncdEphemerals {
    GHashTable *shares; /* uid -> Share; none is empty */
    GHashTable *by_id;  /* operation -> SyncdEphemeral, borrowed */
    guint64 arrivals;
    guint64 dropped;
    guint64 expired;
};

void syncd_ephemeral_free(SyncdEphemeral *ephemeral)
{
    if (ephemeral == NULL)
        return;
    g_free(ephemeral->operation);
    g_free(ephemeral->actor);
    g_free(ephemeral->scope_id);
    g_free(ephemeral->object);
    g_free(ephemeral->key);
    g_free(ephemeral->meta);
    g_free(ephemeral->body);
    g_free(ephemeral->decision);
    g_free(ephemeral);
}

static void share_free(void *data)
{
    Share *share = data;
    g_queue_clear_full(&share->queue, (GDestroyNotify)syncd_ephemeral_free);
    g_free(share);
}

SyncdEphemerals *syncd_ephemerals_new(void)
{
    SyncdEphemerals *self = g_new0(SyncdEphemerals, 1);
    self->shares = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, share_free);
    self->by_id = g_hash_table_new(g_str_hash, g_str_equal);
    return self;
}

void syncd_ephemerals_free(SyncdEphemerals *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->by_id);
    g_hash_table_unref(self->shares);
    g_free(self);
}

static Share *share_of(const SyncdEphemerals *self, uid_t uid)
{
    return g_hash_table_lookup(self->shares, GUINT_TO_POINTER(uid));
}

bool syncd_ephemerals_have_room(const SyncdEphemerals *self, uid_t uid)
{
    return share_of(self, uid) != NULL ||
           g_hash_table_size(self->shares) < SYNCD_EPHEMERAL_UIDS_MAX;
}

/* What it takes, bookkeeping aside: meta and key have limits of their own. */
static size_t size_of(const SyncdEphemeral *ephemeral)
{
    return ephemeral->body_size + strlen(ephemeral->meta) +
           (ephemeral->key != NULL ? strlen(ephemeral->key) : 0);
}

static void remove_oldest(SyncdEphemerals *self, Share *share)
{
    g_autoptr(SyncdEphemeral) oldest = g_queue_pop_head(&share->queue);
    g_hash_table_remove(self->by_id, oldest->operation);
    share->bytes -= size_of(oldest);
}

const SyncdEphemeral *syncd_ephemerals_add(SyncdEphemerals *self, SyncdEphemeral *ephemeral,
                                           guint64 now)
{
    Share *share = share_of(self, ephemeral->uid);
    if (share == NULL) {
        share = g_new0(Share, 1);
        share->uid = ephemeral->uid;
        g_hash_table_insert(self->shares, GUINT_TO_POINTER(share->uid), share);
    }
    for (; !g_queue_is_empty(&share->queue) &&
           (share->queue.length >= SYNCD_EPHEMERAL_EACH_MAX ||
            share->bytes + size_of(ephemeral) > SYNCD_EPHEMERAL_EACH_SIZE);
         self->dropped++)
        remove_oldest(self, share);
    ephemeral->until = now + SYNCD_EPHEMERAL_LIFE_MS * 1000u;
    ephemeral->arrival = ++self->arrivals;
    share->bytes += size_of(ephemeral);
    g_queue_push_tail(&share->queue, ephemeral);
    g_hash_table_insert(self->by_id, ephemeral->operation, ephemeral);
    return ephemeral;
}

const SyncdEphemeral *syncd_ephemerals_find(const SyncdEphemerals *self, const char *operation)
{
    return g_hash_table_lookup(self->by_id, operation);
}

const SyncdEphemeral *syncd_ephemerals_find_key(const SyncdEphemerals *self, uid_t uid,
                                                const char *actor, const char *scope_id,
                                                const char *key)
{
    const Share *share = share_of(self, uid);
    for (const GList *at = share != NULL ? share->queue.head : NULL; at != NULL; at = at->next) {
        const SyncdEphemeral *ephemeral = at->data;
        if (g_strcmp0(ephemeral->key, key) == 0 && strcmp(ephemeral->actor, actor) == 0 &&
            strcmp(ephemeral->scope_id, scope_id) == 0)
            return ephemeral;
    }
    return NULL;
}

static int compare_arrivals(const void *one, const void *other)
{
    guint64 left = (*(const SyncdEphemeral *const *)one)->arrival,
            right = (*(const SyncdEphemeral *const *)other)->arrival;
    return (left > right) - (left < right);
}

GPtrArray *syncd_ephemerals_all(const SyncdEphemerals *self)
{
    GPtrArray *all = g_ptr_array_sized_new(g_hash_table_size(self->by_id));
    GHashTableIter iter;
    void *ephemeral;
    g_hash_table_iter_init(&iter, self->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &ephemeral))
        g_ptr_array_add(all, ephemeral);
    g_ptr_array_sort(all, compare_arrivals);
    return all;
}

static bool is_over(const Share *share, guint64 now)
{
    const SyncdEphemeral *oldest = g_queue_peek_head((GQueue *)&share->queue);
    return oldest != NULL && oldest->until <= now;
}

void syncd_ephemerals_expire(SyncdEphemerals *self, guint64 now)
{
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, self->shares);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Share *share = value;
        for (; is_over(share, now); self->expired++)
            remove_oldest(self, share);
        if (g_queue_is_empty(&share->queue))
            g_hash_table_iter_remove(&iter);
    }
}

guint64 syncd_ephemerals_next_due(const SyncdEphemerals *self)
{
    guint64 due = G_MAXUINT64;
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, self->shares);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        due = MIN(due, ((const SyncdEphemeral *)((Share *)value)->queue.head->data)->until);
    return due;
}

SyncdEphemeralCounts syncd_ephemerals_count(const SyncdEphemerals *self)
{
    SyncdEphemeralCounts counts = {
        .operations = g_hash_table_size(self->by_id),
        .dropped = self->dropped,
        .expired = self->expired,
    };
    GHashTableIter iter;
    void *share;
    g_hash_table_iter_init(&iter, self->shares);
    while (g_hash_table_iter_next(&iter, NULL, &share))
        counts.bytes += ((Share *)share)->bytes;
    return counts;
}

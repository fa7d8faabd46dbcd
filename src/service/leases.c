#include "service/leases.h"

struct SyncdLeases {
    GHashTable *by_id; /* id -> SyncdLease; at most SYNCD_LEASES_MAX */
    bool paused;
};

static void lease_free(void *data)
{
    SyncdLease *lease = data;
    g_free(lease->id);
    g_free(lease->operation);
    g_free(lease->actor);
    g_free(lease->worker);
    g_free(lease);
}

SyncdLeases *syncd_leases_new(void)
{
    SyncdLeases *leases = g_new0(SyncdLeases, 1);
    leases->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, lease_free);
    return leases;
}

void syncd_leases_free(SyncdLeases *leases)
{
    if (leases == NULL)
        return;
    g_hash_table_unref(leases->by_id);
    g_free(leases);
}

void syncd_leases_clear(SyncdLeases *leases)
{
    g_hash_table_remove_all(leases->by_id);
}

void syncd_leases_add(SyncdLeases *leases, const SyncdLease *lease)
{
    SyncdLease *own = g_new0(SyncdLease, 1);
    *own = *lease;
    own->id = g_strdup(lease->id);
    own->operation = g_strdup(lease->operation);
    own->actor = g_strdup(lease->actor);
    own->worker = g_strdup(lease->worker);
    g_hash_table_replace(leases->by_id, own->id, own);
}

SyncdLease *syncd_leases_find(const SyncdLeases *leases, const char *id)
{
    return g_hash_table_lookup(leases->by_id, id);
}

void syncd_leases_end(SyncdLeases *leases, const char *id)
{
    g_hash_table_remove(leases->by_id, id);
}

const SyncdLease *syncd_leases_of(const SyncdLeases *leases, const char *operation)
{
    GHashTableIter iter;
    void *lease;
    g_hash_table_iter_init(&iter, leases->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &lease))
        if (strcmp(((SyncdLease *)lease)->operation, operation) == 0)
            return lease;
    return NULL;
}

guint syncd_leases_count(const SyncdLeases *leases, const char *actor)
{
    if (actor == NULL)
        return g_hash_table_size(leases->by_id);
    guint n = 0;
    GHashTableIter iter;
    void *lease;
    g_hash_table_iter_init(&iter, leases->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &lease))
        n += g_strcmp0(((SyncdLease *)lease)->actor, actor) == 0;
    return n;
}

static int compare_ids(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

typedef bool (*Choice)(const SyncdLease *lease, const void *data);

/* In the order of their beginning. */
static GPtrArray *choose(const SyncdLeases *leases, Choice chosen, const void *data)
{
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    void *lease;
    g_hash_table_iter_init(&iter, leases->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &lease))
        if (chosen(lease, data))
            g_ptr_array_add(ids, g_strdup(((SyncdLease *)lease)->id));
    g_ptr_array_sort(ids, compare_ids);
    return ids;
}

static bool is_past(const SyncdLease *lease, const void *now)
{
    return lease->until <= *(const guint64 *)now;
}

static bool is_held_by(const SyncdLease *lease, const void *worker)
{
    return !lease->detached && g_strcmp0(lease->worker, worker) == 0;
}

bool syncd_leases_has_expired(const SyncdLeases *leases, const SyncdLease *lease, guint64 now)
{
    return !leases->paused && is_past(lease, &now);
}

void syncd_leases_pause(SyncdLeases *leases)
{
    leases->paused = true;
}

void syncd_leases_resume(SyncdLeases *leases, guint64 now)
{
    GHashTableIter iter;
    void *value;
    if (!leases->paused)
        return;
    leases->paused = false;
    g_hash_table_iter_init(&iter, leases->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        SyncdLease *lease = value;
        lease->until = MAX(lease->until, now + lease->length);
    }
}

GPtrArray *syncd_leases_expired(const SyncdLeases *leases, guint64 now)
{
    static const guint64 never = 0;
    return choose(leases, is_past, leases->paused ? &never : &now);
}

GPtrArray *syncd_leases_of_worker(const SyncdLeases *leases, const char *worker)
{
    return choose(leases, is_held_by, worker);
}

guint64 syncd_leases_next_due(const SyncdLeases *leases)
{
    guint64 due = G_MAXUINT64;
    GHashTableIter iter;
    void *lease;
    g_hash_table_iter_init(&iter, leases->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &lease))
        due = MIN(due, ((SyncdLease *)lease)->until);
    return due;
}

#include "bus/limits.h"

#include "base/error.h"

static const struct {
    const char *of_what;
    unsigned each; /* of one user */
    unsigned all;  /* of all users together */
} limit_table[SYNCD_N_LIMITS] = {
    [SYNCD_LIMIT_CALLS] = {"calls in flight", 256, 4096},
    [SYNCD_LIMIT_WAITING] = {"calls that wait for their turn", 256, 4096},
    [SYNCD_LIMIT_QUESTIONS] = {"calls that wait for an authorisation", 16, 64},
    [SYNCD_LIMIT_REFUSALS] = {"refusals that wait for their turn", 1024, 16384},
};

typedef struct {
    unsigned held[SYNCD_N_LIMITS];
} Holder;

struct SyncdLimits {
    unsigned each[SYNCD_N_LIMITS];
    unsigned all[SYNCD_N_LIMITS];
    GHashTable *holders; /* uid: Holder; only users that hold something */
};

SyncdLimits *syncd_limits_new(void)
{
    SyncdLimits *limits = g_new0(SyncdLimits, 1);
    limits->holders = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    for (int i = 0; i < SYNCD_N_LIMITS; i++)
        limits->each[i] = limit_table[i].each;
    return limits;
}

void syncd_limits_free(SyncdLimits *limits)
{
    if (limits == NULL)
        return;
    g_hash_table_unref(limits->holders);
    g_free(limits);
}

void syncd_limits_set(SyncdLimits *limits, SyncdLimit limit, unsigned each)
{
    limits->each[limit] = each;
}

static Holder *find_holder(const SyncdLimits *limits, uid_t uid)
{
    return g_hash_table_lookup(limits->holders, GUINT_TO_POINTER(uid));
}

bool syncd_limits_take(SyncdLimits *limits, SyncdLimit limit, uid_t uid, GError **error)
{
    if (syncd_limits_held(limits, limit, uid) >= limits->each[limit]) {
        syncd_set_error(error, SYNCD_ERROR_LIMITS_EXCEEDED, "You have %u %s already",
                        limits->each[limit], limit_table[limit].of_what);
        return false;
    }
    if (limits->all[limit] >= limit_table[limit].all) {
        syncd_set_error(error, SYNCD_ERROR_LIMITS_EXCEEDED, "There are %u %s already",
                        limit_table[limit].all, limit_table[limit].of_what);
        return false;
    }

    Holder *holder = find_holder(limits, uid);
    if (holder == NULL) {
        holder = g_new0(Holder, 1);
        g_hash_table_insert(limits->holders, GUINT_TO_POINTER(uid), holder);
    }
    holder->held[limit]++;
    limits->all[limit]++;
    return true;
}

void syncd_limits_give(SyncdLimits *limits, SyncdLimit limit, uid_t uid)
{
    Holder *holder = find_holder(limits, uid);
    g_return_if_fail(holder != NULL && holder->held[limit] > 0);

    holder->held[limit]--;
    limits->all[limit]--;
    for (int i = 0; i < SYNCD_N_LIMITS; i++)
        if (holder->held[i] > 0)
            return;
    g_hash_table_remove(limits->holders, GUINT_TO_POINTER(uid));
}

unsigned syncd_limits_held(const SyncdLimits *limits, SyncdLimit limit, uid_t uid)
{
    const Holder *holder = find_holder(limits, uid);
    return holder != NULL ? holder->held[limit] : 0;
}

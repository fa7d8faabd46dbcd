/*
 * How much of the daemon one user may hold at a time, in one table.
 *
 * Whoever takes from a limit gives back when the thing has ended. A user at a limit is refused the
 * next thing; others are not, until all of them together reach the limit for all.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef enum {
    SYNCD_LIMIT_CALLS,     /* calls that wait for their answer */
    SYNCD_LIMIT_WAITING,   /* calls that wait for their turn: bus/queue.h */
    SYNCD_LIMIT_QUESTIONS, /* of those in flight, calls that wait for polkit */
    SYNCD_LIMIT_REFUSALS,  /* of calls that may not even wait, answers that do */
    SYNCD_N_LIMITS,
} SyncdLimit;

typedef struct SyncdLimits SyncdLimits;

SyncdLimits *syncd_limits_new(void);
void syncd_limits_free(SyncdLimits *limits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdLimits, syncd_limits_free)

/* Another maximum for each user than the table's. */
void syncd_limits_set(SyncdLimits *limits, SyncdLimit limit, unsigned each);
/* LimitsExceeded. */
bool syncd_limits_take(SyncdLimits *limits, SyncdLimit limit, uid_t uid, GError **error);
void syncd_limits_give(SyncdLimits *limits, SyncdLimit limit, uid_t uid);
unsigned syncd_limits_held(const SyncdLimits *limits, SyncdLimit limit, uid_t uid);

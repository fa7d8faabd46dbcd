/*
 * Failures that repeat. One that comes more than three times in a minute is a storm: it is told
 * once, with how often it came, when first and when last, and what it said a few times. What is
 * rarer is no storm and is forgotten.
 *
 * A storm is over when its failure has not come for ten minutes. The table is bounded: of more
 * kinds than there is room for the one is forgotten that has not come for longest.
 */
#pragma once

#include <glib.h>

#define SYNCD_STORM_REPEATS 3u                         /* more than so many … */
#define SYNCD_STORM_WINDOW_USEC (60u * G_USEC_PER_SEC) /* … within this */
#define SYNCD_STORM_KEPT_USEC (600u * G_USEC_PER_SEC)
#define SYNCD_STORM_KINDS_MAX 64u
#define SYNCD_STORM_SAMPLES 3u
#define SYNCD_STORM_SAMPLE_MAX 256u /* bytes */

typedef struct SyncdStorms SyncdStorms;

typedef struct {
    const char *kind;
    guint64 count;
    guint64 first_ms, last_ms;
    char *const *samples; /* the first ones and the newest; NULL-terminated */
} SyncdStorm;

SyncdStorms *syncd_storms_new(void);
void syncd_storms_free(SyncdStorms *storms);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdStorms, syncd_storms_free)

/* `now_usec` never goes back; `now_ms` is what is told. `kind` and `sample` are copied. */
void syncd_storms_note(SyncdStorms *storms, const char *kind, const char *sample, guint64 now_usec,
                       guint64 now_ms);
/* Those that go on, in the order in which they began; the storm is valid within `tell`. */
void syncd_storms_walk(SyncdStorms *storms, guint64 now_usec,
                       void (*tell)(void *data, const SyncdStorm *storm), void *data);

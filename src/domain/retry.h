/*
 * When a task is tried again, and how often: the retry policy in one table.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    guint max_attempts; /* claims, those that were lost included */
    guint64 first_ms;   /* before the second attempt; doubled for each further one */
    guint64 most_ms;
    guint64 asked_ms; /* a worker may ask for a longer wait, up to this */
} SyncdRetryPolicy;

extern const SyncdRetryPolicy syncd_retry_policy;

/* Whether a task that was claimed so often is offered once more. */
bool syncd_retry_again(guint attempts);
/* How long it waits then; `asked_ms` is what the worker asks for, 0 for nothing. */
guint64 syncd_retry_delay_ms(guint attempts, guint64 asked_ms);

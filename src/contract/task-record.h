/*
 * The record sourceos.operation-task/v1alpha1, which is also what entries about tasks hold: the
 * state of a task after what happened to it.
 */
#pragma once

#include "base/bytes.h"
#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_TASK_SCHEMA "sourceos.operation-task/v1alpha1"
/* The task of an operation is named by it. */
#define SYNCD_TASK_PREFIX "task:"

/* Ids and words of vocabularies unless it is said otherwise; what is NULL or 0 is left out. */
typedef struct {
    const char *operation;
    const char *status;
    guint attempt;
    const char *idempotency_key; /* any text: what an effect outside is made idempotent by */
    SyncdBytes decision;
    const char *const *evidence; /* NULL: none */
    guint64 created_ms;
    guint64 updated_ms;
    guint64 started_ms;
    guint64 completed_ms;
    bool replay_safe;
    const char *lease;
    guint64 lease_ms;   /* how long it lasts without being renewed */
    bool detached;      /* whoever claimed it may leave the bus */
    const char *reason; /* any text: why the last attempt ended */
    guint64 retry_after_ms;
} SyncdTaskRecord;

/* Appends one JSON object. */
void syncd_task_record_write(const SyncdTaskRecord *record, GString *out);

#include "domain/lifecycle.h"

typedef struct {
    int state;
    SyncdEvent event;
    int next;
} Row;

#define OPERATION(state, event, next)                                                              \
    {                                                                                              \
        SYNCD_OPERATION_##state, SYNCD_EVENT_##event, SYNCD_OPERATION_##next                       \
    }
static const Row operation_rows[] = {
    OPERATION(QUEUED, CLAIM, RUNNING),       OPERATION(QUEUED, REPLAY, REPLAYED),
    OPERATION(QUEUED, CANCEL, CANCELLED),    OPERATION(QUEUED, BLOCK, BLOCKED),
    OPERATION(RUNNING, LOSE, QUEUED),        OPERATION(RUNNING, RETRY, QUEUED),
    OPERATION(RUNNING, COMPLETE, COMPLETED), OPERATION(RUNNING, FAIL, FAILED),
    OPERATION(REPLAYED, CLAIM, RUNNING),     OPERATION(REPLAYED, RECONCILE, RECONCILED),
    OPERATION(REPLAYED, CANCEL, CANCELLED),  OPERATION(REPLAYED, BLOCK, BLOCKED),
    OPERATION(COMPLETED, REPLAY, REPLAYED),  OPERATION(COMPLETED, RECONCILE, RECONCILED),
    OPERATION(FAILED, REPLAY, REPLAYED),     OPERATION(REPLAYED, REPLAY, REPLAYED),
};

#define TASK(state, event, next)                                                                   \
    {                                                                                              \
        SYNCD_TASK_##state, SYNCD_EVENT_##event, SYNCD_TASK_##next                                 \
    }
static const Row task_rows[] = {
    TASK(PENDING, CLAIM, RUNNING),       TASK(PENDING, REPLAY, PENDING),
    TASK(PENDING, RECONCILE, SUCCEEDED), TASK(PENDING, CANCEL, CANCELLED),
    TASK(RUNNING, LOSE, PENDING),        TASK(RUNNING, RETRY, PENDING),
    TASK(RUNNING, COMPLETE, SUCCEEDED),  TASK(RUNNING, FAIL, FAILED),
    TASK(SUCCEEDED, REPLAY, PENDING),    TASK(SUCCEEDED, RECONCILE, SUCCEEDED),
    TASK(FAILED, REPLAY, PENDING),
};

static const SyncdLifecycle ends[] = {
    {SYNCD_OPERATION_COMPLETED, SYNCD_TASK_SUCCEEDED},
    {SYNCD_OPERATION_RECONCILED, SYNCD_TASK_SUCCEEDED},
    {SYNCD_OPERATION_FAILED, SYNCD_TASK_FAILED},
    {SYNCD_OPERATION_CANCELLED, SYNCD_TASK_CANCELLED},
};

/* An event without a row here is recorded by nobody. */
static const struct {
    const char *kind;
    SyncdEvent event;
    const char *member;
} kinds[] = {
    {"task.claimed", SYNCD_EVENT_CLAIM, "operation_id"},
    {"task.lost", SYNCD_EVENT_LOSE, "operation_id"},
    {"task.retried", SYNCD_EVENT_RETRY, "operation_id"},
    {"task.completed", SYNCD_EVENT_COMPLETE, "operation_id"},
    {"task.failed", SYNCD_EVENT_FAIL, "operation_id"},
    {"task.cancelled", SYNCD_EVENT_CANCEL, "operation_id"},
    {"operation.replay", SYNCD_EVENT_REPLAY, "replayed_operation_id"},
    {"operation.reconcile", SYNCD_EVENT_RECONCILE, "reconciled_operation_id"},
};

static const char *const operation_names[SYNCD_N_OPERATION_STATES] = {
    [SYNCD_OPERATION_QUEUED] = "queued",     [SYNCD_OPERATION_RUNNING] = "running",
    [SYNCD_OPERATION_REPLAYED] = "replayed", [SYNCD_OPERATION_RECONCILED] = "reconciled",
    [SYNCD_OPERATION_BLOCKED] = "blocked",   [SYNCD_OPERATION_COMPLETED] = "completed",
    [SYNCD_OPERATION_FAILED] = "failed",     [SYNCD_OPERATION_CANCELLED] = "cancelled",
};

static const char *const task_names[SYNCD_N_TASK_STATES] = {
    [SYNCD_TASK_PENDING] = "pending",     [SYNCD_TASK_RUNNING] = "running",
    [SYNCD_TASK_SUCCEEDED] = "succeeded", [SYNCD_TASK_FAILED] = "failed",
    [SYNCD_TASK_CANCELLED] = "cancelled",
};

const char *syncd_operation_state_name(SyncdOperationState state)
{
    return operation_names[state];
}

const char *syncd_task_state_name(SyncdTaskState state)
{
    return task_names[state];
}

bool syncd_task_state_find(const char *name, SyncdTaskState *ret_state)
{
    for (SyncdTaskState state = 0; state < SYNCD_N_TASK_STATES; state++) {
        if (strcmp(task_names[state], name) != 0)
            continue;
        *ret_state = state;
        return true;
    }
    return false;
}

static const Row *find_row(const Row *rows, size_t n, int state, SyncdEvent event)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].state == state && rows[i].event == event)
            return &rows[i];
    return NULL;
}

bool syncd_lifecycle_move(SyncdLifecycle *lifecycle, SyncdEvent event)
{
    const Row *operation =
        find_row(operation_rows, G_N_ELEMENTS(operation_rows), (int)lifecycle->operation, event);
    const Row *task = find_row(task_rows, G_N_ELEMENTS(task_rows), (int)lifecycle->task, event);
    if (operation == NULL || task == NULL)
        return false;
    lifecycle->operation = (SyncdOperationState)operation->next;
    lifecycle->task = (SyncdTaskState)task->next;
    return true;
}

bool syncd_lifecycle_ended(const char *name, SyncdLifecycle *ret_lifecycle)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        if (strcmp(operation_names[ends[i].operation], name) != 0)
            continue;
        *ret_lifecycle = ends[i];
        return true;
    }
    return false;
}

SyncdOperationState syncd_lifecycle_shown(SyncdLifecycle lifecycle, unsigned failed_parents)
{
    const Row *row = failed_parents > 0 ? find_row(operation_rows, G_N_ELEMENTS(operation_rows),
                                                   (int)lifecycle.operation, SYNCD_EVENT_BLOCK)
                                        : NULL;
    return row != NULL ? (SyncdOperationState)row->next : lifecycle.operation;
}

bool syncd_lifecycle_is_finished(SyncdLifecycle lifecycle)
{
    return lifecycle.task == SYNCD_TASK_SUCCEEDED;
}

bool syncd_lifecycle_kind(SyncdBytes kind, SyncdEvent *ret_event, const char **ret_member)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (!syncd_bytes_are(kind, kinds[i].kind))
            continue;
        if (ret_event != NULL)
            *ret_event = kinds[i].event;
        if (ret_member != NULL)
            *ret_member = kinds[i].member;
        return true;
    }
    return false;
}

const char *syncd_lifecycle_kind_of(SyncdEvent event)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].event == event)
            return kinds[i].kind;
    return NULL;
}

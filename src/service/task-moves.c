/* What happens to tasks, as entries; and the end of leases that nobody ends. */
#include "service/internal.h"

#include "base/log.h"
#include "contract/task-record.h"
#include "domain/retry.h"

/* ---- entries ---- */

static const char *status_after(const SyncdTarget *target, SyncdEvent event)
{
    SyncdLifecycle state = target->task.state;
    return syncd_lifecycle_move(&state, event) ? syncd_task_state_name(state.task) : NULL;
}

static void write_content(SyncdService *service, const SyncdTarget *target, const SyncdMove *move,
                          const char *status, GString *out)
{
    const SyncdHeader *header = &target->entry.header;
    guint64 now_ms = syncd_service_now_ms(service);
    bool begins = move->event == SYNCD_EVENT_CLAIM, completes = move->event == SYNCD_EVENT_COMPLETE;
    g_autofree char *key = syncd_target_key(target);
    SyncdTaskRecord record = {
        .operation = target->operation,
        .status = status,
        .attempt = target->task.attempt + begins,
        .idempotency_key = key,
        .decision = *move->decision != '\0' ? SYNCD_BYTES_TEXT(move->decision) : header->decision,
        .evidence = move->evidence,
        .created_ms = header->hlc.ms,
        .updated_ms = now_ms,
        .started_ms = begins ? now_ms : 0,
        .completed_ms = completes ? now_ms : 0,
        .replay_safe = syncd_target_is_replay_safe(target),
        .lease = move->lease,
        .lease_ms = move->lease_ms,
        .detached = move->detached,
        .reason = move->reason,
        .retry_after_ms = move->retry_after_ms,
    };
    syncd_task_record_write(&record, out);
}

/* Keys of moves are made here and need no escapes. */
static char *make_meta(const char *key)
{
    return key != NULL ? g_strdup_printf("{\"idempotency_key\":\"%s\"}", key) : g_strdup("{}");
}

/* Tasks are this device's affair, so that their entries are in its own log. */
bool syncd_service_move_task(SyncdService *service, const SyncdTarget *target,
                             const SyncdMove *move, GError **error)
{
    const char *status = status_after(target, move->event);
    if (status == NULL) {
        syncd_set_error(error, SYNCD_ERROR_ALREADY_RESOLVED, "The operation %s is %s",
                        target->operation,
                        syncd_operation_state_name(target->task.state.operation));
        return false;
    }
    g_autoptr(GString) content = g_string_new(NULL);
    g_autofree char *object = syncd_bytes_dup(target->entry.header.object),
                    *meta = make_meta(move->key);
    g_auto(SyncdReceipt) receipt = {0};
    write_content(service, target, move, status, content);
    service->leases_moved = true;
    SyncdDraft draft = {
        .kind = syncd_lifecycle_kind_of(move->event),
        .actor = move->actor,
        .op = move->event == SYNCD_EVENT_CLAIM ? move->lease : NULL,
        .object = object,
        .decision = move->decision,
        .engine = "",
        .lane = syncd_lane_of_rank(target->task.rank)->name,
        .schema_id = SYNCD_TASK_SCHEMA,
        .schema_version = 1,
        .parents = &target->leaf,
        .n_parents = 1,
        .idempotency_key = move->key,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES(content->str, content->len),
    };
    return syncd_service_append(service, syncd_store_device_id(service->store), &draft, &receipt,
                                error);
}

/* ---- leases that end without a result ---- */

static bool lose(SyncdService *service, const SyncdLease *lease, const char *reason, GError **error)
{
    g_auto(SyncdTarget) target = {0};
    if (!syncd_service_find_own(service, error) ||
        !syncd_service_find_target(service, lease->operation, &target, error))
        return false;
    SyncdMove move = {
        .event = syncd_retry_again(target.task.attempt) ? SYNCD_EVENT_LOSE : SYNCD_EVENT_FAIL,
        .actor = service->own_actor,
        .decision = "",
        .lease = lease->id,
        .reason = reason,
    };
    return syncd_service_move_task(service, &target, &move, error);
}

/* The lease that nobody knows of any more is named by what moved the task last: what began it. */
bool syncd_service_release_task(SyncdService *service, const char *operation, GError **error)
{
    const SyncdLease *held = syncd_leases_of(service->leases, operation);
    g_auto(SyncdTarget) target = {0};
    g_auto(SyncdEntry) entry = {0};
    if (!syncd_service_find_target(service, operation, &target, error))
        return false;
    if (target.task.state.task != SYNCD_TASK_RUNNING)
        return true;
    if (!syncd_store_read(service->store, target.task.moved, &entry, error))
        return false;
    g_autofree char *id = held != NULL ? g_strdup(held->id) : syncd_bytes_dup(entry.header.op),
                    *named = g_strdup(operation);
    const SyncdLease lease = {.id = id, .operation = named};
    if (!lose(service, &lease, "released", error))
        return false;
    syncd_leases_end(service->leases, id);
    return true;
}

/* What the log does not give is not there the next time either: nobody holds it from now on. Doctor
 * finds the damage, and once that is mended that nobody holds it (leases-lost). */
static bool is_beyond_reach(const GError *problem)
{
    return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT) ||
           g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
}

/* One that cannot be ended now (the disk is full) is tried again when it would have been due once
 * more. */
static void lose_each(SyncdService *service, GPtrArray *ids, const char *reason)
{
    for (guint i = 0; i < ids->len; i++) {
        SyncdLease *lease = syncd_leases_find(service->leases, ids->pdata[i]);
        g_autoptr(GError) error = NULL;
        if (lease == NULL)
            continue;
        if (lose(service, lease, reason, &error)) {
            syncd_leases_end(service->leases, ids->pdata[i]);
            continue;
        }
        if (is_beyond_reach(error))
            syncd_leases_end(service->leases, ids->pdata[i]);
        else
            lease->until = syncd_service_monotonic(service) + lease->length;
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_STORAGE_FAILED,
                  "The end of a lease was not recorded: %s", error->message);
    }
}

void syncd_service_worker_gone(SyncdService *service, const char *worker)
{
    g_autoptr(GPtrArray) ids = syncd_leases_of_worker(service->leases, worker);
    lose_each(service, ids, "worker_gone");
    if (ids->len > 0)
        syncd_service_ask_for_work(service);
}

/* ---- leases after a start ---- */

static bool note_running(void *data, const char *op, const SyncdTask *task, bool matches)
{
    guint64 pos = task->moved;
    if (matches)
        g_array_append_val((GArray *)data, pos);
    return true;
}

/* One grace period: whoever holds it may go on, and whoever is gone loses it after that. */
static bool take_over(SyncdService *service, guint64 pos, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(service->store, pos, &entry, error) ||
        !syncd_store_read_body(service->store, &entry, &body, error))
        return false;
    SyncdJson record = syncd_json_root(body.content, body.content_size);
    gint64 lease_ms = 0;
    bool detached = false;
    syncd_json_get_bool(syncd_json_member(record, "detached"), &detached);
    syncd_json_get_int64(syncd_json_member(record, "lease_ms"), &lease_ms);
    lease_ms = CLAMP(lease_ms, (gint64)SYNCD_LEASE_MIN_MS, (gint64)SYNCD_LEASE_MAX_MS);
    g_autofree char *id = syncd_bytes_dup(entry.header.op),
                    *actor = syncd_bytes_dup(entry.header.actor),
                    *operation = syncd_json_dup_text(syncd_json_member(record, "operation_id"));
    if (operation == NULL)
        return true;
    SyncdLease lease = {
        .id = id,
        .operation = operation,
        .actor = actor,
        .detached = detached,
        .length = (guint64)lease_ms * 1000,
        .until = syncd_service_monotonic(service) + (guint64)lease_ms * 1000,
        .renewed_usec = service->leases_ms * 1000 + SYNCD_CLAIM_USEC_MAX,
    };
    syncd_leases_add(service->leases, &lease);
    return true;
}

static bool find_delay(SyncdService *service, GError **error)
{
    return syncd_store_next_delay(service->store, syncd_service_task_ms(service),
                                  &service->delay_ms, error);
}

/* Without an index nobody can renew, complete or fail, so that no time passes for them. */
static void heed_index(SyncdService *service)
{
    if (syncd_store_is_indexing(service->store))
        syncd_leases_pause(service->leases);
    else
        syncd_leases_resume(service->leases, syncd_service_monotonic(service));
}

bool syncd_service_need_leases(SyncdService *service, GError **error)
{
    heed_index(service);
    if (service->has_leases)
        return true;
    SyncdTaskQuery query = {.which = SYNCD_TASKS_RUNNING, .rank = -1, .state = -1};
    g_autoptr(GArray) positions = g_array_new(FALSE, FALSE, sizeof(guint64));
    if (!syncd_store_walk_tasks(service->store, &query, note_running, positions, error) ||
        !find_delay(service, error))
        return false;
    for (guint i = 0; i < positions->len; i++) {
        g_autoptr(GError) problem = NULL;
        if (take_over(service, g_array_index(positions, guint64, i), &problem) ||
            is_beyond_reach(problem))
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    service->has_leases = true;
    return true;
}

void syncd_service_forget_leases(SyncdService *service)
{
    if (!service->leases_moved)
        return;
    syncd_leases_clear(service->leases);
    service->leases_ms = syncd_service_entry_ms(service);
    service->has_leases = service->leases_moved = false;
    service->delay_ms = 0;
}

/* ---- time ---- */

static void tell_delay(SyncdService *service)
{
    if (service->delay_ms == 0 || service->delay_ms > syncd_service_task_ms(service))
        return;
    if (!find_delay(service, NULL))
        service->delay_ms = 0;
    syncd_service_tell_tasks(service);
}

void syncd_service_delay_task(SyncdService *service, guint64 delay_ms)
{
    /* The entry's time is not known yet; it is not behind this clock. */
    guint64 at = syncd_service_task_ms(service) + delay_ms + 1;
    service->delay_ms = service->delay_ms == 0 ? at : MIN(service->delay_ms, at);
}

void syncd_service_flush_leases(SyncdService *service)
{
    heed_index(service);
    if (syncd_store_is_indexing(service->store) ||
        syncd_store_condition(service->store) != SYNCD_STORE_WRITABLE ||
        !syncd_service_need_leases(service, NULL))
        return;
    g_autoptr(GPtrArray) ids =
        syncd_leases_expired(service->leases, syncd_service_monotonic(service));
    lose_each(service, ids, "lease_expired");
    tell_delay(service);
}

guint64 syncd_service_tasks_due(const SyncdService *service)
{
    guint64 due = syncd_leases_next_due(service->leases);
    guint64 now_ms = syncd_service_task_ms(service);
    if (service->delay_ms == 0)
        return due;
    guint64 wait_ms = service->delay_ms > now_ms ? service->delay_ms - now_ms : 0;
    return MIN(due, syncd_service_monotonic(service) + wait_ms * 1000);
}

void syncd_service_tell_tasks(SyncdService *service)
{
    if (service->listener.tasks_changed != NULL)
        service->listener.tasks_changed(service->listener.data);
}

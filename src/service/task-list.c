/* Tasks as others see them: one, and pages of them. */
#include "service/internal.h"

#include "base/json-writer.h"
#include "contract/task-record.h"
#include "contract/vocabulary.h"
#include "service/leases.h"

/* ---- one ---- */

/* Of a task that no entry was about yet, or that was replayed since. */
static void write_fresh(const SyncdTarget *target, GString *out)
{
    const SyncdHeader *header = &target->entry.header;
    g_autofree char *key = syncd_target_key(target);
    SyncdTaskRecord record = {
        .operation = target->operation,
        .status = syncd_task_state_name(target->task.state.task),
        .attempt = target->task.attempt,
        .idempotency_key = key,
        .decision = header->decision,
        .created_ms = header->hlc.ms,
        .updated_ms = target->task.moved_ms,
        .replay_safe = syncd_target_is_replay_safe(target),
    };
    syncd_task_record_write(&record, out);
}

static bool write_state(SyncdService *service, const SyncdTarget *target, GString *out,
                        GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(service->store, target->task.moved, &entry, error))
        return false;
    if (!syncd_bytes_are(entry.header.schema_id, SYNCD_TASK_SCHEMA)) {
        write_fresh(target, out);
        return true;
    }
    if (!syncd_store_read_body(service->store, &entry, &body, error))
        return false;
    g_string_append_len(out, body.content, (gssize)body.content_size);
    return true;
}

/* What is true now and in no entry. */
static void write_present(SyncdService *service, const SyncdTarget *target, GString *out)
{
    const SyncdTask *task = &target->task;
    g_autofree char *scope = syncd_service_scope_text(service, target->entry.header.scope);
    g_autofree char *object = syncd_bytes_dup(target->entry.header.object);
    SyncdJsonWriter writer;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(
        &writer, "operation_status",
        syncd_operation_state_name(syncd_lifecycle_shown(task->state, task->blockers)));
    syncd_json_member_string(&writer, "lane", syncd_lane_of_rank(task->rank)->name);
    syncd_json_member_string(&writer, "scope", scope);
    syncd_json_member_string(&writer, "object_id", object);
    syncd_json_member_uint(&writer, "waits_for", task->waits);
    syncd_json_member_uint(&writer, "replays", task->replays);
    syncd_json_member_bool(&writer, "stale_task", syncd_service_is_stale(service, task));
    syncd_json_member_bool(&writer, "lease_expired", task->lost);
    syncd_json_end_object(&writer);
    /* Two objects become one. */
    out->str[out->len - 1] = ',';
    g_string_append_len(out, text->str + 1, (gssize)text->len - 1);
}

static bool write_task(SyncdService *service, const SyncdTarget *target, GString *out,
                       GError **error)
{
    if (!write_state(service, target, out, error))
        return false;
    write_present(service, target, out);
    return true;
}

const char *syncd_task_operation(const char *task)
{
    return g_str_has_prefix(task, SYNCD_TASK_PREFIX) ? task + strlen(SYNCD_TASK_PREFIX) : task;
}

char *syncd_service_get_task(SyncdService *service, const SyncdCaller *caller, const char *task,
                             GError **error)
{
    g_auto(SyncdTarget) target = {0};
    g_autoptr(GString) out = g_string_new(NULL);
    if (!syncd_store_settle(service->store, error) ||
        !syncd_service_read_target(service, caller, syncd_task_operation(task), &target, error) ||
        !write_task(service, &target, out, error))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *syncd_service_describe_task(SyncdService *service, const char *operation, GError **error)
{
    const SyncdCaller everybody = {.uid = service->uid, .inspector = true};
    return syncd_service_get_task(service, &everybody, operation, error);
}

bool syncd_service_describe_claim(SyncdService *service, const char *lease, char **ret_task,
                                  char **ret_operation, GError **error)
{
    const SyncdCaller everybody = {.uid = service->uid, .inspector = true};
    const SyncdLease *held = syncd_leases_find(service->leases, lease);
    if (held == NULL) {
        syncd_set_error(error, SYNCD_ERROR_LEASE_LOST, "The lease ended before it was answered");
        return false;
    }
    g_autofree char *operation = g_strdup(held->operation);
    g_autofree char *task = syncd_service_describe_task(service, operation, error);
    if (task == NULL)
        return false;
    *ret_operation = syncd_service_get_operation(service, &everybody, operation, error);
    if (*ret_operation == NULL)
        return false;
    *ret_task = g_steal_pointer(&task);
    return true;
}

/* ---- pages ---- */

bool syncd_task_query_lane(const char *lane, SyncdTaskQuery *query, GError **error)
{
    query->rank = -1;
    if (lane == NULL)
        return true;
    const SyncdLane *found = syncd_lane_find(SYNCD_BYTES_TEXT(lane));
    if (found != NULL) {
        query->rank = (int)found->rank;
        return true;
    }
    g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_LANE);
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"%.64s\" is no lane; there are %s", lane,
                    known);
    return false;
}

static bool query_state(const char *state, SyncdTaskQuery *query, GError **error)
{
    SyncdTaskState found;
    query->state = -1;
    if (state == NULL)
        return true;
    if (!syncd_task_state_find(state, &found)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS,
                        "\"state\" must be pending, running, succeeded, failed or cancelled");
        return false;
    }
    query->state = (int)found;
    if (found == SYNCD_TASK_RUNNING)
        query->which = SYNCD_TASKS_RUNNING;
    return true;
}

/* A cursor says where its walk ended: "a<pos>", "o<rank>.<pos>", "r<pos>". */
static const char cursor_marks[] = {'a', 'o', 'r'};

static bool read_cursor(const char *cursor, SyncdTaskQuery *query, GError **error)
{
    char *end = NULL;
    query->after_rank = -1;
    if (cursor == NULL || *cursor == '\0')
        return true;
    const char *number = *cursor == cursor_marks[query->which] ? cursor + 1 : "";
    if (query->which == SYNCD_TASKS_OFFERED && g_ascii_isdigit(*number)) {
        query->after_rank = (int)MIN(g_ascii_strtoull(number, &end, 10), SYNCD_N_LANES);
        number = *end == '.' ? end + 1 : "";
    }
    if (g_ascii_isdigit(*number)) {
        query->after_pos = MIN(g_ascii_strtoull(number, &end, 10), G_MAXINT64);
        if (*end == '\0')
            return true;
    }
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "The cursor is not of this listing");
    return false;
}

static char *format_cursor(SyncdTaskWalk which, const SyncdTask *task)
{
    g_autofree char *rank =
        which == SYNCD_TASKS_OFFERED ? g_strdup_printf("%u.", task->rank) : g_strdup("");
    return g_strdup_printf("%c%s%" G_GUINT64_FORMAT, cursor_marks[which], rank, task->pos);
}

typedef struct {
    SyncdTaskWalk which;
    guint limit;
    GPtrArray *ops;
    char *cursor; /* after the last one that was examined */
    bool full;
    guint examined;
} Page;

static bool take_listed(void *data, const char *op, const SyncdTask *task, bool matches)
{
    Page *page = data;
    if (page->ops->len == page->limit) {
        page->full = true;
        return false;
    }
    page->examined++;
    g_free(page->cursor);
    page->cursor = format_cursor(page->which, task);
    if (matches)
        g_ptr_array_add(page->ops, g_strdup(op));
    return true;
}

/* What was purged says nothing any more, and takes nothing from the others. */
static bool write_listed(SyncdService *service, const char *op, GString *out, GError **error)
{
    g_auto(SyncdTarget) target = {0};
    g_autoptr(GError) problem = NULL;
    gsize before = out->len;
    if (out->str[before - 1] != '[')
        g_string_append_c(out, ',');
    if (syncd_service_find_target(service, op, &target, &problem) &&
        write_task(service, &target, out, &problem))
        return true;
    g_string_truncate(out, before);
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static bool write_page(SyncdService *service, const Page *page, GString *out, GError **error)
{
    g_string_append_c(out, '[');
    for (guint i = 0; i < page->ops->len; i++)
        if (!write_listed(service, page->ops->pdata[i], out, error))
            return false;
    g_string_append_c(out, ']');
    return true;
}

char *syncd_service_list_tasks(SyncdService *service, const SyncdCaller *caller,
                               const SyncdTaskListing *listing, char **ret_cursor, GError **error)
{
    g_auto(SyncdView) view = {0};
    g_autoptr(SyncdScope) scope = NULL;
    SyncdTaskQuery query = {.object = listing->object};
    if (listing->limit > SYNCD_LIST_MAX) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"limit\" must be at most %u",
                        SYNCD_LIST_MAX);
        return NULL;
    }
    if (!query_state(listing->state, &query, error) ||
        !syncd_task_query_lane(listing->lane, &query, error) ||
        !syncd_service_view(service, caller, &view, error) ||
        (listing->scope != NULL &&
         !syncd_service_find_scope_for(service, &view, listing->scope, &scope, error)))
        return NULL;
    bool nothing = (listing->scope != NULL && scope == NULL) || (!view.all && view.actor == NULL);
    if (listing->stale) {
        query.which = SYNCD_TASKS_OFFERED;
        query.stale_ms = syncd_service_task_ms(service);
    }
    if (!read_cursor(listing->cursor, &query, error))
        return NULL;
    query.scope_id = scope != NULL ? scope->id : NULL;
    query.actor = view.all ? NULL : view.actor;

    g_autoptr(GPtrArray) ops = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) out = g_string_new(NULL);
    Page page = {.which = query.which,
                 .limit = listing->limit != 0 ? listing->limit : SYNCD_LIST_MAX,
                 .ops = ops};
    bool done =
        (nothing || syncd_store_walk_tasks(service->store, &query, take_listed, &page, error)) &&
        write_page(service, &page, out, error);
    g_autofree char *cursor = g_steal_pointer(&page.cursor);
    if (!done)
        return NULL;
    bool more = page.full || page.examined == SYNCD_STORE_TASKS_EXAMINED;
    *ret_cursor = more ? g_steal_pointer(&cursor) : g_strdup("");
    return g_string_free(g_steal_pointer(&out), FALSE);
}

bool syncd_service_count_tasks(SyncdService *service, guint64 *ret_pending, guint64 *ret_running,
                               GError **error)
{
    gint64 counts[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS];
    if (!syncd_store_lane_counts(service->store, counts, error))
        return false;
    *ret_pending = *ret_running = 0;
    for (unsigned rank = 0; rank < SYNCD_N_LANES; rank++) {
        *ret_pending += (guint64)counts[rank][SYNCD_TASK_PENDING];
        *ret_running += (guint64)counts[rank][SYNCD_TASK_RUNNING];
    }
    return true;
}

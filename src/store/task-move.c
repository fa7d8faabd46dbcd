#include "store/task-move.h"

#include "base/json.h"

#define DELAY_MAX_MS (24u * 60u * 60u * 1000u)

bool syncd_task_is_stale(const SyncdTask *task, guint64 now_ms)
{
    return task->state.task == SYNCD_TASK_PENDING && task->waits == 0 && now_ms > task->moved_ms &&
           now_ms - task->moved_ms > syncd_lane_of_rank(task->rank)->stale_ms;
}

bool syncd_task_begin(const SyncdHeader *header, guint64 pos, SyncdTask *ret_task)
{
    const SyncdLane *lane = syncd_lane_find(header->lane);
    /* A request in the lane tombstone is carried out when it is written. */
    if (lane == NULL || !syncd_bytes_are(header->kind, "operation.enqueue") ||
        syncd_bytes_are(header->lane, "tombstone"))
        return false;
    *ret_task = (SyncdTask){
        .pos = pos,
        .rank = lane->rank,
        .state = SYNCD_LIFECYCLE_BEGIN,
        .waits = header->n_parents,
        .moved = pos,
        .moved_ms = header->hlc.ms,
    };
    return true;
}

bool syncd_task_move_parse(const SyncdHeader *header, guint64 pos, const SyncdBody *body,
                           SyncdTaskMove *ret_move, char **ret_op)
{
    const char *member;
    SyncdTaskMove move = {.pos = pos, .ms = header->hlc.ms};
    if (!syncd_lifecycle_kind(header->kind, &move.event, &member) || body == NULL ||
        body->content == NULL ||
        !syncd_json_check(body->content, body->content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return false;
    SyncdJson record = syncd_json_root(body->content, body->content_size);
    gint64 delay = 0;
    if (syncd_json_get_int64(syncd_json_member(record, "retry_after_ms"), &delay))
        move.delay_ms = (guint64)CLAMP(delay, 0, (gint64)DELAY_MAX_MS);
    *ret_op = syncd_json_dup_text(syncd_json_member(record, member));
    *ret_move = move;
    return *ret_op != NULL;
}

void syncd_task_end(SyncdTask *task, SyncdLifecycle end, guint64 pos, guint64 ms)
{
    task->state = end;
    task->lost = false;
    task->ready_ms = 0;
    task->moved = pos;
    task->moved_ms = ms;
}

bool syncd_task_apply(SyncdTask *task, const SyncdTaskMove *move)
{
    if (!syncd_lifecycle_move(&task->state, move->event))
        return false;
    if (move->event == SYNCD_EVENT_CLAIM)
        task->attempt++;
    if (move->event == SYNCD_EVENT_REPLAY) {
        task->attempt = 0;
        task->replays++;
    }
    task->lost = move->event == SYNCD_EVENT_LOSE;
    task->ready_ms = move->event == SYNCD_EVENT_RETRY ? move->ms + move->delay_ms : 0;
    task->moved = move->pos;
    task->moved_ms = move->ms;
    return true;
}

#include "store/deletion-move.h"

#include "base/json.h"

void syncd_deletion_move_clear(SyncdDeletionMove *move)
{
    g_clear_pointer(&move->scope_id, g_free);
    g_clear_pointer(&move->object, g_free);
}

static bool is_request(const SyncdHeader *header)
{
    return syncd_bytes_are(header->lane, "tombstone") &&
           syncd_bytes_are(header->kind, "operation.enqueue") && header->object.size > 0;
}

bool syncd_deletion_concerns(const SyncdHeader *header)
{
    return is_request(header) || syncd_deletion_kind(header->kind, NULL);
}

bool syncd_deletion_covers(const SyncdHeader *purge, const SyncdHeader *header)
{
    SyncdDeletionEvent event;
    return purge->known && header->known && syncd_deletion_kind(purge->kind, &event) &&
           event == SYNCD_DELETION_PURGE && syncd_deletion_purges(header->kind) &&
           header->object.size > 0 && syncd_bytes_equal(purge->object, header->object) &&
           syncd_bytes_equal(purge->scope, header->scope);
}

bool syncd_deletion_move_parse(const SyncdHeader *header, guint64 pos, const SyncdBody *body,
                               SyncdDeletionMove *ret_move)
{
    g_auto(SyncdDeletionMove) move = {.event = SYNCD_DELETION_REQUEST, .pos = pos};
    if (is_request(header)) {
        move.scope_id = syncd_bytes_dup(header->scope);
        move.object = syncd_bytes_dup(header->object);
    } else {
        if (!syncd_deletion_kind(header->kind, &move.event) || body == NULL ||
            body->content == NULL ||
            !syncd_json_check(body->content, body->content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
            return false;
        SyncdJson record = syncd_json_root(body->content, body->content_size);
        move.scope_id = syncd_json_dup_text(syncd_json_member(record, "scope_id"));
        move.object = syncd_json_dup_text(syncd_json_member(record, "object_id"));
        if (move.scope_id == NULL || move.object == NULL)
            return false;
    }
    *ret_move = move;
    move = (SyncdDeletionMove){0};
    return true;
}

bool syncd_deletion_apply(SyncdDeletion *deletion, bool known, const SyncdDeletionMove *move)
{
    if (!known && move->event != SYNCD_DELETION_REQUEST)
        return false;
    if (!known)
        *deletion = (SyncdDeletion){SYNCD_DELETION_REQUESTED, 1, move->pos};
    else if (!syncd_deletion_move(&deletion->state, move->event))
        return false;
    deletion->version += move->event == SYNCD_DELETION_RESTORE;
    deletion->moved = move->pos;
    return true;
}

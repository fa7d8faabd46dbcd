#include "store/record.h"

#include "base/json.h"

#include <string.h>

void syncd_record_row_clear(SyncdRecordRow *row)
{
    g_clear_pointer(&row->id, g_free);
    g_clear_pointer(&row->state, g_free);
    g_clear_pointer(&row->scope, g_free);
    g_clear_pointer(&row->owner, g_free);
    for (size_t i = 0; i < SYNCD_N_COLUMNS; i++)
        g_clear_pointer(&row->columns[i], g_free);
}

void syncd_record_row_free(SyncdRecordRow *row)
{
    if (row == NULL)
        return;
    syncd_record_row_clear(row);
    g_free(row);
}

SyncdRecordRow *syncd_record_row_dup(const SyncdRecordRow *row)
{
    SyncdRecordRow *copy = g_memdup2(row, sizeof *row);
    copy->id = g_strdup(row->id);
    copy->state = g_strdup(row->state);
    copy->scope = g_strdup(row->scope);
    copy->owner = g_strdup(row->owner);
    for (size_t i = 0; i < SYNCD_N_COLUMNS; i++)
        copy->columns[i] = g_strdup(row->columns[i]);
    return copy;
}

static char *owner_of(const SyncdHeader *header, SyncdJson record)
{
    g_autofree char *said = syncd_record_member(record, "registered_by");
    return *said != '\0' ? g_steal_pointer(&said) : syncd_bytes_dup(header->actor);
}

bool syncd_record_row_read(guint64 pos, const SyncdHeader *header, SyncdBytes content,
                           SyncdRecordRow *ret_row)
{
    const SyncdFamily *family = syncd_family_of_kind(header->kind);
    if (family == NULL || content.data == NULL ||
        !syncd_json_check(content.data, content.size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return false;
    SyncdJson record = syncd_json_root(content.data, content.size);
    g_autofree char *id = syncd_family_record_id(family, record);
    g_autofree char *state = syncd_family_record_state(family, record);
    if (id == NULL || state == NULL)
        return false;
    *ret_row = (SyncdRecordRow){
        .family = family,
        .id = g_steal_pointer(&id),
        .state = g_steal_pointer(&state),
        .scope = syncd_bytes_dup(header->scope),
        .owner = owner_of(header, record),
        .first = pos,
        .pos = pos,
    };
    for (size_t i = 0; i < SYNCD_N_COLUMNS; i++)
        ret_row->columns[i] = family->columns[i] != NULL
                                  ? syncd_record_member(record, family->columns[i])
                                  : g_strdup("");
    return true;
}

static bool is_revoked(const SyncdRecordRow *row)
{
    return strcmp(row->state, SYNCD_STATE_REVOKED) == 0;
}

bool syncd_record_row_outranks(const SyncdRecordRow *row, const SyncdRecordRow *other)
{
    if (is_revoked(row) != is_revoked(other))
        return !is_revoked(row);
    return row->first < other->first;
}

static bool is_or_any(const char *wanted, const char *text)
{
    return wanted == NULL || strcmp(wanted, text) == 0;
}

bool syncd_record_row_matches(const SyncdRecordQuery *query, const SyncdRecordRow *row)
{
    bool seen =
        query->viewer == NULL || strcmp(row->owner, query->viewer) == 0 ||
        (row->family == syncd_family(SYNCD_FAMILY_ACTOR) && strcmp(row->id, query->viewer) == 0);
    for (size_t i = 0; seen && i < SYNCD_N_COLUMNS; i++)
        seen = is_or_any(query->columns[i], row->columns[i]);
    return seen && is_or_any(query->state, row->state) && is_or_any(query->scope_id, row->scope);
}

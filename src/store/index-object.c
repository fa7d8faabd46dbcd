/* The objects that entries are about: which there are, in which lane each began, and how many of
 * them a lane has. */
#include "store/index-private.h"

#include "domain/kind.h"

/* ---- what is known ---- */

/* Operations are mostly about objects that others were about before them. */
#define KNOWN_OBJECTS 4096u
/* Each may be in any of so many places that are next to each other: with one alone a seventh of a
 * thousand objects would push each other out. */
#define NEIGHBOURS 4u

struct SyncdKnownObjects {
    GString *objects[KNOWN_OBJECTS]; /* by the object's hash: whether it is found, "scope object";
                                        NULL: none */
};

#define FOUND 'f'
#define NOT_FOUND 'n'

struct SyncdKnownObjects *syncd_index_known_objects_new(void)
{
    return g_new0(struct SyncdKnownObjects, 1);
}

void syncd_index_forget_objects(SyncdIndex *self)
{
    for (size_t i = 0; i < KNOWN_OBJECTS; i++)
        if (self->objects->objects[i] != NULL)
            g_string_truncate(self->objects->objects[i], 0);
}

void syncd_index_known_objects_free(struct SyncdKnownObjects *known)
{
    for (size_t i = 0; i < KNOWN_OBJECTS; i++)
        if (known->objects[i] != NULL)
            g_string_free(known->objects[i], TRUE);
    g_free(known);
}

static bool is_in(const GString *place, const SyncdHeader *header)
{
    size_t scope = header->scope.size, object = header->object.size;
    return place->len == 1 + scope + 1 + object && place->str[1 + scope] == ' ' &&
           memcmp(place->str + 1 + scope + 1, header->object.data, object) == 0 &&
           memcmp(place->str + 1, header->scope.data, scope) == 0;
}

/* The place for this one, and whether it is there. */
static GString *place_of(SyncdIndex *self, const SyncdHeader *header, bool *ret_is)
{
    guint32 hash = syncd_bytes_hash(header->object);
    guint32 first = hash >> 16 & (KNOWN_OBJECTS - NEIGHBOURS);
    GString **places = &self->objects->objects[first], **place = &places[hash % NEIGHBOURS];
    for (unsigned i = 0; i < NEIGHBOURS; i++) {
        *ret_is = places[i] != NULL && is_in(places[i], header);
        if (*ret_is)
            return places[i];
        if (places[i] == NULL || places[i]->len == 0)
            place = &places[i];
    }
    if (*place == NULL)
        *place = g_string_new(NULL);
    return *place;
}

static void know_object(GString *place, const SyncdHeader *header, bool found)
{
    g_string_truncate(place, 0);
    g_string_append_c(place, found ? FOUND : NOT_FOUND);
    g_string_append_len(place, header->scope.data, (gssize)header->scope.size);
    g_string_append_c(place, ' ');
    g_string_append_len(place, header->object.data, (gssize)header->object.size);
}

/* ---- rows ---- */

typedef struct {
    gint64 scope;
    bool is, found; /* there is one; it is in search */
    unsigned rank;
} Row;

static bool read_row(SyncdIndex *self, gint64 scope, SyncdBytes object, Row *ret_row,
                     GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT rank, found FROM object WHERE scope = :scope AND object = :object");
    *ret_row = (Row){.scope = scope};
    syncd_bind_int(rows, ":scope", scope);
    syncd_bind_text_bytes(rows, ":object", object);
    if (!syncd_statement_next(rows, &ret_row->is, error))
        return false;
    if (ret_row->is) {
        ret_row->rank = (unsigned)syncd_column_int(rows, 0) % SYNCD_N_LANES;
        ret_row->found = syncd_column_int(rows, 1) != 0;
    }
    return true;
}

static bool write_row(SyncdIndex *self, SyncdBytes object, const Row *row, GError **error)
{
    SyncdStatement *statement = syncd_database_statement(
        self->db, "INSERT INTO object (scope, object, rank, found) VALUES (:scope, :object, :rank,"
                  " :found) ON CONFLICT (scope, object) DO UPDATE SET found = excluded.found");
    syncd_bind_int(statement, ":scope", row->scope);
    syncd_bind_text_bytes(statement, ":object", object);
    syncd_bind_int(statement, ":rank", row->rank);
    syncd_bind_int(statement, ":found", row->found);
    return syncd_statement_run(statement, error);
}

/* ---- projecting ---- */

static bool is_record(SyncdBytes kind)
{
    return syncd_bytes_are(kind, "object.created") || syncd_bytes_are(kind, "object.changed");
}

static void count_record(SyncdIndex *self, const SyncdHeader *header, unsigned rank)
{
    bool creates = syncd_bytes_are(header->kind, "object.created");
    self->lanes[rank][creates ? SYNCD_LANE_REGISTERED : SYNCD_LANE_AMENDED]++;
}

/* It is there from now on, and found where it may be. */
static bool take_object(SyncdIndex *self, guint64 pos, const SyncdHeader *header, unsigned rank,
                        bool may, bool *ret_adds, GError **error)
{
    Row row;
    gint64 scope;
    if (!syncd_index_add_word(self, header->scope, &scope, error) ||
        !read_row(self, scope, header->object, &row, error))
        return false;
    bool finds = may && !row.found;
    *ret_adds = !row.is;
    const SyncdCountedRow counted = {SYNCD_COUNTED_OBJECTS, scope, header->object};
    if (*ret_adds)
        syncd_index_count_lane(self, &counted, rank, SYNCD_LANE_OBJECTS, 1);
    if (row.is && !finds)
        return true;
    row.rank = rank;
    row.found |= may;
    return write_row(self, header->object, &row, error) &&
           (!finds || syncd_index_search_object(self, pos, header, error));
}

bool syncd_index_project_object(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                                bool *ret_adds, GError **error)
{
    bool known, may = false, operates = syncd_kind_is_operation(header->kind);
    const SyncdLane *lane = syncd_lane_find(header->lane);
    *ret_adds = false;
    if (header->object.size == 0 || lane == NULL || (!operates && !is_record(header->kind)))
        return true;
    if (!operates)
        count_record(self, header, lane->rank);
    GString *place = place_of(self, header, &known);
    if (known && (place->str[0] == FOUND || !operates))
        return true;
    /* What a record says of an object is found by the record. */
    if (operates && !syncd_index_may_search(self, header, NULL, &may, error))
        return false;
    if (known && !may)
        return true;
    if (!take_object(self, pos, header, lane->rank, may, ret_adds, error))
        return false;
    know_object(place, header, may);
    return true;
}

/* ---- what becomes of them ---- */

SyncdLaneCounter syncd_index_object_counter(SyncdDeletionState state)
{
    switch (state) {
    case SYNCD_DELETION_TOMBSTONED:
    case SYNCD_DELETION_PROPAGATED:
    case SYNCD_DELETION_HIDDEN:
        return SYNCD_LANE_TOMBSTONES;
    case SYNCD_DELETION_PURGED:
    case SYNCD_DELETION_PROVEN:
        return SYNCD_LANE_PURGED;
    default:
        return SYNCD_LANE_OBJECTS;
    }
}

bool syncd_index_count_deletion(SyncdIndex *self, gint64 scope, const char *object,
                                SyncdDeletionState before, SyncdDeletionState after, GError **error)
{
    Row row;
    if (syncd_index_object_counter(before) == syncd_index_object_counter(after))
        return true;
    if (!read_row(self, scope, SYNCD_BYTES_TEXT(object), &row, error))
        return false;
    const SyncdCountedRow counted = {SYNCD_COUNTED_OBJECTS, scope, SYNCD_BYTES_TEXT(object)};
    if (row.is) {
        syncd_index_count_lane(self, &counted, row.rank, syncd_index_object_counter(before), -1);
        syncd_index_count_lane(self, &counted, row.rank, syncd_index_object_counter(after), 1);
    }
    return true;
}

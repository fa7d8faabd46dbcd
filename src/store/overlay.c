#include "store/overlay.h"

#include "base/json.h"
#include "domain/names.h"
#include "store/deletion-move.h"
#include "store/record.h"
#include "store/task-move.h"

struct SyncdOverlay {
    GPtrArray *pending;    /* SyncdPending, in the order of pos */
    GHashTable *ops;       /* id -> SyncdPending */
    GHashTable *keys;      /* "actor\nscope\nkey" -> SyncdPending */
    GHashTable *records;   /* "family\nid" -> SyncdRecordRow of the newest entry */
    GHashTable *decisions; /* "policy\nid", a set */
    GHashTable *moves;     /* operation id -> GArray of SyncdTaskMove */
    guint n_deletions;     /* entries that are about one */
    GHashTable *names;     /* "family\nscope\nname" -> SyncdPending; also with an empty scope */
    SyncdFirstFunc first;
    void *first_data;
};

static void pending_free(void *data)
{
    SyncdPending *pending = data;
    syncd_entry_clear(&pending->entry);
    syncd_body_clear(&pending->body);
    g_free(pending);
}

static void moves_free(void *moves)
{
    g_array_unref(moves);
}

SyncdOverlay *syncd_overlay_new(SyncdFirstFunc first, void *data)
{
    SyncdOverlay *self = g_new0(SyncdOverlay, 1);
    self->first = first;
    self->first_data = data;
    self->pending = g_ptr_array_new_with_free_func(pending_free);
    self->ops = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->records = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify)syncd_record_row_free);
    self->decisions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->moves = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, moves_free);
    self->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return self;
}

void syncd_overlay_free(SyncdOverlay *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->ops);
    g_hash_table_unref(self->keys);
    g_hash_table_unref(self->records);
    g_hash_table_unref(self->decisions);
    g_hash_table_unref(self->moves);
    g_hash_table_unref(self->names);
    g_ptr_array_unref(self->pending);
    g_free(self);
}

static SyncdJson parse(const char *text, size_t size)
{
    if (text == NULL || !syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return (SyncdJson){0};
    return syncd_json_root(text, size);
}

static void learn_key(SyncdOverlay *self, SyncdPending *pending)
{
    const SyncdHeader *header = &pending->entry.header;
    SyncdJson meta = parse(pending->body.meta, pending->body.meta_size);
    g_autofree char *key = syncd_json_dup_text(syncd_json_member(meta, "idempotency_key"));
    if (key == NULL)
        return;
    g_autofree char *name =
        g_strdup_printf("%.*s\n%.*s\n%s", (int)header->actor.size, (const char *)header->actor.data,
                        (int)header->scope.size, (const char *)header->scope.data, key);
    if (!g_hash_table_contains(self->keys, name))
        g_hash_table_insert(self->keys, g_steal_pointer(&name), pending);
}

static char *record_name(const SyncdFamily *family, const char *id)
{
    return g_strconcat(family->name, "\n", id, NULL);
}

static void learn_record(SyncdOverlay *self, const SyncdPending *pending)
{
    g_autofree SyncdRecordRow *row = g_new0(SyncdRecordRow, 1);
    SyncdBytes content = SYNCD_BYTES(pending->body.content, pending->body.content_size);
    if (!syncd_record_row_read(pending->entry.pos, &pending->entry.header, content, row))
        return;
    const SyncdRecordRow *earlier = syncd_overlay_find_record(self, row->family, row->id);
    guint64 first = earlier != NULL       ? earlier->first
                    : self->first != NULL ? self->first(self->first_data, row->family, row->id)
                                          : 0;
    if (first != 0)
        row->first = first;
    g_hash_table_insert(self->records, record_name(row->family, row->id), row);
    row = NULL;
}

static void learn_decision(SyncdOverlay *self, SyncdJson record)
{
    g_autofree char *policy = syncd_json_dup_text(syncd_json_member(record, "policy_digest"));
    g_autofree char *id = syncd_json_dup_text(syncd_json_member(record, "decision_id"));
    if (policy != NULL && id != NULL)
        g_hash_table_add(self->decisions, g_strconcat(policy, "\n", id, NULL));
}

typedef struct {
    SyncdOverlay *overlay;
    SyncdPending *pending;
} Naming;

static void learn_name(void *data, const char *family, const char *name)
{
    Naming *naming = data;
    SyncdBytes scope = naming->pending->entry.header.scope;
    for (int with_scope = 0; with_scope < 2; with_scope++) {
        char *key = g_strdup_printf("%s\n%.*s\n%s", family, with_scope ? (int)scope.size : 0,
                                    (const char *)scope.data, name);
        if (g_hash_table_contains(naming->overlay->names, key))
            g_free(key);
        else
            g_hash_table_insert(naming->overlay->names, key, naming->pending);
    }
}

static void learn_move(SyncdOverlay *self, SyncdPending *pending)
{
    SyncdTaskMove move;
    g_autofree char *op = NULL;
    if (!syncd_task_move_parse(&pending->entry.header, pending->entry.pos, &pending->body, &move,
                               &op))
        return;
    GArray *moves = g_hash_table_lookup(self->moves, op);
    if (moves == NULL) {
        moves = g_array_new(FALSE, FALSE, sizeof(SyncdTaskMove));
        g_hash_table_insert(self->moves, g_steal_pointer(&op), moves);
    }
    g_array_append_val(moves, move);
    syncd_names_each(pending->entry.header.kind,
                     syncd_json_root(pending->body.content, pending->body.content_size), learn_name,
                     &(Naming){self, pending});
}

static void learn(SyncdOverlay *self, SyncdPending *pending)
{
    const SyncdHeader *header = &pending->entry.header;
    g_hash_table_insert(self->ops, syncd_bytes_dup(header->op), pending);
    self->n_deletions += syncd_deletion_concerns(header);
    if (header->keyed)
        learn_key(self, pending);
    if (syncd_bytes_are(header->kind, "policy.decision"))
        learn_decision(self, parse(pending->body.content, pending->body.content_size));
    else if (syncd_lifecycle_kind(header->kind, NULL, NULL))
        learn_move(self, pending);
    else
        learn_record(self, pending);
}

/* Entries leave rarely one by one, so what was learnt is forgotten and learnt again from those that
 * stay. */
static void learn_again(SyncdOverlay *self)
{
    g_hash_table_remove_all(self->ops);
    g_hash_table_remove_all(self->keys);
    g_hash_table_remove_all(self->records);
    g_hash_table_remove_all(self->decisions);
    g_hash_table_remove_all(self->moves);
    g_hash_table_remove_all(self->names);
    self->n_deletions = 0;
    for (guint i = 0; i < self->pending->len; i++)
        learn(self, self->pending->pdata[i]);
}

void syncd_overlay_add(SyncdOverlay *self, SyncdPending *pending)
{
    g_ptr_array_add(self->pending, pending);
    learn(self, pending);
}

guint syncd_overlay_size(const SyncdOverlay *self)
{
    return self->pending->len;
}

const SyncdPending *syncd_overlay_at(const SyncdOverlay *self, guint index)
{
    return self->pending->pdata[index];
}

const SyncdPending *syncd_overlay_by_pos(const SyncdOverlay *self, guint64 pos)
{
    if (self->pending->len == 0)
        return NULL;
    /* Positions have no gaps. */
    guint64 first = syncd_overlay_at(self, 0)->entry.pos;
    return pos >= first && pos - first < self->pending->len ? self->pending->pdata[pos - first]
                                                            : NULL;
}

void syncd_overlay_drop_through(SyncdOverlay *self, guint64 pos)
{
    guint n = 0;
    while (n < self->pending->len && syncd_overlay_at(self, n)->entry.pos <= pos)
        n++;
    if (n == 0)
        return;
    g_ptr_array_remove_range(self->pending, 0, n);
    learn_again(self);
}

void syncd_overlay_drop_after(SyncdOverlay *self, guint64 pos)
{
    guint before = self->pending->len;
    while (self->pending->len > 0 &&
           syncd_overlay_at(self, self->pending->len - 1)->entry.pos > pos)
        g_ptr_array_remove_index(self->pending, self->pending->len - 1);
    if (self->pending->len != before)
        learn_again(self);
}

static guint64 pos_of(const SyncdPending *pending)
{
    return pending != NULL ? pending->entry.pos : 0;
}

guint64 syncd_overlay_find_op(const SyncdOverlay *self, const char *op)
{
    return pos_of(g_hash_table_lookup(self->ops, op));
}

guint64 syncd_overlay_find_key(const SyncdOverlay *self, const char *actor, const char *scope,
                               const char *key)
{
    g_autofree char *name = g_strconcat(actor, "\n", scope, "\n", key, NULL);
    return pos_of(g_hash_table_lookup(self->keys, name));
}

const SyncdRecordRow *syncd_overlay_find_record(const SyncdOverlay *self, const SyncdFamily *family,
                                                const char *id)
{
    g_autofree char *name = record_name(family, id);
    return g_hash_table_lookup(self->records, name);
}

/* Records that wait are few, and who asks keeps the answer. */
const SyncdRecordRow *syncd_overlay_find_identity(const SyncdOverlay *self, const char *identity)
{
    const SyncdRecordRow *best = NULL;
    GHashTableIter iter;
    void *at;
    g_hash_table_iter_init(&iter, self->records);
    while (*identity != '\0' && g_hash_table_iter_next(&iter, NULL, &at)) {
        const SyncdRecordRow *row = at;
        if (strcmp(row->columns[SYNCD_COLUMN_IDENTITY], identity) == 0 &&
            (best == NULL || syncd_record_row_outranks(row, best)))
            best = row;
    }
    return best;
}

void syncd_overlay_list_records(const SyncdOverlay *self, const SyncdRecordQuery *query,
                                GPtrArray *rows)
{
    GHashTableIter iter;
    void *at;
    g_hash_table_iter_init(&iter, self->records);
    while (g_hash_table_iter_next(&iter, NULL, &at)) {
        const SyncdRecordRow *row = at;
        if (row->family == query->family && syncd_record_row_matches(query, row))
            g_ptr_array_add(rows, syncd_record_row_dup(row));
    }
}

bool syncd_overlay_has_decision(const SyncdOverlay *self, const char *policy, const char *id)
{
    g_autofree char *name = g_strconcat(policy, "\n", id, NULL);
    return g_hash_table_contains(self->decisions, name);
}

guint64 syncd_overlay_find_decision(const SyncdOverlay *self, const char *id)
{
    for (guint i = 0; i < syncd_overlay_size(self); i++) {
        const SyncdPending *pending = syncd_overlay_at(self, i);
        if (syncd_bytes_are(pending->entry.header.kind, "policy.decision") &&
            syncd_json_is(
                syncd_json_member(parse(pending->body.content, pending->body.content_size),
                                  "decision_id"),
                id))
            return pending->entry.pos;
    }
    return 0;
}

bool syncd_overlay_begin_task(const SyncdOverlay *self, const char *op, SyncdTask *ret_task)
{
    const SyncdPending *pending = g_hash_table_lookup(self->ops, op);
    return pending != NULL &&
           syncd_task_begin(&pending->entry.header, pending->entry.pos, ret_task);
}

bool syncd_overlay_moves_task(const SyncdOverlay *self, const char *op)
{
    return g_hash_table_contains(self->moves, op);
}

void syncd_overlay_move_task(const SyncdOverlay *self, const char *op, SyncdTask *task)
{
    const GArray *moves = g_hash_table_lookup(self->moves, op);
    for (guint i = 0; moves != NULL && i < moves->len; i++)
        syncd_task_apply(task, &g_array_index(moves, SyncdTaskMove, i));
}

guint64 syncd_overlay_find_name(const SyncdOverlay *self, const char *family, const char *name,
                                const char *scope)
{
    g_autofree char *key = g_strconcat(family, "\n", scope != NULL ? scope : "", "\n", name, NULL);
    return pos_of(g_hash_table_lookup(self->names, key));
}

void syncd_overlay_move_deletion(const SyncdOverlay *self, const char *scope, const char *object,
                                 SyncdDeletion *deletion, bool *found)
{
    /* They are rare: usually there is nothing to look at. */
    for (guint i = 0; self->n_deletions > 0 && i < self->pending->len; i++) {
        const SyncdPending *pending = syncd_overlay_at(self, i);
        g_auto(SyncdDeletionMove) move = {0};
        if (syncd_deletion_concerns(&pending->entry.header) &&
            syncd_deletion_move_parse(&pending->entry.header, pending->entry.pos, &pending->body,
                                      &move) &&
            strcmp(move.scope_id, scope) == 0 && strcmp(move.object, object) == 0)
            *found |= syncd_deletion_apply(deletion, *found, &move);
    }
}

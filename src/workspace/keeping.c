#include "workspace/keeping.h"

#include "store/chunks.h"

struct SyncdKeeping {
    SyncdStore *store;
    const SyncdRoot *root;
    GByteArray *part; /* of the chunk that is not full yet */
    guint64 offset;   /* where the next piece goes on */
    SyncdKept *kept;  /* NULL: no piece of the file has come */
};

/* ---- what is kept ---- */

void syncd_kept_free(SyncdKept *kept)
{
    if (kept == NULL)
        return;
    for (guint at = 0; kept->chunks != NULL && kept->row == NULL && at < kept->chunks->len;
         at += SYNCD_HASH_SIZE) {
        SyncdHash name;
        memcpy(name.bytes, kept->chunks->data + at, sizeof name.bytes);
        syncd_store_unpin_chunk(kept->store, &name);
    }
    g_clear_pointer(&kept->chunks, g_byte_array_unref);
    g_clear_pointer(&kept->row, g_bytes_unref);
    g_free(kept);
}

size_t syncd_kept_weight(const SyncdKept *kept)
{
    return kept != NULL && kept->row != NULL ? g_bytes_get_size(kept->row) : 0;
}

SyncdFileContent syncd_kept_content(const SyncdKept *kept)
{
    if (kept == NULL)
        return (SyncdFileContent){0};
    SyncdFileContent content = {.kept = kept->chunks != NULL, .unkept = kept->unkept};
    if (kept->chunks != NULL)
        content.chunks = SYNCD_BYTES(kept->chunks->data, kept->chunks->len);
    return content;
}

bool syncd_kept_row(const SyncdKept *kept, SyncdDraftRow *ret_row)
{
    if (kept == NULL || kept->row == NULL)
        return false;
    memcpy(ret_row->name.bytes, kept->chunks->data, sizeof ret_row->name.bytes);
    ret_row->bytes = SYNCD_BYTES(g_bytes_get_data(kept->row, NULL), g_bytes_get_size(kept->row));
    return true;
}

static SyncdKept *kept_new(SyncdKeeping *self)
{
    SyncdKept *kept = g_new0(SyncdKept, 1);
    kept->store = self->store;
    kept->chunks = g_byte_array_new();
    return kept;
}

/* What came of it already is in no entry. */
static void give_up(SyncdKept *kept, const char *why)
{
    SyncdKept *chunks = g_memdup2(kept, sizeof *kept);
    *kept = (SyncdKept){.store = kept->store, .unkept = why};
    syncd_kept_free(chunks);
}

/* ---- the file that is being read ---- */

SyncdKeeping *syncd_keeping_new(SyncdStore *store, const SyncdRoot *root)
{
    SyncdKeeping *self = g_new0(SyncdKeeping, 1);
    self->store = store;
    self->root = root;
    self->part = g_byte_array_new();
    return self;
}

void syncd_keeping_free(SyncdKeeping *self)
{
    if (self == NULL)
        return;
    g_byte_array_unref(self->part);
    syncd_kept_free(self->kept);
    g_free(self);
}

bool syncd_keeping_wants(const SyncdKeeping *self, guint64 size)
{
    return self->root->keeps && size <= self->root->keep_max &&
           syncd_store_has_content_room(self->store, size);
}

static void begin_anew(SyncdKeeping *self)
{
    g_byte_array_set_size(self->part, 0);
    g_clear_pointer(&self->kept, syncd_kept_free);
    self->offset = 0;
}

static bool put_part(SyncdKeeping *self, bool row, GError **error)
{
    SyncdKept *kept = self->kept;
    SyncdHash name;
    g_autoptr(GError) problem = NULL;
    SyncdBytes part = SYNCD_BYTES(self->part->data, self->part->len);
    if (syncd_store_has_content_room(self->store, part.size) &&
        syncd_store_put_chunk(self->store, self->root->scope_id, part, row, &name, &kept->row,
                              &problem)) {
        g_byte_array_append(kept->chunks, name.bytes, sizeof name.bytes);
        g_byte_array_set_size(self->part, 0);
        return true;
    }
    g_byte_array_set_size(self->part, 0);
    if (problem != NULL && !g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    give_up(kept, SYNCD_UNKEPT_SPACE);
    return true;
}

static bool add_piece(SyncdKeeping *self, SyncdBytes piece, GError **error)
{
    while (piece.size > 0 && self->kept->chunks != NULL) {
        size_t size = MIN(piece.size, SYNCD_FILE_CHUNK - self->part->len);
        g_byte_array_append(self->part, piece.data, (guint)size);
        piece = SYNCD_BYTES((const guint8 *)piece.data + size, piece.size - size);
        if (self->part->len == SYNCD_FILE_CHUNK && !put_part(self, false, error))
            return false;
    }
    return true;
}

static bool refuse(GError **error)
{
    syncd_set_error(error, SYNCD_ERROR_INVALID_ENCODING,
                    "The reader of the workspace sends the bytes of a file out of their order");
    return false;
}

bool syncd_keeping_take(SyncdKeeping *self, const SyncdWireMessage *bytes, GError **error)
{
    if (bytes->offset == 0)
        begin_anew(self);
    if (bytes->offset != self->offset)
        return refuse(error);
    if (self->kept == NULL)
        self->kept = kept_new(self);
    self->offset += bytes->bytes.size;
    if (self->offset > self->root->keep_max)
        return refuse(error);
    return add_piece(self, bytes->bytes, error);
}

/* All bytes have come; of a file without any nothing has. */
static bool end_kept(SyncdKeeping *self, guint64 size, GError **error)
{
    if (size != self->offset)
        return refuse(error);
    if (self->kept == NULL)
        self->kept = kept_new(self);
    return self->part->len == 0 || put_part(self, size <= SYNCD_CONTENT_ROW_MAX, error);
}

bool syncd_keeping_end(SyncdKeeping *self, const SyncdWireMessage *found, SyncdKept **ret_kept,
                       GError **error)
{
    bool hashed = (found->flags & SYNCD_WIRE_HASHED) != 0;
    bool kept = (found->flags & SYNCD_WIRE_KEPT) != 0;
    *ret_kept = NULL;
    if (!kept || found->stat.size == 0)
        begin_anew(self);
    if (!self->root->keeps || !hashed)
        return true;
    if (kept && !end_kept(self, found->stat.size, error))
        return false;
    if (!kept) {
        self->kept = kept_new(self);
        give_up(self->kept, SYNCD_UNKEPT_SIZE);
    }
    *ret_kept = g_steal_pointer(&self->kept);
    begin_anew(self);
    return true;
}

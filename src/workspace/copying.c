/*
 * What a file holds that is about to be replaced: it is read once more, and kept in the ledger of
 * repairs, whole and durable, before anything is put in its place; it is written as it comes. What
 * is not what it was expected to be is not kept.
 *
 * In the same way a file is read whose bytes a repair may lack: they are offered to it as they
 * come, a chunk's worth at a time, and whether they are the right ones is told by the chunks'
 * names.
 */
#include "store/chunks.h"
#include "store/refill.h"
#include "store/repair-store.h"
#include "workspace/workspace-private.h"

#include <errno.h>

struct SyncdCopying {
    GByteArray *bytes;     /* that were not offered yet */
    guint64 offset;        /* behind those that were, or were written */
    SyncdWriting *writing; /* NULL: nothing has come yet, or it cannot be written … */
    GError *unwritten;     /* … which is why */
    SyncdHasher *hasher;   /* of what was written */
    SyncdHash expected;
    char *keep_as;   /* NULL: they are offered … */
    bool small;      /* … as a chunk of such a file */
    bool found;      /* all of it has come … */
    bool as_seen;    /* … and is what was expected */
    guint32 problem; /* an errno: why it could not be read */
};

void syncd_workspace_end_copy(SyncdWorkspace *self)
{
    SyncdCopying *copying = g_steal_pointer(&self->copying);
    if (copying == NULL)
        return;
    g_byte_array_unref(copying->bytes);
    syncd_writing_free(copying->writing);
    g_clear_error(&copying->unwritten);
    syncd_hasher_free(copying->hasher);
    g_free(copying->keep_as);
    g_free(copying);
}

void syncd_workspace_copy(SyncdWorkspace *self, const SyncdFolder *folder, const SyncdRestore *what)
{
    syncd_workspace_end_copy(self);
    self->copying = g_new0(SyncdCopying, 1);
    *self->copying = (SyncdCopying){
        .bytes = g_byte_array_new(),
        .hasher = syncd_hasher_new(),
        .expected = what->expected,
        .keep_as = g_strdup(what->offers ? NULL : what->keep_as),
        .small = what->size <= SYNCD_CONTENT_ROW_MAX,
    };
    syncd_workspace_look_copying(self, folder, SYNCD_BYTES_TEXT(what->name),
                                 what->offers ? what->size : SYNCD_RESTORE_KEPT_MAX);
}

/* ---- what comes ---- */

static bool offer(SyncdWorkspace *self, GError **error)
{
    SyncdCopying *copying = self->copying;
    GByteArray *part = copying->bytes;
    if (part->len == 0)
        return true;
    copying->offset += part->len;
    bool taken = syncd_store_offer_part(syncd_service_store(self->service), self->root->scope_id,
                                        SYNCD_BYTES(part->data, part->len), copying->small, error);
    g_byte_array_set_size(part, 0);
    return taken;
}

static bool offer_full_parts(SyncdWorkspace *self, SyncdBytes bytes, GError **error)
{
    GByteArray *part = self->copying->bytes;
    while (bytes.size > 0) {
        size_t size = MIN(bytes.size, SYNCD_FILE_CHUNK - part->len);
        g_byte_array_append(part, bytes.data, (guint)size);
        bytes = SYNCD_BYTES((const guint8 *)bytes.data + size, bytes.size - size);
        if (part->len == SYNCD_FILE_CHUNK && !offer(self, error))
            return false;
    }
    return true;
}

static void begin(SyncdWorkspace *self)
{
    SyncdCopying *copying = self->copying;
    g_byte_array_set_size(copying->bytes, 0);
    copying->offset = 0;
    syncd_hasher_finish(copying->hasher);
    g_clear_pointer(&copying->writing, syncd_writing_free);
    g_clear_error(&copying->unwritten);
    if (copying->keep_as != NULL)
        copying->writing = syncd_store_begin_repair(syncd_service_store(self->service),
                                                    copying->keep_as, &copying->unwritten);
}

/* What cannot be written is said when all has come. */
static bool write_piece(SyncdWorkspace *self, SyncdBytes bytes)
{
    SyncdCopying *copying = self->copying;
    copying->offset += bytes.size;
    syncd_hasher_update(copying->hasher, bytes.data, bytes.size);
    if (copying->writing != NULL &&
        !syncd_store_add_repair(syncd_service_store(self->service), copying->writing, bytes,
                                &copying->unwritten))
        g_clear_pointer(&copying->writing, syncd_writing_free);
    return true;
}

static bool take_bytes(SyncdWorkspace *self, const SyncdWireMessage *message, GError **error)
{
    SyncdCopying *copying = self->copying;
    guint64 max = copying->keep_as != NULL ? SYNCD_RESTORE_KEPT_MAX : SYNCD_FILE_KEPT_MAX;
    if (message->offset == 0)
        begin(self);
    guint64 came = copying->offset + copying->bytes->len;
    if (message->offset != came || message->bytes.size > max - came) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ENCODING,
                        "The reader of the workspace sends the bytes of a file out of their order");
        return false;
    }
    return copying->keep_as != NULL ? write_piece(self, message->bytes)
                                    : offer_full_parts(self, message->bytes, error);
}

/* It is believed in nothing: the digest is of what came. What was offered is known by its names. */
static void take_found(SyncdWorkspace *workspace, const SyncdWireMessage *message)
{
    SyncdCopying *self = workspace->copying;
    if ((message->flags & SYNCD_WIRE_KEPT) == 0) {
        self->problem = message->error != 0 ? message->error : EFBIG;
        return;
    }
    if (self->offset == 0 && self->bytes->len == 0)
        begin(workspace);
    SyncdHash hash = syncd_hasher_finish(self->hasher);
    self->found = true;
    self->as_seen = self->keep_as == NULL || syncd_hash_equal(&hash, &self->expected);
}

static void finish(SyncdWorkspace *self, guint32 problem)
{
    g_autoptr(GError) error = NULL;
    SyncdCopying *copying = self->copying;
    guint32 why = problem != 0 ? problem : copying->problem;
    bool came = why == 0 && copying->found && copying->as_seen;
    if (came && copying->keep_as == NULL)
        offer(self, &error);
    else if (came && copying->writing != NULL)
        syncd_writing_publish(copying->writing, &error);
    else if (came)
        g_propagate_error(&error, g_steal_pointer(&copying->unwritten));
    else if (why == 0 || why == ENOENT || why == ENOTDIR || why == ELOOP)
        syncd_set_error_next(&error, SYNCD_ERROR_STALE_DIGEST,
                             "see what would be done now, and agree to that",
                             "What is there has changed since it was found");
    else
        syncd_set_error(&error, SYNCD_ERROR_FAILED, "What is there cannot be read and kept: %s",
                        g_strerror((int)why));
    syncd_workspace_end_copy(self);
    syncd_workspace_copied(self, error);
}

bool syncd_workspace_take_copied(SyncdWorkspace *self, const SyncdWireMessage *message,
                                 GError **error)
{
    if (self->copying == NULL) /* whoever wanted it has ended */
        return true;
    if (message->type == SYNCD_WIRE_BYTES)
        return take_bytes(self, message, error);
    if (message->type == SYNCD_WIRE_FOUND)
        take_found(self, message);
    else if (message->type == SYNCD_WIRE_DONE)
        finish(self, message->error);
    return true;
}

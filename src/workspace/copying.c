/*
 * What a file holds that is about to be replaced: it is read once more, and kept in the ledger of
 * repairs, whole and durable, before anything is put in its place. What is not what it was expected
 * to be is not kept.
 */
#include "store/repair-store.h"
#include "workspace/workspace-private.h"

#include <errno.h>

struct SyncdCopying {
    GByteArray *bytes;
    SyncdHash expected;
    char *keep_as;
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
    g_free(copying->keep_as);
    g_free(copying);
}

void syncd_workspace_copy(SyncdWorkspace *self, const SyncdFolder *folder, SyncdBytes name,
                          const SyncdHash *expected, const char *keep_as)
{
    syncd_workspace_end_copy(self);
    self->copying = g_new0(SyncdCopying, 1);
    *self->copying = (SyncdCopying){
        .bytes = g_byte_array_new(), .expected = *expected, .keep_as = g_strdup(keep_as)};
    syncd_workspace_look_copying(self, folder, name, SYNCD_RESTORE_KEPT_MAX);
}

static bool take_bytes(SyncdCopying *self, const SyncdWireMessage *message, GError **error)
{
    if (message->offset == 0)
        g_byte_array_set_size(self->bytes, 0);
    if (message->offset != self->bytes->len ||
        message->bytes.size > SYNCD_RESTORE_KEPT_MAX - self->bytes->len) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ENCODING,
                        "The reader of the workspace sends the bytes of a file out of their order");
        return false;
    }
    g_byte_array_append(self->bytes, message->bytes.data, (guint)message->bytes.size);
    return true;
}

/* It is believed in nothing: the digest is of what came. */
static void take_found(SyncdCopying *self, const SyncdWireMessage *message)
{
    if ((message->flags & SYNCD_WIRE_KEPT) == 0) {
        self->problem = message->error != 0 ? message->error : EFBIG;
        return;
    }
    SyncdHash hash = syncd_hash(self->bytes->data, self->bytes->len);
    self->found = true;
    self->as_seen = syncd_hash_equal(&hash, &self->expected);
}

static void finish(SyncdWorkspace *self, guint32 problem)
{
    g_autoptr(GError) error = NULL;
    const SyncdCopying *copying = self->copying;
    guint32 why = problem != 0 ? problem : copying->problem;
    if (why == 0 && copying->found && copying->as_seen)
        syncd_store_put_repair(syncd_service_store(self->service), copying->keep_as,
                               SYNCD_BYTES(copying->bytes->data, copying->bytes->len), &error);
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
        return take_bytes(self->copying, message, error);
    if (message->type == SYNCD_WIRE_FOUND)
        take_found(self->copying, message);
    else if (message->type == SYNCD_WIRE_DONE)
        finish(self, message->error);
    return true;
}

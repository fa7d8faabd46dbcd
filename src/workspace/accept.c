/*
 * What is in a file becomes a version of it, as whoever asked agreed to it by the digest: the file
 * is read once more, and what comes of that is recorded and kept in one. Bytes that are others by
 * then are a change like any other, and nothing was agreed to. It is the end of it, or what comes
 * first where the recorded bytes are put back: what nobody recorded is lost by no restoring.
 */
#include "workspace/restore-private.h"

#include "service/file-mismatch.h"

#include <string.h>

bool syncd_workspace_accepts(const SyncdWorkspace *self, const SyncdQuestion *question,
                             const SyncdFileRow *row, const SyncdWireMessage *found)
{
    const SyncdRestoring *restoring = self->restoring;
    return restoring != NULL && restoring->what->accepts &&
           restoring->stage == SYNCD_RESTORE_CHECK && question->type == SYNCD_WIRE_LOOK &&
           question->hashing && !question->deep && (found->flags & SYNCD_WIRE_HASHED) != 0 &&
           row->folder == restoring->folder.id &&
           syncd_bytes_are(found->name, restoring->what->name) &&
           syncd_file_is_mismatch(row, &found->hash) &&
           syncd_hash_equal(&found->hash, &restoring->what->expected);
}

/* By the rule it would be kept, and there was no room when it was read. */
static bool lacks_room(const SyncdWorkspace *self, const SyncdWireMessage *found,
                       const SyncdKept *kept)
{
    return self->root->keeps && found->stat.size <= self->root->keep_max &&
           (kept == NULL || kept->chunks == NULL);
}

/* Whoever planned that knows the rule already by which it is kept. */
static bool would_be_lost(const SyncdWorkspace *self, const SyncdWireMessage *found)
{
    return !syncd_restore_only_accepts(self->restoring->what) &&
           !syncd_root_keeps_replaced(self->root, found->stat.size);
}

/* What comes back may be what would be dropped now: the entry that has it in its place drops. */
static bool write_document(SyncdWorkspace *self, const SyncdFileRow *row,
                           const SyncdWireMessage *found, const SyncdKept *kept, GString *text,
                           GError **error)
{
    char object[SYNCD_FILE_ID_SIZE];
    g_autoptr(GArray) dropped = syncd_file_dropped_new();
    SyncdFileChangesWriter writer;
    SyncdFileChange change =
        syncd_file_change(&found->stat, SYNCD_BYTES_TEXT(self->restoring->folder.object),
                          found->name, SYNCD_BYTES_TEXT(""), &found->hash);
    if (!syncd_store_file_id(syncd_service_store(self->service), row->id, object, error) ||
        (syncd_restore_only_accepts(self->restoring->what) &&
         !syncd_recorder_find_dropped(self->recorder, row->id, row->version, dropped, error)))
        return false;
    change.object = SYNCD_BYTES_TEXT(object);
    change.content = syncd_kept_content(kept);
    change.content.dropped = dropped;
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_ACCEPT);
    syncd_file_changes_add(&writer, &change);
    syncd_file_changes_end(&writer);
    return true;
}

static bool record(SyncdWorkspace *self, const SyncdFileRow *row, const SyncdWireMessage *found,
                   const SyncdKept *kept, GError **error)
{
    SyncdRestoring *restoring = self->restoring;
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdDraftRow content;
    guint64 pos;
    bool small = syncd_kept_row(kept, &content);
    if (!write_document(self, row, found, kept, text, error))
        return false;
    restoring->operation = syncd_service_new_operation(self->service);
    restoring->file = row->id;
    restoring->version = row->version + 1;
    const SyncdFilesDraft draft = {
        .kind = "object.changed",
        .operation = restoring->operation,
        .content = SYNCD_BYTES(text->str, text->len),
        .rows = small ? &content : NULL,
        .n_rows = small,
        .caller = &restoring->what->caller,
    };
    if (!syncd_service_record_files(self->service, self->root, &draft, &pos, error))
        return false;
    syncd_restoring_wait(self, row->id, pos, &found->stat);
    return true;
}

void syncd_workspace_accept(SyncdWorkspace *self, const SyncdFileRow *row,
                            const SyncdWireMessage *found, SyncdKept *kept)
{
    g_autoptr(SyncdKept) content = kept;
    g_autoptr(GError) problem = NULL;
    if (lacks_room(self, found, content))
        syncd_restoring_fail(self, SYNCD_ERROR_NO_SPACE, "make room, and try again",
                             "there is no room to keep what is in it");
    else if (would_be_lost(self, found))
        syncd_restoring_fail(self, SYNCD_ERROR_BUSY, "try again in a moment",
                             "what is in it is not kept yet by the new rule of its workspace");
    else if (!record(self, row, found, content, &problem))
        syncd_workspace_end_restore(self, problem);
}

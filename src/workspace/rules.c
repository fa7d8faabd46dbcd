#include "workspace/workspace-private.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>

bool syncd_workspace_ignores(const SyncdWorkspace *self, const SyncdFolder *folder, SyncdBytes name,
                             SyncdFileKind kind)
{
    /* Nobody knows what it is. */
    if (kind == 0)
        return syncd_workspace_ignores_any(self, folder, name);
    return syncd_ignore_has(self->rules, SYNCD_BYTES_TEXT(folder->path), name,
                            kind == SYNCD_FILE_FOLDER);
}

bool syncd_workspace_ignores_any(const SyncdWorkspace *self, const SyncdFolder *folder,
                                 SyncdBytes name)
{
    SyncdBytes path = SYNCD_BYTES_TEXT(folder->path);
    return syncd_ignore_has(self->rules, path, name, false) &&
           syncd_ignore_has(self->rules, path, name, true);
}

void syncd_workspace_count_ignored(SyncdWorkspace *self, guint64 folder, guint n)
{
    if (n > 0)
        g_hash_table_insert(self->ignored, SYNCD_NUMBER(folder), GUINT_TO_POINTER(n));
    else
        g_hash_table_remove(self->ignored, SYNCD_NUMBER(folder));
}

/* ---- rules that change ---- */

static void refuse(SyncdWorkspace *self, const SyncdFolder *folder, const char *reason)
{
    g_hash_table_add(self->unruled, g_strdup(folder->path));
    syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE,
              "The ignore rules in the folder \"%s\" of %s do not hold: %s", folder->path,
              self->root->workspace, reason);
}

void syncd_workspace_take_rules(SyncdWorkspace *self, const SyncdQuestion *question,
                                const SyncdWireMessage *ruled)
{
    const SyncdFolder *folder = &question->folder;
    SyncdBytes path = SYNCD_BYTES_TEXT(folder->path);
    /* It is being written to, and is told of again. */
    if (ruled->error == EAGAIN)
        return;
    if (ruled->error != 0)
        refuse(self, folder,
               ruled->error == EFBIG ? "they are too long" : g_strerror((int)ruled->error));
    if (syncd_ignore_set(self->rules, path, ruled->bytes) == SYNCD_IGNORE_REFUSED)
        refuse(self, folder, "they are more than there may be");
}

bool syncd_workspace_check_rules(SyncdWorkspace *self, guint64 id, SyncdBytes name, GError **error)
{
    SyncdFolder folder;
    bool found;
    if (!syncd_bytes_are(name, SYNCD_IGNORE_FILE))
        return true;
    if (!syncd_workspace_find_folder(self, id, &folder, &found, error))
        return false;
    /* Also when it was looked into just now. */
    if (found)
        g_array_append_val(self->next_folders, folder);
    self->ruled |= found;
    return true;
}

void syncd_workspace_move_rules(SyncdWorkspace *self, const char *from, const char *to)
{
    syncd_ignore_move(self->rules, SYNCD_BYTES_TEXT(from), SYNCD_BYTES_TEXT(to));
}

/* ---- shared rules ---- */

void syncd_workspace_tell_rules(SyncdWorkspace *self)
{
    const char *text = self->root->ignore;
    SyncdBytes bytes = SYNCD_BYTES_TEXT(text);
    self->unshared = syncd_ignore_set_shared(self->rules, bytes) == SYNCD_IGNORE_REFUSED;
    if (self->unshared) {
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE,
                  "The shared ignore rules of %s do not hold: they are more than there may be",
                  self->root->workspace);
        bytes.size = 0;
    }
    SyncdWireMessage request = {.type = SYNCD_WIRE_RULES, .bytes = bytes};
    syncd_reader_process_ask(self->process, &request);
}

void syncd_workspace_set_rules(SyncdWorkspace *self, const char *text)
{
    if (strcmp(self->root->ignore, text) == 0)
        return;
    g_free(self->root->ignore);
    self->root->ignore = g_strdup(text);
    /* Its directory is the first thing that a reader is told. */
    if (self->opened || !g_queue_is_empty(&self->questions))
        syncd_workspace_tell_rules(self);
    syncd_workspace_scan(self);
}

const SyncdIgnore *syncd_workspace_rules(const SyncdWorkspace *self)
{
    return self->rules;
}

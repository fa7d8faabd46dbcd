#include "cli/checkpoint-file.h"

#include "base/json.h"
#include "cli/file.h"

#include <string.h>

#define FILE_MAX (64u * 1024u)

/* The text itself when it is no JSON document. */
static char *note_of(const char *text, size_t size, GError **error)
{
    if (*text != '{')
        return g_strndup(text, size);
    if (!syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;
    char *note = syncd_json_dup_text(syncd_json_member(syncd_json_root(text, size), "note"));
    if (note == NULL)
        syncd_set_error_next(
            error, SYNCD_ERROR_INVALID_CONTRACT,
            "give a signed note, or what `sourceos-syncd ops checkpoint --json` printed",
            "The document has no `note`");
    return note;
}

char *syncd_checkpoint_read(const char *path, SyncdCheckpoint **ret_checkpoint, GError **error)
{
    size_t size;
    g_autofree char *text = syncd_file_read(path, FILE_MAX, &size, error);
    if (text == NULL)
        return NULL;
    g_autofree char *note = note_of(text, size, error);
    if (note == NULL)
        return NULL;
    if (strlen(note) != size && *text != '{') {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ENCODING, "%s contains a NUL byte", path);
        return NULL;
    }
    SyncdCheckpoint *checkpoint = syncd_checkpoint_parse(note, strlen(note), error);
    if (checkpoint == NULL)
        return NULL;
    *ret_checkpoint = checkpoint;
    return g_steal_pointer(&note);
}

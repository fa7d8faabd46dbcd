#include "cli/document.h"
#include "cli/envelope.h"
#include "cli/file.h"
#include "cli/verbs.h"
#include "domain/evidence.h"
#include "domain/problems.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/* The id is ours, and is nothing but letters, digits and a dash. */
static char *path_of(const char *directory, const GString *envelope)
{
    SyncdJson root = syncd_json_root(envelope->str, envelope->len);
    g_autofree char *id = syncd_json_dup_text(syncd_json_member(root, "evidence_id"));
    g_autofree char *name = g_strconcat(id, ".json", NULL);
    return g_build_filename(directory, name, NULL);
}

/* What lies there under the same id is the same evidence, unless somebody tampered with it. */
static bool take_existing(const char *path, GString *envelope, GError **error)
{
    size_t size;
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    g_autofree char *text = syncd_file_read(path, SYNCD_JSON_MAX_SIZE, &size, error);
    if (text == NULL)
        return false;
    SyncdJson root = syncd_json_root(envelope->str, envelope->len);
    g_autofree char *id = syncd_json_dup_text(syncd_json_member(root, "evidence_id"));
    bool same = syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, NULL) &&
                syncd_json_is(syncd_json_member(syncd_json_root(text, size), "evidence_id"), id);
    if (same)
        syncd_evidence_check(syncd_json_root(text, size), NULL, problems);
    if (!same || problems->len > 0) {
        syncd_set_error_next(error, SYNCD_ERROR_FAILED,
                             "evidence is never overwritten: look into that file, or write to "
                             "another directory",
                             "There is a file %s already, and it is not this evidence", path);
        return false;
    }
    g_string_assign(envelope, text);
    return true;
}

static bool publish(const char *path, GString *envelope, GError **error)
{
    bool existed = false;
    g_autoptr(GString) pretty = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, pretty, true);
    syncd_json_value(&writer, syncd_json_root(envelope->str, envelope->len));
    g_string_append_c(pretty, '\n');
    if (!syncd_file_create(path, pretty->str, pretty->len, &existed, error))
        return false;
    return !existed || take_existing(path, envelope, error);
}

static void show(SyncdCli *cli, const char *path, const GString *envelope)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "path", path);
    syncd_json_member_value(&writer, "evidence", syncd_json_root(envelope->str, envelope->len));
    syncd_json_end_object(&writer);
    syncd_document_show(cli, text);
}

bool syncd_verb_evidence_write(SyncdCli *cli, GError **error)
{
    g_autoptr(GString) envelope = g_string_new(NULL);
    const char *directory = syncd_document_demand(cli, "output-dir", error);
    if (directory == NULL || !syncd_envelope_make(cli, envelope, error))
        return false;
    if (g_mkdir_with_parents(directory, 0700) < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "Cannot make %s", directory);
        return false;
    }
    g_autofree char *path = path_of(directory, envelope);
    if (!publish(path, envelope, error))
        return false;
    show(cli, path, envelope);
    return true;
}

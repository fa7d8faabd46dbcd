/* What the steps of a plan are about, as far as the daemon tells: a step names a file by its id,
 * and what else was found by the code of the finding. */
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/repair.h"
#include "cli/text.h"
#include "cli/when.h"
#include "client/calls.h"
#include "domain/file-changes.h"

#include <string.h>

#define FILE_ID "file-"
#define TARGET "file/"

/* In its workspace; NULL: the daemon does not tell this caller. */
static char *path_of(SyncdCli *cli, SyncdClient *client, const char *file)
{
    if (client == NULL)
        return NULL;
    g_autofree char *explained =
        syncd_client_explain(client, file, syncd_cli_repair_options(cli), NULL);
    return explained != NULL
               ? syncd_json_dup_text(syncd_json_member(
                     syncd_json_member(syncd_json_root(explained, strlen(explained)), "facts"),
                     "path"))
               : NULL;
}

/* NULL: nobody says. */
static const char *known_path(SyncdCli *cli, SyncdClient *client, GHashTable *paths, const char *id)
{
    if (!g_hash_table_contains(paths, id))
        g_hash_table_insert(paths, g_strdup(id), path_of(cli, client, id));
    return g_hash_table_lookup(paths, id);
}

/* "file/<id>/<digest>" is what a step is about: all of that goes by the path. */
static const char *say_path(GString *out, const char *path, const char *behind)
{
    if (g_str_has_suffix(out->str, TARGET)) {
        g_string_truncate(out, out->len - strlen(TARGET));
        behind += *behind == '/' ? 1 + strspn(behind + 1, G_CSET_DIGITS "abcdef") : 0;
    }
    g_string_append(out, path);
    return behind;
}

char *syncd_cli_repair_with_paths(SyncdCli *cli, SyncdClient *client, GHashTable *paths,
                                  const char *text)
{
    GString *named = g_string_new(NULL);
    char operation[SYNCD_FILE_ID_SIZE];
    guint number;
    for (const char *at; (at = strstr(text, FILE_ID)) != NULL;) {
        size_t size = strspn(at, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-");
        g_autofree char *id = g_strndup(at, size);
        const char *path = syncd_file_id_parse(SYNCD_BYTES(at, size), operation, &number)
                               ? known_path(cli, client, paths, id)
                               : NULL;
        g_string_append_len(named, text, at - text);
        text = at + size;
        if (path != NULL)
            text = say_path(named, path, text);
        else
            g_string_append(named, id);
    }
    g_string_append(named, text);
    return g_string_free(named, FALSE);
}

/* Of what is purged how large it is, too. */
static char *purged_of(SyncdJson step, const char *object)
{
    SyncdJson preview = syncd_json_member(step, "preview");
    g_autofree char *size = g_format_size(syncd_record_number(preview, "bytes") +
                                          syncd_record_number(preview, "chunk_bytes"));
    return g_strdup_printf("%s (%s)", object, size);
}

char *syncd_cli_repair_about(SyncdCli *cli, SyncdClient *client, SyncdJson step)
{
    g_autofree char *target = syncd_record_text(step, "target"),
                    *object = syncd_record_text(step, "object_id");
    if (syncd_json_member(step, "preview").type == SYNCD_JSON_OBJECT)
        return purged_of(step, object);
    if (!g_str_has_prefix(target, "file/"))
        return g_steal_pointer(&target);
    char *path = path_of(cli, client, object);
    return path != NULL ? path : g_steal_pointer(&object);
}

/* ---- what was found ---- */

static bool is_cause(SyncdJson finding, SyncdJson step)
{
    g_autofree char *code = syncd_record_text(finding, "code"),
                    *cause = syncd_record_text(step, "cause"),
                    *kind = syncd_record_text(syncd_json_member(finding, "repair"), "kind"),
                    *id = syncd_record_text(step, "id");
    return strcmp(code, cause) == 0 && strcmp(kind, id) == 0;
}

static void add_evidence(GString *out, SyncdJson finding)
{
    SyncdJsonIter iter;
    SyncdJson item;
    guint64 n = 0, count = syncd_record_number(finding, "count");
    syncd_json_iter_init(&iter, syncd_json_member(finding, "evidence"));
    for (; syncd_json_iter_next(&iter, NULL, &item); n++) {
        g_autofree char *text = syncd_json_dup_text(item),
                        *local = syncd_when_local_within(text != NULL ? text : ""),
                        *safe = syncd_text_safe(local);
        g_string_append_printf(out, "  %s\n", safe);
    }
    if (n > 0 && count > n)
        g_string_append_printf(out, _("  and %u more\n"), (guint)(count - n));
}

static void show_step(SyncdCli *cli, SyncdJson findings, SyncdJson step)
{
    SyncdJsonIter iter;
    SyncdJson finding;
    g_autoptr(GString) evidence = g_string_new(NULL);
    g_autofree char *id = syncd_record_text(step, "id");
    syncd_json_iter_init(&iter, findings);
    while (syncd_json_iter_next(&iter, NULL, &finding))
        if (is_cause(finding, step))
            add_evidence(evidence, finding);
    if (evidence->len > 0)
        syncd_output_wrapped(cli->out, "\n%s:\n%s", id, evidence->str);
}

void syncd_cli_show_repair_causes(SyncdCli *cli, SyncdClient *client, SyncdJson plan)
{
    SyncdJson state = syncd_json_member(plan, "state"), step;
    SyncdJsonIter iter;
    if (!syncd_json_is(state, "preview") && !syncd_json_is(state, "approved"))
        return;
    g_autofree char *diagnosis = syncd_client_diagnose(client, syncd_cli_repair_options(cli), NULL);
    if (diagnosis == NULL)
        return;
    SyncdJson findings =
        syncd_json_member(syncd_json_root(diagnosis, strlen(diagnosis)), "findings");
    syncd_json_iter_init(&iter, syncd_json_member(plan, "steps"));
    while (syncd_json_iter_next(&iter, NULL, &step)) {
        g_autofree char *target = syncd_record_text(step, "target");
        if (!g_str_has_prefix(target, "file/"))
            show_step(cli, findings, step);
    }
}

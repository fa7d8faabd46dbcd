/* What the steps of a plan are about, as far as the daemon tells: a step names a file by its id,
 * and what else was found by the code of the finding. */
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/repair.h"
#include "cli/text.h"
#include "cli/when.h"
#include "client/calls.h"

#include <string.h>

char *syncd_cli_repair_path(SyncdCli *cli, SyncdClient *client, const char *file)
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
    char *path = syncd_cli_repair_path(cli, client, object);
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

#include "cli/agent.h"
#include "cli/copies.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/object-scope.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "client/purge.h"

#include <string.h>

#define LOOK_AGAIN_USEC (50u * 1000u)

static guint64 number_of(const char *document, const char *name)
{
    gint64 number = 0;
    syncd_json_get_int64(syncd_json_member(syncd_json_root(document, strlen(document)), name),
                         &number);
    return (guint64)MAX(number, 0);
}

/* ---- for people ---- */

static void show_unreachable(SyncdCli *cli, const char *document)
{
    SyncdJsonIter iter;
    SyncdJson place;
    syncd_json_iter_init(
        &iter, syncd_json_member(syncd_json_root(document, strlen(document)), "unreachable"));
    syncd_output_wrapped(cli->out, "%s\n", _("Out of reach of any purge:"));
    while (syncd_json_iter_next(&iter, NULL, &place)) {
        g_autofree char *text = syncd_json_dup_text(place);
        g_autofree char *safe = syncd_text_safe(text != NULL ? text : "");
        syncd_output_wrapped(cli->out, "  %s\n", safe);
    }
}

static void show_amount(SyncdCli *cli, const char *document)
{
    g_autofree char *bytes = g_format_size(number_of(document, "bytes")),
                    *chunk_bytes = g_format_size(number_of(document, "chunk_bytes"));
    guint n = (guint)number_of(document, "entries"), chunks = (guint)number_of(document, "chunks");
    g_autofree char *entries =
                        g_strdup_printf(ngettext("%u entry (%s)", "%u entries (%s)", n), n, bytes),
                    *files = g_strdup_printf(ngettext("%u file of large content (%s)",
                                                      "%u files of large content (%s)", chunks),
                                             chunks, chunk_bytes);
    syncd_output_wrapped(cli->out, "%s, %s\n", entries, files);
}

static void show_plan(SyncdCli *cli, const char *plan, const char *digest)
{
    if (syncd_cli_json(cli)) {
        syncd_output_json(cli->out, plan, strlen(plan), true);
        return;
    }
    show_amount(cli, plan);
    if (number_of(plan, "shared_chunks") > 0)
        syncd_output_wrapped(cli->out,
                             ngettext("Of these files %u stays: others need it\n",
                                      "Of these files %u stay: others need them\n",
                                      (guint)number_of(plan, "shared_chunks")),
                             (guint)number_of(plan, "shared_chunks"));
    syncd_copies_show(cli, syncd_json_member(syncd_json_root(plan, strlen(plan)), "copies"));
    show_unreachable(cli, plan);
    syncd_output_line(cli->out, _("Digest of this plan:"), digest);
}

static bool is_proven(const char *report)
{
    return syncd_json_is(syncd_json_member(syncd_json_root(report, strlen(report)), "state"),
                         "proven");
}

static void show_report(SyncdCli *cli, const char *report)
{
    if (syncd_cli_json(cli)) {
        syncd_output_json(cli->out, report, strlen(report), true);
        return;
    }
    SyncdJson root = syncd_json_root(report, strlen(report));
    g_autofree char *operation = syncd_record_text(root, "operation"),
                    *proof = syncd_record_text(root, "proof");
    syncd_output_wrapped(cli->out, _("Purged: operation %s.\n"), operation);
    show_amount(cli, report);
    if (is_proven(report))
        syncd_output_wrapped(cli->out, _("Proven: operation %s.\n"), proof);
    else
        syncd_cli_remark(cli, "%s",
                         _("What held it besides the log is still being cleared; the proof "
                           "follows by itself."));
    show_unreachable(cli, report);
}

/* ---- doing it ---- */

static bool check_expected(const SyncdCli *cli, const char *digest, GError **error)
{
    const char *expected = syncd_cli_value(cli, "digest");
    if (expected == NULL || strcmp(expected, digest) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_STALE_DIGEST, "look at it again with --dry-run",
                         "Nothing was purged: it would be something else by now, %s", digest);
    return false;
}

static bool confirm(SyncdCli *cli, const char *plan, GError **error)
{
    g_autofree char *object = syncd_text_safe(syncd_cli_argument(cli, 0));
    g_autofree char *bytes =
        g_format_size(number_of(plan, "bytes") + number_of(plan, "chunk_bytes"));
    g_autofree char *question = g_strdup_printf(
        _("Purge the object %s for good (%s)? Nothing brings it back."), object, bytes);
    return syncd_cli_confirm(cli, question, error);
}

/* The proof follows when all else is cleared, usually at once; a long log takes longer. */
static char *wait_for_proof(SyncdClient *client, const char *operation, guint64 seconds,
                            GError **error)
{
    gint64 until = g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC);
    for (;;) {
        g_autoptr(GError) problem = NULL;
        g_autofree char *report = syncd_client_purge_report(client, operation, &problem);
        bool late = g_get_monotonic_time() >= until;
        if (report != NULL && (late || is_proven(report)))
            return g_steal_pointer(&report);
        /* While the index is made anew nobody can be told. */
        if (report == NULL && (late || !g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_BUSY))) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return NULL;
        }
        g_usleep(LOOK_AGAIN_USEC);
    }
}

bool syncd_verb_ops_purge(SyncdCli *cli, GError **error)
{
    const char *object = syncd_cli_argument(cli, 0);
    g_autofree char *digest = NULL;
    guint64 seconds;
    if (!syncd_cli_number(cli, "wait", 86400, 30, &seconds, error))
        return false;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_CONSENT, error);
    g_autofree char *scope =
        client != NULL ? syncd_cli_object_scope(cli, client, object, error) : NULL;
    g_autofree char *plan =
        scope != NULL ? syncd_client_plan_purge(client, scope, object, &digest, error) : NULL;
    if (plan == NULL || !check_expected(cli, digest, error))
        return false;
    bool dry = syncd_cli_flag(cli, "dry-run");
    if (dry || (!syncd_cli_json(cli) && !syncd_cli_flag(cli, "yes")))
        show_plan(cli, plan, digest);
    if (dry)
        return true;
    if (!confirm(cli, plan, error))
        return false;
    SyncdCliAgent *agent = syncd_cli_agent_start(cli);
    g_autofree char *operation = syncd_client_purge(client, scope, object, digest, error);
    syncd_cli_agent_stop(agent);
    g_autofree char *report =
        operation != NULL ? wait_for_proof(client, operation, seconds, error) : NULL;
    if (report == NULL)
        return false;
    show_report(cli, report);
    return true;
}

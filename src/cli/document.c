#include "cli/document.h"

#include "cli/file.h"
#include "cli/live-report.h"
#include "cli/registered-key.h"
#include "cli/trusted-key.h"
#include "cli/when.h"
#include "domain/problems.h"

#include <string.h>

#define MAX_AGE_SECONDS G_GUINT64_CONSTANT(3153600000) /* a hundred years */

void syncd_document_clear(SyncdDocument *document)
{
    g_clear_pointer(&document->text, g_free);
}

/* What the strict door has to say, as the reason why the verb could not do its work. */
static bool complain(GError **error, const char *path, const GError *fault)
{
    g_autofree char *sentence = NULL;
    g_autofree char *next = NULL;
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    syncd_error_split(fault->message, &sentence, &next);
    if (next != NULL && g_str_has_suffix(next, "."))
        next[strlen(next) - 1] = '\0'; /* it gets another one */
    syncd_set_error_next(error, SYNCD_ERROR_FAILED,
                         next != NULL ? next : syncd_error_info_of(fault)->next,
                         "Cannot read %s as JSON: %s", name, sentence);
    return false;
}

bool syncd_document_read(SyncdCli *cli, const char *what, SyncdDocument *ret_document,
                         GError **error)
{
    size_t size;
    const char *path = syncd_cli_value(cli, "file");
    if (path == NULL) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE,
                             "give it with --file=FILE, - for standard input", "%s is needed",
                             what);
        return false;
    }
    g_autofree char *text = syncd_file_read(path, SYNCD_JSON_MAX_SIZE, &size, error);
    if (text == NULL)
        return false;
    g_autoptr(GError) fault = NULL;
    if (!syncd_json_check(text, size, SYNCD_JSON_ANY, &fault))
        return complain(error, path, fault);
    ret_document->root = syncd_json_root(text, size);
    ret_document->text = g_steal_pointer(&text);
    return true;
}

void syncd_document_show(SyncdCli *cli, const GString *json)
{
    syncd_output_json(cli->out, json->str, json->len, true);
}

void syncd_document_show_validity(SyncdCli *cli, const GPtrArray *problems)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_bool(&writer, "valid", problems->len == 0);
    syncd_json_member_strings(&writer, "errors", problems);
    syncd_json_end_object(&writer);
    syncd_document_show(cli, text);
    if (problems->len > 0)
        cli->exit = SYNCD_EXIT_NEGATIVE;
}

/* What is no verifier key may be the id of an actor, whose key is in the registry; where nobody can
 * be asked, it is just no key. */
static bool believe(SyncdCli *cli, SyncdAttestationKeys *keys, const char *given, GError **error)
{
    GError *fault = NULL;
    g_autofree char *registered =
        strchr(given, '+') == NULL ? syncd_cli_registered_key(cli, given, &fault) : NULL;
    if (fault != NULL && !g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_UNREACHABLE)) {
        g_propagate_error(error, fault);
        return false;
    }
    g_clear_error(&fault);
    return syncd_attestation_keys_add(keys, registered != NULL ? registered : given, error);
}

/* Those of --key. */
static SyncdAttestationKeys *read_keys(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdAttestationKeys) keys = syncd_attestation_keys_new();
    g_autoptr(GPtrArray) given = syncd_cli_values(cli, "key");
    for (guint i = 0; given->pdata[i] != NULL; i++)
        if (!believe(cli, keys, given->pdata[i], error))
            return NULL;
    return g_steal_pointer(&keys);
}

SyncdAttestationKeys *syncd_document_keys_or_own(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdAttestationKeys) keys = read_keys(cli, error);
    if (keys == NULL || syncd_cli_value(cli, "key") != NULL)
        return g_steal_pointer(&keys);
    g_autofree char *own = syncd_trusted_key_of_device(cli);
    if (own != NULL && !syncd_attestation_keys_add(keys, own, error))
        return NULL;
    return g_steal_pointer(&keys);
}

const char *syncd_document_demand(SyncdCli *cli, const char *option, GError **error)
{
    const char *value = syncd_cli_value(cli, option);
    if (value != NULL && *value != '\0')
        return value;
    g_autofree char *next = g_strdup_printf("give it with --%s=...", option);
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, next, "--%s is needed, and may not be empty",
                         option);
    return NULL;
}

gint64 syncd_document_now(void)
{
    return g_get_real_time();
}

/* ---- reports ---- */

void syncd_judged_report_clear(SyncdJudgedReport *judged)
{
    g_clear_pointer(&judged->judgement, syncd_judgement_free);
    g_clear_pointer(&judged->keys, syncd_attestation_keys_free);
    syncd_document_clear(&judged->document);
}

static bool read_circumstances(SyncdCli *cli, SyncdCircumstances *circumstances, GError **error)
{
    guint64 now = (guint64)syncd_document_now(), max_age;
    const char *at = syncd_cli_value(cli, "at");
    if (!syncd_cli_number(cli, "max-age", MAX_AGE_SECONDS, SYNCD_REPORT_MAX_AGE_SECONDS, &max_age,
                          error))
        return false;
    if (at != NULL && !syncd_when_parse(at, now, &now)) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE,
                             "write it as 2026-05-05T09:30:00Z, 2026-05-05 or 2h",
                             "--at takes a time, not `%s`", at);
        return false;
    }
    circumstances->now_usec = (gint64)now;
    circumstances->max_age_usec = (gint64)(max_age * G_USEC_PER_SEC);
    return true;
}

static bool ask(SyncdCli *cli, SyncdJudgedReport *judged, GError **error)
{
    g_auto(SyncdLiveReport) live = {0};
    if (!syncd_live_report_get(cli, &live, error) ||
        (live.key != NULL && !syncd_attestation_keys_add(judged->keys, live.key, error)))
        return false;
    judged->document.root = syncd_json_root(live.text, strlen(live.text));
    judged->document.text = g_steal_pointer(&live.text);
    return true;
}

static bool judge(SyncdCli *cli, bool live, SyncdJudgedReport *ret_judged, GError **error)
{
    SyncdCircumstances circumstances = {0};
    if (!read_circumstances(cli, &circumstances, error))
        return false;
    g_auto(SyncdJudgedReport) judged = {.keys = read_keys(cli, error)};
    if (judged.keys == NULL ||
        !(live ? ask(cli, &judged, error)
               : syncd_document_read(cli, "A report", &judged.document, error)))
        return false;
    /* It may be younger than the moment at which this began. */
    if (live && syncd_cli_value(cli, "at") == NULL)
        circumstances.now_usec = syncd_document_now();
    circumstances.keys = judged.keys;
    judged.judgement = syncd_judgement_make(judged.document.root, &circumstances);
    *ret_judged = judged;
    judged = (SyncdJudgedReport){0};
    return true;
}

bool syncd_judged_report_read(SyncdCli *cli, SyncdJudgedReport *ret_judged, GError **error)
{
    return judge(cli, false, ret_judged, error);
}

bool syncd_judged_report_get(SyncdCli *cli, SyncdJudgedReport *ret_judged, GError **error)
{
    return judge(cli, syncd_cli_value(cli, "file") == NULL, ret_judged, error);
}

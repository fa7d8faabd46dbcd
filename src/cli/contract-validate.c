#include "base/json-writer.h"
#include "cli/contract-guess.h"
#include "cli/file.h"
#include "cli/i18n.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/words.h"
#include "contract/check.h"
#include "contract/installed.h"

#include <string.h>

/* What was found out about one file. */
typedef struct {
    const char *file;
    char *contract; /* the id it was judged by, NULL with a schema from a file or when there is none
                     */
    bool judged;    /* otherwise `fault` says why not */
    bool valid;
    SyncdSchemaErrors *errors;
    GError *fault;
} Finding;

static void finding_free(gpointer memory)
{
    Finding *finding = memory;
    g_free(finding->contract);
    syncd_schema_errors_free(finding->errors);
    g_clear_error(&finding->fault);
    g_free(finding);
}

/* ---- judging ---- */

/* What documents are judged by: a contract, a schema of somebody's, or what they name. */
typedef struct {
    const char *contract;
    SyncdSchema *schema;
} Measure;

static void measure_clear(Measure *measure)
{
    syncd_schema_free(measure->schema);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Measure, measure_clear)

/* Data has versions of its own: what is found elsewhere than in `schema` is an id only if it is
 * that of a contract, or looks like one. */
static char *named_contract(SyncdJson document, char **ret_other)
{
    g_autofree char *id = syncd_contract_id_of(document);
    bool says_schema = syncd_json_member(document, "schema").type == SYNCD_JSON_STRING;
    if (id == NULL || says_schema || g_str_has_prefix(id, "sourceos.") ||
        syncd_installed_schema_find(id) != NULL)
        return g_steal_pointer(&id);
    *ret_other = g_steal_pointer(&id);
    return NULL;
}

static void say_unnamed(SyncdJson document, const char *other, GError **error)
{
    const char *guess = syncd_contract_guess(document);
    g_autofree char *next = g_strdup_printf(
        "say which with --schema=%s%s; `sourceos-syncd contract list` lists them",
        guess != NULL ? guess : "CONTRACT", guess != NULL ? ", which knows its members best" : "");
    g_autofree char *why =
        other != NULL ? g_strdup_printf(": `%s` is the id of none", other) : g_strdup("");
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, next,
                         "The document does not say which contract it is written to%s", why);
}

static bool judge_by_contract(Finding *finding, const char *contract, SyncdJson document)
{
    g_autofree char *other = NULL;
    finding->contract = contract != NULL ? g_strdup(contract) : named_contract(document, &other);
    if (finding->contract == NULL) {
        say_unnamed(document, other, &finding->fault);
        return false;
    }
    return syncd_contract_check(finding->contract, document, finding->errors, &finding->valid,
                                &finding->fault);
}

static Finding *judge(const char *file, const Measure *measure)
{
    Finding *finding = g_new0(Finding, 1);
    size_t size;
    finding->file = file;
    finding->errors = syncd_schema_errors_new();
    g_autofree char *text = syncd_file_read(file, SYNCD_JSON_MAX_SIZE, &size, &finding->fault);
    if (text == NULL || !syncd_json_check(text, size, SYNCD_JSON_ANY, &finding->fault))
        return finding;
    SyncdJson document = syncd_json_root(text, size);
    finding->judged = measure->schema != NULL
                          ? syncd_schema_validate(measure->schema, document, finding->errors,
                                                  &finding->valid, &finding->fault)
                          : judge_by_contract(finding, measure->contract, document);
    return finding;
}

static SyncdSchema *compile(const char *file, GError **error)
{
    static const SyncdSchemaOptions options = {.find = syncd_installed_schema_text};
    g_autoptr(GError) fault = NULL;
    size_t size;
    g_autofree char *text = syncd_file_read(file, SYNCD_JSON_MAX_SIZE, &size, &fault);
    SyncdSchema *schema =
        text != NULL ? syncd_schema_compile(SYNCD_BYTES(text, size), &options, &fault) : NULL;
    if (schema != NULL)
        return schema;
    /* Whatever is wrong with it: the documents were not judged. */
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(fault->message, &sentence, &next);
    if (next != NULL && g_str_has_suffix(next, "."))
        next[strlen(next) - 1] = '\0';
    syncd_set_error_next(error, SYNCD_ERROR_FAILED, next != NULL ? next : "correct the schema",
                         "The schema %s cannot be used: %s", file, sentence);
    return NULL;
}

static bool complain_unknown(const char *given, GError **error)
{
    const char *nearest = syncd_words_nearest_contract(given);
    g_autofree char *next =
        nearest != NULL ? g_strdup_printf("the nearest contract is %s", nearest)
                        : g_strdup("check the name of the file, or see `sourceos-syncd contract "
                                   "list` for the contracts");
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, next,
                         "--schema: `%s` is no contract, and no file that is there", given);
    return false;
}

static bool take_measure(const char *given, Measure *measure, GError **error)
{
    if (given == NULL)
        return true;
    if (syncd_installed_schema_find(given) != NULL) {
        measure->contract = given;
        return true;
    }
    if (strcmp(given, "-") != 0 && !g_file_test(given, G_FILE_TEST_EXISTS))
        return complain_unknown(given, error);
    measure->schema = compile(given, error);
    return measure->schema != NULL;
}

/* ---- showing ---- */

static const char *verdict_word(const Finding *finding)
{
    return !finding->judged ? "unjudged" : finding->valid ? "valid" : "invalid";
}

static void write_errors(SyncdJsonWriter *writer, const Finding *finding)
{
    syncd_json_name(writer, "errors");
    syncd_json_begin_array(writer);
    for (unsigned i = 0; i < syncd_schema_errors_count(finding->errors); i++) {
        const SyncdSchemaError *error = syncd_schema_errors_get(finding->errors, i);
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "instance_path", error->instance_path);
        syncd_json_member_string(writer, "schema_path", error->schema_path);
        syncd_json_member_string(writer, "message", error->sentence);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
    syncd_json_member_uint(writer, "errors_not_shown",
                           syncd_schema_errors_dropped(finding->errors));
}

static void write_fault(SyncdJsonWriter *writer, const GError *fault)
{
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(fault->message, &sentence, &next);
    syncd_json_name(writer, "error");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "name", syncd_error_info_of(fault)->name);
    syncd_json_member_string(writer, "message", sentence);
    syncd_json_member_string(writer, "hint", next);
    syncd_json_end_object(writer);
}

static void show_json(SyncdCli *cli, const GPtrArray *findings)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_array(&writer);
    for (unsigned i = 0; i < findings->len; i++) {
        const Finding *finding = g_ptr_array_index(findings, i);
        syncd_json_begin_object(&writer);
        syncd_json_member_string(&writer, "file", finding->file);
        syncd_json_member_string(&writer, "contract", finding->contract);
        syncd_json_member_string(&writer, "verdict", verdict_word(finding));
        if (finding->judged)
            write_errors(&writer, finding);
        else
            write_fault(&writer, finding->fault);
        syncd_json_end_object(&writer);
    }
    syncd_json_end_array(&writer);
    syncd_output_json(cli->out, text->str, text->len, true);
}

static void show_errors(SyncdOutput *out, const SyncdSchemaErrors *errors)
{
    for (unsigned i = 0; i < syncd_schema_errors_count(errors); i++) {
        const SyncdSchemaError *error = syncd_schema_errors_get(errors, i);
        g_autofree char *place = syncd_text_safe(error->instance_path);
        g_autofree char *sentence = syncd_text_safe(error->sentence);
        g_autofree char *rule = syncd_text_safe(error->schema_path);
        syncd_output_wrapped(out, "  %s %s (%s)\n", *place != '\0' ? place : _("The document"),
                             sentence, rule);
    }
    if (syncd_schema_errors_dropped(errors) > 0)
        syncd_output_wrapped(out, _("  and %lu more\n"),
                             (unsigned long)syncd_schema_errors_dropped(errors));
}

static void show_text(SyncdOutput *out, const Finding *finding)
{
    g_autofree char *file = syncd_text_safe(finding->file);
    g_autofree char *contract =
        finding->contract != NULL ? syncd_text_safe(finding->contract) : NULL;
    syncd_output_wrapped(out, "%s: ", file);
    if (!finding->judged) {
        g_autofree char *fault = syncd_text_safe(finding->fault->message);
        syncd_output_styled(out, SYNCD_STYLE_BAD, _("not judged"));
        syncd_output_wrapped(out, "\n  %s\n", fault);
        return;
    }
    syncd_output_styled(out, finding->valid ? SYNCD_STYLE_GOOD : SYNCD_STYLE_BAD,
                        finding->valid ? _("valid") : _("not valid"));
    if (contract != NULL)
        syncd_output_wrapped(out, " (%s)", contract);
    syncd_output_text(out, "\n");
    show_errors(out, finding->errors);
}

static SyncdExitCode exit_of(const GPtrArray *findings)
{
    SyncdExitCode worst = SYNCD_EXIT_DONE;
    for (unsigned i = 0; i < findings->len; i++) {
        const Finding *finding = g_ptr_array_index(findings, i);
        if (!finding->judged)
            return SYNCD_EXIT_FAILED;
        if (!finding->valid)
            worst = SYNCD_EXIT_NEGATIVE;
    }
    return worst;
}

bool syncd_verb_contract_validate(SyncdCli *cli, GError **error)
{
    g_auto(Measure) measure = {NULL};
    if (!take_measure(syncd_cli_value(cli, "schema"), &measure, error))
        return false;

    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(finding_free);
    const char *file;
    for (unsigned i = 0; (file = syncd_cli_argument(cli, i)) != NULL; i++)
        g_ptr_array_add(findings, judge(file, &measure));
    if (syncd_cli_json(cli))
        show_json(cli, findings);
    for (unsigned i = 0; i < findings->len && !syncd_cli_json(cli); i++)
        show_text(cli->out, g_ptr_array_index(findings, i));
    cli->exit = exit_of(findings);
    return true;
}

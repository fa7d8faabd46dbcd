#include "base/json-writer.h"
#include "cli/file.h"
#include "cli/i18n.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "contract/check.h"
#include "contract/installed.h"

#include <string.h>

/* What was found out about one file. */
typedef struct {
    const char *file;
    char *contract; /* the id it was judged by, NULL with --schema or when it names none */
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

static bool judge_by_contract(Finding *finding, SyncdJson document)
{
    finding->contract = syncd_contract_id_of(document);
    if (finding->contract == NULL) {
        syncd_set_error_next(&finding->fault, SYNCD_ERROR_NOT_FOUND,
                             "say with --schema=FILE which schema it is to be judged by",
                             "The document does not say which contract it is written to");
        return false;
    }
    return syncd_contract_check(finding->contract, document, finding->errors, &finding->valid,
                                &finding->fault);
}

static Finding *judge(const char *file, const SyncdSchema *schema)
{
    Finding *finding = g_new0(Finding, 1);
    size_t size;
    finding->file = file;
    finding->errors = syncd_schema_errors_new();
    g_autofree char *text = syncd_file_read(file, SYNCD_JSON_MAX_SIZE, &size, &finding->fault);
    if (text == NULL || !syncd_json_check(text, size, SYNCD_JSON_ANY, &finding->fault))
        return finding;
    SyncdJson document = syncd_json_root(text, size);
    finding->judged = schema != NULL ? syncd_schema_validate(schema, document, finding->errors,
                                                             &finding->valid, &finding->fault)
                                     : judge_by_contract(finding, document);
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
        syncd_output_printf(out, "  %s %s (%s)\n", *place != '\0' ? place : _("The document"),
                            sentence, rule);
    }
    if (syncd_schema_errors_dropped(errors) > 0)
        syncd_output_printf(out, _("  and %lu more\n"),
                            (unsigned long)syncd_schema_errors_dropped(errors));
}

static void show_text(SyncdOutput *out, const Finding *finding)
{
    g_autofree char *file = syncd_text_safe(finding->file);
    g_autofree char *contract =
        finding->contract != NULL ? syncd_text_safe(finding->contract) : NULL;
    syncd_output_printf(out, "%s: ", file);
    if (!finding->judged) {
        g_autofree char *fault = syncd_text_safe(finding->fault->message);
        syncd_output_styled(out, SYNCD_STYLE_BAD, _("not judged"));
        syncd_output_printf(out, "\n  %s\n", fault);
        return;
    }
    syncd_output_styled(out, finding->valid ? SYNCD_STYLE_GOOD : SYNCD_STYLE_BAD,
                        finding->valid ? _("valid") : _("not valid"));
    if (contract != NULL)
        syncd_output_printf(out, " (%s)", contract);
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
    const char *schema_file = syncd_cli_value(cli, "schema");
    g_autoptr(SyncdSchema) schema = schema_file != NULL ? compile(schema_file, error) : NULL;
    if (schema_file != NULL && schema == NULL)
        return false;

    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(finding_free);
    const char *file;
    for (unsigned i = 0; (file = syncd_cli_argument(cli, i)) != NULL; i++)
        g_ptr_array_add(findings, judge(file, schema));
    if (syncd_cli_json(cli))
        show_json(cli, findings);
    for (unsigned i = 0; i < findings->len && !syncd_cli_json(cli); i++)
        show_text(cli->out, g_ptr_array_index(findings, i));
    cli->exit = exit_of(findings);
    return true;
}

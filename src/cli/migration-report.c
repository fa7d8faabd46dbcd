#include "cli/migration-report.h"

#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/table.h"
#include "cli/text.h"

#include <string.h>

#define DIGEST_SHOWN (strlen("sha256:") + 12)

static SyncdJson root_of(const GPtrArray *reports, guint i)
{
    return syncd_json_root(reports->pdata[i], strlen(reports->pdata[i]));
}

void syncd_migration_reports_count(const GPtrArray *reports, guint *ret_objects,
                                   guint *ret_failures)
{
    *ret_objects = *ret_failures = 0;
    for (guint i = 0; i < reports->len; i++) {
        *ret_objects += syncd_json_count(syncd_json_member(root_of(reports, i), "objects"));
        *ret_failures += syncd_json_count(syncd_json_member(root_of(reports, i), "failures"));
    }
}

/* ---- for people ---- */

static char *short_digest(SyncdJson row, const char *name)
{
    g_autofree char *digest = syncd_record_text(row, name);
    return strlen(digest) > DIGEST_SHOWN ? g_strndup(digest, DIGEST_SHOWN)
                                         : g_steal_pointer(&digest);
}

static void add_object(SyncdTable *table, SyncdJson row)
{
    g_autofree char *id = syncd_record_text(row, "object_id");
    g_autofree char *before = short_digest(row, "before");
    g_autofree char *after = short_digest(row, "after");
    g_autofree char *operation = syncd_record_text(row, "operation");
    const char *const cells[] = {id, before, after, operation};
    syncd_table_add(table, cells);
}

static char *why(SyncdJson failure)
{
    SyncdJsonIter iter;
    SyncdJson error;
    g_autofree char *reason = syncd_record_text(failure, "reason");
    GString *text = g_string_new(reason);
    syncd_json_iter_init(&iter, syncd_json_member(failure, "errors"));
    for (bool first = true; syncd_json_iter_next(&iter, NULL, &error); first = false) {
        g_autofree char *path = syncd_record_text(error, "path");
        g_autofree char *sentence = syncd_record_text(error, "sentence");
        g_string_append_printf(text, "%s%s%s%s", first ? ": " : "; ", path,
                               *path != '\0' ? " " : "", sentence);
    }
    return g_string_free(text, FALSE);
}

static void add_failure(SyncdTable *table, SyncdJson row)
{
    g_autofree char *id = syncd_record_text(row, "object_id");
    g_autofree char *stays = short_digest(row, "digest");
    g_autofree char *reason = why(row);
    const char *const cells[] = {id, stays, NULL, reason};
    syncd_table_add(table, cells);
}

static void print_objects(SyncdCli *cli, const GPtrArray *reports)
{
    const char *const titles[] = {_("OBJECT"), _("BEFORE"), _("AFTER"), _("ENTRY, OR WHY NOT"),
                                  NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    SyncdJsonIter iter;
    SyncdJson row;
    for (guint i = 0; i < reports->len; i++) {
        syncd_json_iter_init(&iter, syncd_json_member(root_of(reports, i), "objects"));
        while (syncd_json_iter_next(&iter, NULL, &row))
            add_object(table, row);
        syncd_json_iter_init(&iter, syncd_json_member(root_of(reports, i), "failures"));
        while (syncd_json_iter_next(&iter, NULL, &row))
            add_failure(table, row);
    }
    syncd_table_print(table, cli->out);
}

static char *version_of(SyncdJson report, const char *side)
{
    SyncdJson end = syncd_json_member(report, side);
    g_autofree char *id = syncd_record_text(end, "schema_id");
    g_autofree char *version = syncd_record_text(end, "schema_version");
    return g_strconcat(id, "@", version, NULL);
}

/* The matrix speaks of the migration; a rollback goes the other way. */
static const char *side_of(SyncdJson report, const char *word)
{
    bool back = syncd_json_is(syncd_json_member(report, "direction"), "rollback");
    bool from = strcmp(word, "from") == 0;
    return from != back ? "from" : "to";
}

static void print_matrix(SyncdCli *cli, SyncdJson report)
{
    const char *const titles[] = {_("PROGRAMS OF"), _("DOCUMENTS OF"), _("READ"), _("WRITE"), NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    SyncdJsonIter iter;
    SyncdJson row;
    syncd_json_iter_init(&iter, syncd_json_member(report, "compatibility"));
    while (syncd_json_iter_next(&iter, NULL, &row)) {
        bool read = syncd_json_member(row, "read").type == SYNCD_JSON_TRUE;
        bool write = syncd_json_member(row, "write").type == SYNCD_JSON_TRUE;
        g_autofree char *program = syncd_record_text(row, "program");
        g_autofree char *document = syncd_record_text(row, "document");
        g_autofree char *of_program = version_of(report, side_of(report, program));
        g_autofree char *of_document = version_of(report, side_of(report, document));
        const char *const cells[] = {of_program, of_document, read ? _("yes") : _("no"),
                                     write ? _("yes") : _("no")};
        syncd_table_add(table, cells);
    }
    syncd_table_print(table, cli->out);
}

static void print_losses(SyncdCli *cli, SyncdJson report)
{
    SyncdJsonIter iter;
    SyncdJson loss;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_json_iter_init(&iter, syncd_json_member(report, "losses"));
    while (syncd_json_iter_next(&iter, NULL, &loss)) {
        g_autofree char *pointer = syncd_json_dup_text(loss);
        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", pointer);
    }
    g_autofree char *safe = syncd_text_safe(text->str);
    if (text->len > 0)
        syncd_output_wrapped(cli->out, _("Only the log has afterwards what was in: %s\n"), safe);
}

static void print_reports(SyncdCli *cli, const GPtrArray *reports, const char *digest)
{
    guint objects, failures;
    SyncdJson first = root_of(reports, 0);
    bool applied = syncd_json_is(syncd_json_member(first, "status"), "applied");
    g_autofree char *from = version_of(first, "from"), *to = version_of(first, "to");
    g_autofree char *safe_from = syncd_text_safe(from), *safe_to = syncd_text_safe(to);
    syncd_migration_reports_count(reports, &objects, &failures);
    if (objects + failures > 0)
        print_objects(cli, reports);
    print_matrix(cli, first);
    print_losses(cli, first);
    syncd_output_wrapped(
        cli->out,
        applied ? ngettext("From %s to %s: %u object was changed; left as they are: %u.\n",
                           "From %s to %s: %u objects were changed; left as they are: "
                           "%u.\n",
                           objects)
                : ngettext("From %s to %s: %u object would be changed; left as they "
                           "are: %u. Nothing was done.\n",
                           "From %s to %s: %u objects would be changed; left as they "
                           "are: %u. Nothing was done.\n",
                           objects),
        safe_from, safe_to, objects, failures);
    if (digest != NULL)
        syncd_output_line(cli->out, _("Digest:"), digest);
}

void syncd_migration_entries_show(SyncdCli *cli, const GPtrArray *entries)
{
    if (syncd_cli_json(cli) || entries->len == 0)
        return;
    syncd_output_wrapped(cli->out, "%s\n", _("It is taken back, the last page first, with:"));
    for (guint i = entries->len; i > 0; i--) {
        g_autofree char *entry = syncd_text_safe(entries->pdata[i - 1]);
        syncd_output_printf(cli->out, "  sourceos-syncd migrations rollback %s\n", entry);
    }
}

/* ---- for programs ---- */

static void write_reports(SyncdCli *cli, const GPtrArray *reports, const char *digest,
                          const GPtrArray *entries)
{
    SyncdJsonWriter writer;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    if (digest != NULL)
        syncd_json_member_string(&writer, "digest", digest);
    syncd_json_name(&writer, "reports");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < reports->len; i++)
        syncd_json_value(&writer, root_of(reports, i));
    syncd_json_end_array(&writer);
    if (entries != NULL)
        syncd_json_member_strings(&writer, "entries", entries);
    syncd_json_end_object(&writer);
    syncd_output_json(cli->out, text->str, text->len, true);
}

void syncd_migration_reports_show(SyncdCli *cli, const GPtrArray *reports, const char *digest,
                                  const GPtrArray *entries)
{
    guint objects, failures;
    syncd_migration_reports_count(reports, &objects, &failures);
    if (failures > 0)
        cli->exit = SYNCD_EXIT_NEGATIVE;
    if (syncd_cli_json(cli))
        write_reports(cli, reports, digest, entries);
    else
        print_reports(cli, reports, digest);
}

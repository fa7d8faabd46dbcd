#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/ledger.h"
#include "cli/verbs.h"

#define LIMIT_DEFAULT 50u
#define LIMIT_MAX 1000000000u

typedef struct {
    SyncdCli *cli;
    SyncdTable *table;
    SyncdJsonWriter writer;
    GString *json;
    guint64 n;
} Printing;

static void drain(Printing *printing)
{
    syncd_output_json_piece(printing->cli->out, printing->json->str, printing->json->len);
    g_string_truncate(printing->json, 0);
}

static void begin_json(Printing *printing)
{
    syncd_json_begin_object(&printing->writer);
    syncd_json_name(&printing->writer, "evidence");
    syncd_json_begin_array(&printing->writer);
}

static void print_one(void *data, SyncdJson envelope)
{
    Printing *printing = data;
    printing->n++;
    if (!syncd_cli_json(printing->cli)) {
        syncd_ledger_add_row(printing->table, envelope);
        return;
    }
    syncd_json_value(&printing->writer, envelope);
    drain(printing);
}

static void end_json(Printing *printing, const char *cursor)
{
    syncd_json_end_array(&printing->writer);
    syncd_json_member_string(&printing->writer, "cursor", cursor);
    syncd_json_end_object(&printing->writer);
    g_string_append_c(printing->json, '\n');
    drain(printing);
}

static void end_text(Printing *printing, const SyncdLedger *ledger, bool more)
{
    SyncdCli *cli = printing->cli;
    if (printing->n == 0) {
        syncd_cli_remark(cli, "%s", _("There is no such evidence."));
    } else {
        if (!syncd_cli_flag(cli, "no-pager"))
            syncd_output_start_pager(cli->out);
        syncd_table_print(printing->table, cli->out);
    }
    if (more && printing->n > 0)
        syncd_cli_remark(cli, _("There is more: use --limit."));
    if (!ledger->newest_first)
        syncd_cli_remark(cli, _("To go on from here: --oldest-first --cursor=%s"), ledger->cursor);
}

static bool print(SyncdCli *cli, SyncdLedger *ledger, guint64 limit, GError **error)
{
    bool more = false;
    const char *const titles[] = {_("TIME"),      _("TYPE"),     _("WHAT"), _("OBJECT"),
                                  _("OPERATION"), _("EVIDENCE"), NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    g_autoptr(GString) json = g_string_new(NULL);
    Printing printing = {.cli = cli, .table = table, .json = json};
    syncd_json_writer_init(&printing.writer, json, true);
    begin_json(&printing);
    bool done = syncd_ledger_read(ledger, limit, print_one, &printing, &more, error);
    /* What is there stays readable; the error is a document after it. */
    if (syncd_cli_json(cli) && (done || printing.n > 0))
        end_json(&printing, ledger->cursor);
    else if (done)
        end_text(&printing, ledger, more);
    return done;
}

bool syncd_verb_evidence_list(SyncdCli *cli, GError **error)
{
    guint64 limit;
    bool follow = syncd_cli_flag(cli, "follow");
    const char *cursor = syncd_cli_value(cli, "cursor");
    g_auto(SyncdLedger) ledger = {.cli = cli,
                                  .cursor = g_strdup(cursor != NULL ? cursor : ""),
                                  .newest_first = !syncd_cli_flag(cli, "oldest-first")};
    if (!syncd_cli_number(cli, "limit", LIMIT_MAX, LIMIT_DEFAULT, &limit, error) ||
        !syncd_cli_number(cli, "after", G_MAXINT64, 0, &ledger.after, error))
        return false;
    ledger.client = syncd_cli_connect(cli, follow ? SYNCD_CLI_LOOK : SYNCD_CLI_ACT, error);
    if (ledger.client == NULL)
        return false;
    return follow ? syncd_ledger_follow(&ledger, limit, error) : print(cli, &ledger, limit, error);
}

#include "cli/ledger.h"

#include "cli/listing.h"
#include "cli/text.h"
#include "cli/when.h"
#include "client/calls.h"

#include <string.h>

#define PAGE 100u
#define INDENT 4

void syncd_ledger_clear(SyncdLedger *ledger)
{
    g_clear_pointer(&ledger->client, syncd_client_free);
    g_clear_pointer(&ledger->cursor, g_free);
}

/* ---- pages ---- */

static GVariant *options_of(const SyncdLedger *ledger, guint64 left)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    const char *type = syncd_cli_value(ledger->cli, "type");
    g_variant_dict_insert(&options, "limit", "u", (guint32)MIN(left, PAGE));
    g_variant_dict_insert(&options, "order", "s", ledger->newest_first ? "newest" : "oldest");
    if (type != NULL)
        g_variant_dict_insert(&options, "type", "s", type);
    if (*ledger->cursor != '\0')
        g_variant_dict_insert(&options, "cursor", "s", ledger->cursor);
    if (ledger->after > 0)
        g_variant_dict_insert(&options, "after", "t", ledger->after);
    if (syncd_cli_flag(ledger->cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    return g_variant_dict_end(&options);
}

static guint64 hand_out(const char *page, SyncdEnvelopeFunc func, void *data)
{
    guint64 n = 0;
    SyncdJsonIter iter;
    SyncdJson envelope;
    syncd_json_iter_init(&iter, syncd_json_root(page, strlen(page)));
    for (; syncd_json_iter_next(&iter, NULL, &envelope); n++)
        func(data, envelope);
    return n;
}

bool syncd_ledger_read(SyncdLedger *ledger, guint64 limit, SyncdEnvelopeFunc func, void *data,
                       bool *ret_more, GError **error)
{
    guint64 left = limit > 0 ? limit : G_MAXUINT64;
    bool more = true;
    while (more && left > 0 && !syncd_output_is_closed(ledger->cli->out)) {
        g_autofree char *page = NULL, *next = NULL;
        if (!syncd_client_list(ledger->client, SYNCD_CLIENT_EVIDENCE, options_of(ledger, left),
                               &page, &next, error))
            return false;
        guint64 n = hand_out(page, func, data);
        left -= MIN(left, n);
        more = strcmp(next, ledger->cursor) != 0;
        g_free(ledger->cursor);
        ledger->cursor = g_steal_pointer(&next);
    }
    if (ret_more != NULL)
        *ret_more = more;
    return true;
}

/* ---- for people ---- */

enum { TIME, TYPE, WHAT, OBJECT, OPERATION, EVIDENCE, N_CELLS };

typedef struct {
    char *cells[N_CELLS];
} Row;

static void row_clear(Row *row)
{
    for (size_t i = 0; i < N_CELLS; i++)
        g_free(row->cells[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Row, row_clear)

/* A summary says the kind of its entry, a document what it is. */
static char *what_of(SyncdJson artifact)
{
    char *kind = syncd_record_text(artifact, "kind");
    if (*kind != '\0')
        return kind;
    g_free(kind);
    return syncd_record_text(artifact, "schema");
}

static Row row_of(SyncdJson envelope)
{
    SyncdJson artifact = syncd_json_member(envelope, "artifact");
    g_autofree char *generated = syncd_record_text(envelope, "generated_at");
    return (Row){{
        [TIME] = syncd_when_local(generated),
        [TYPE] = syncd_record_text(envelope, "evidence_type"),
        [WHAT] = what_of(artifact),
        [OBJECT] = syncd_record_text(artifact, "object_id"),
        [OPERATION] = syncd_record_text(envelope, "subject"),
        [EVIDENCE] = syncd_record_text(envelope, "evidence_id"),
    }};
}

void syncd_ledger_add_row(SyncdTable *table, SyncdJson envelope)
{
    g_auto(Row) row = row_of(envelope);
    const char *cells[N_CELLS];
    for (size_t i = 0; i < N_CELLS; i++)
        cells[i] = *row.cells[i] != '\0' ? row.cells[i] : NULL;
    syncd_table_add(table, cells);
}

void syncd_ledger_print_line(SyncdOutput *output, SyncdJson envelope)
{
    g_auto(Row) row = row_of(envelope);
    g_autofree char *line = g_strjoin("  ", row.cells[TIME], row.cells[TYPE], row.cells[WHAT],
                                      *row.cells[OBJECT] != '\0' ? row.cells[OBJECT] : "-",
                                      row.cells[OPERATION], row.cells[EVIDENCE], NULL);
    g_autofree char *safe = syncd_text_safe(line);
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_text_wrap(text, safe, 0, INDENT, syncd_output_width(output));
    syncd_output_printf(output, "%s\n", text->str);
}

#include "cli/listing.h"

#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/parse.h"
#include "cli/when.h"

#include <string.h>

#define LIMIT_DEFAULT 50u
#define LIMIT_MAX 1000000000u
#define PAGE 100u

/* ---- records ---- */

char *syncd_record_text(SyncdJson record, const char *name)
{
    SyncdJson value = syncd_json_member(record, name);
    if (value.type == SYNCD_JSON_NONE || value.type == SYNCD_JSON_NULL)
        return g_strdup("");
    char *text = syncd_json_dup_text(value);
    return text != NULL ? text : g_strndup(value.at, (size_t)(value.end - value.at));
}

static bool is_damaged(SyncdJson record)
{
    return syncd_json_member(record, "entry_error").type == SYNCD_JSON_STRING;
}

char *syncd_record_marked(SyncdJson record, const char *name)
{
    g_autofree char *text = syncd_record_text(record, name);
    return is_damaged(record) ? g_strdup_printf(_("%s, DAMAGED"), text) : g_steal_pointer(&text);
}

guint64 syncd_record_number(SyncdJson record, const char *name)
{
    gint64 number;
    bool is_number = syncd_json_get_int64(syncd_json_member(record, name), &number);
    return is_number && number > 0 ? (guint64)number : 0;
}

/* ---- what is asked for ---- */

bool syncd_listing_init(SyncdListing *listing, const SyncdCli *cli, SyncdClientList list,
                        GError **error)
{
    *listing = (SyncdListing){.list = list, .filters = list != SYNCD_CLIENT_TASKS};
    if (!syncd_cli_number(cli, "limit", LIMIT_MAX, LIMIT_DEFAULT, &listing->limit, error))
        return false;
    if (!listing->filters)
        return true;
    listing->oldest_first = syncd_cli_flag(cli, "oldest-first");
    return syncd_cli_number(cli, "after", G_MAXINT64, 0, &listing->after, error);
}

static bool add_time(GVariantDict *options, const SyncdCli *cli, const char *name, GError **error)
{
    const char *text = syncd_cli_value(cli, name);
    guint64 usec;
    if (text == NULL)
        return true;
    if (!syncd_when_parse(text, (guint64)g_get_real_time(), &usec)) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE,
                             "write 2026-05-05T09:30:00Z, `2026-05-05 09:30`, today, yesterday, or "
                             "30m, 2h, 3d for that long ago",
                             "--%s does not understand the time `%s`", name, text);
        return false;
    }
    g_variant_dict_insert(options, name, "t", usec);
    return true;
}

static void add_text(GVariantDict *options, const char *name, const char *text)
{
    if (text != NULL)
        g_variant_dict_insert(options, name, "s", text);
}

static bool add_filters(GVariantDict *options, const SyncdListing *listing, const SyncdCli *cli,
                        GError **error)
{
    add_text(options, "scope", syncd_cli_value(cli, "scope"));
    add_text(options, "actor", syncd_cli_value(cli, "actor"));
    add_text(options, "type", syncd_cli_value(cli, "type"));
    return add_time(options, cli, "since", error) && add_time(options, cli, "until", error);
}

static void add_task_filters(GVariantDict *options, const SyncdCli *cli)
{
    static const char *const names[] = {"scope", "object", "lane", "state"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        add_text(options, names[i], syncd_cli_value(cli, names[i]));
    if (syncd_cli_flag(cli, "stale"))
        g_variant_dict_insert(options, "stale", "b", TRUE);
}

static GVariant *page_options(const SyncdListing *listing, const SyncdCli *cli, const char *cursor,
                              guint64 left, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (listing->filters && !add_filters(&options, listing, cli, error))
        return NULL;
    add_text(&options, "object", listing->object);
    add_text(&options, "operation", listing->operation);
    add_text(&options, "type", listing->type);
    if (listing->list == SYNCD_CLIENT_TASKS)
        add_task_filters(&options, cli);
    else
        add_text(&options, "order", listing->oldest_first ? "oldest" : "newest");
    if (listing->list == SYNCD_CLIENT_OPERATIONS && listing->filters &&
        syncd_cli_flag(cli, "ephemeral"))
        g_variant_dict_insert(&options, "ephemeral", "b", TRUE);
    if (listing->after > 0)
        g_variant_dict_insert(&options, "after", "t", listing->after);
    if (syncd_cli_find_option(cli->verb, "all") != NULL && syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    if (*cursor != '\0')
        add_text(&options, "cursor", cursor);
    g_variant_dict_insert(&options, "limit", "u", (guint32)MIN(left, PAGE));
    return g_variant_ref_sink(g_variant_dict_end(&options));
}

bool syncd_listing_pages(const SyncdListing *listing, const SyncdCli *cli, SyncdClient *client,
                         SyncdPageFunc func, void *data, bool *ret_more, GError **error)
{
    guint64 left = listing->limit > 0 ? listing->limit : G_MAXUINT64;
    g_autofree char *cursor = g_strdup("");
    do {
        g_autoptr(GVariant) options = page_options(listing, cli, cursor, left, error);
        g_autofree char *records = NULL;
        g_autofree char *next = NULL;
        if (options == NULL ||
            !syncd_client_list(client, listing->list, options, &records, &next, error))
            return false;
        SyncdJson array = syncd_json_root(records, strlen(records));
        left -= MIN(left, syncd_json_count(array));
        g_free(cursor);
        cursor = g_steal_pointer(&next);
        if (!func(data, array))
            break;
    } while (*cursor != '\0' && left > 0);
    if (ret_more != NULL)
        *ret_more = *cursor != '\0';
    return true;
}

/* ---- printing ---- */

typedef struct {
    SyncdCli *cli;
    const SyncdListingView *view;
    guint64 count, damaged;
    SyncdJsonWriter writer;
    GString *json;
} Printing;

static void print_json(Printing *printing, SyncdJson record)
{
    if (printing->count == 0)
        syncd_json_begin_array(&printing->writer);
    syncd_json_value(&printing->writer, record);
}

static bool json_has_begun(const Printing *printing)
{
    return syncd_cli_json(printing->cli) && printing->count > 0;
}

static void drain_json(Printing *printing)
{
    syncd_output_json_piece(printing->cli->out, printing->json->str, printing->json->len);
    g_string_truncate(printing->json, 0);
}

static bool print_page(void *data, SyncdJson records)
{
    Printing *printing = data;
    SyncdCli *cli = printing->cli;
    bool json = syncd_cli_json(cli);
    SyncdJsonIter iter;
    SyncdJson record;
    syncd_json_iter_init(&iter, records);
    for (; syncd_json_iter_next(&iter, NULL, &record); printing->count++) {
        if (json) {
            print_json(printing, record);
            continue;
        }
        if (printing->count == 0 && !syncd_cli_flag(cli, "no-pager"))
            syncd_output_start_pager(cli->out);
        printing->view->record(cli, printing->view->data, record);
        printing->damaged += is_damaged(record);
    }
    if (json_has_begun(printing))
        drain_json(printing);
    else if (printing->view->page_end != NULL)
        printing->view->page_end(cli, printing->view->data);
    return !syncd_output_is_closed(cli->out);
}

static void remark_damaged(const Printing *printing)
{
    if (printing->damaged == 0)
        return;
    unsigned long n = (unsigned long)printing->damaged;
    syncd_cli_remark(printing->cli,
                     ngettext("%lu of these is damaged: what is shown of it may not be what was "
                              "recorded. Next: run `sourceos-syncd doctor`.",
                              "%lu of these are damaged: what is shown of them may not be what was "
                              "recorded. Next: run `sourceos-syncd doctor`.",
                              n),
                     n);
}

static void end_json(Printing *printing)
{
    if (printing->count == 0)
        syncd_json_begin_array(&printing->writer);
    syncd_json_end_array(&printing->writer);
    g_string_append_c(printing->json, '\n');
    drain_json(printing);
}

bool syncd_listing_print(const SyncdListing *listing, SyncdCli *cli, SyncdClient *client,
                         const SyncdListingView *view, GError **error)
{
    g_autoptr(GString) json = g_string_new(NULL);
    Printing printing = {.cli = cli, .view = view, .json = json};
    syncd_json_writer_init(&printing.writer, json, true);
    bool more = false;
    if (!syncd_listing_pages(listing, cli, client, print_page, &printing, &more, error)) {
        /* What is there stays readable; the error is a document after it. */
        if (json_has_begun(&printing))
            end_json(&printing);
        return false;
    }
    if (printing.count == 0 && listing->must_find) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "list what there is with `sourceos-syncd ops list`",
                             "Nothing is recorded about `%s` (%s instance)", listing->object,
                             syncd_client_instance_name(syncd_client_instance(client)));
        return false;
    }
    if (syncd_cli_json(cli))
        end_json(&printing);
    else if (printing.count == 0 && view->nothing != NULL)
        syncd_cli_remark(cli, "%s", view->nothing);
    else if (more && !syncd_output_is_closed(cli->out))
        syncd_cli_remark(cli, _("There is more: use --limit."));
    remark_damaged(&printing);
    return true;
}

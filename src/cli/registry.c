#include "cli/registry.h"

#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/parse.h"
#include "cli/record.h"
#include "cli/registry-find.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "client/registry.h"

#include <string.h>

#define LIMIT_DEFAULT 50u
#define LIMIT_MAX 1000000000u
#define PAGE 100u

static const struct {
    const char *group;
    SyncdFamilyId family;
} groups[] = {
    {"actors", SYNCD_FAMILY_ACTOR},         {"devices", SYNCD_FAMILY_DEVICE},
    {"profiles", SYNCD_FAMILY_PROFILE},     {"schemas", SYNCD_FAMILY_SCHEMA},
    {"objects", SYNCD_FAMILY_OBJECT},       {"workspaces", SYNCD_FAMILY_WORKSPACE},
    {"plans", SYNCD_FAMILY_PLAN},           {"encryption-profiles", SYNCD_FAMILY_ENCRYPTION},
    {"migrations", SYNCD_FAMILY_MIGRATION},
};

const SyncdFamily *syncd_cli_family(const SyncdCli *cli)
{
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        if (strcmp(groups[i].group, cli->verb->group) == 0)
            return syncd_family(groups[i].family);
    g_assert_not_reached();
}

const char *syncd_cli_group_of(const SyncdFamily *family)
{
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        if (syncd_family(groups[i].family) == family)
            return groups[i].group;
    return NULL;
}

char *syncd_cli_record_of(const char *shown)
{
    SyncdJson record = syncd_json_member(syncd_json_root(shown, strlen(shown)), "record");
    return record.type == SYNCD_JSON_OBJECT ? g_strndup(record.at, syncd_json_size(record)) : NULL;
}

/* ---- list ---- */

static char *first_text(SyncdJson record, const char *const *names)
{
    for (; *names != NULL; names++) {
        char *text = syncd_record_text(record, *names);
        if (*text != '\0')
            return text;
        g_free(text);
    }
    return g_strdup("");
}

/* A schema's own is in its id. */
static bool has_schema(const SyncdFamily *family)
{
    return family->columns[SYNCD_COLUMN_SCHEMA] != NULL && family->version == NULL;
}

/* "schema:note@v1" of what is written by a schema. */
static char *schema_of(const SyncdFamily *family, SyncdJson record)
{
    const char *member = family->columns[SYNCD_COLUMN_SCHEMA];
    bool migrates = family == syncd_family(SYNCD_FAMILY_MIGRATION);
    g_autofree char *schema = syncd_record_text(record, member);
    g_autofree char *version =
        syncd_record_text(record, migrates ? "from_schema_version" : "schema_version");
    return *version != '\0' ? g_strconcat(schema, "@", version, NULL) : g_steal_pointer(&schema);
}

static void add_row(const SyncdFamily *family, SyncdTable *table, SyncdJson row)
{
    static const char *const names[] = {"display_name", "title", "user_explanation", NULL};
    static const char *const times[] = {"updated_at", "created_at", NULL};
    const char *type_member = family->columns[SYNCD_COLUMN_TYPE];
    SyncdJson record = syncd_json_member(row, "record");
    g_autofree char *id = syncd_record_text(row, "id");
    g_autofree char *state = syncd_record_text(row, "state");
    g_autofree char *scope = syncd_record_text(row, "scope");
    g_autofree char *type =
        type_member != NULL ? syncd_record_text(record, type_member) : g_strdup("");
    g_autofree char *name = first_text(record, names);
    g_autofree char *changed = first_text(record, times);
    g_autofree char *time = syncd_when_local(changed);
    g_autofree char *schema = has_schema(family) ? schema_of(family, record) : NULL;
    const char *const with_schema[] = {id, state, type, name, schema, scope, time};
    const char *const without[] = {id, state, type, name, scope, time};
    syncd_table_add(table, has_schema(family) ? with_schema : without);
}

/* "notes" is "workspace:notes", as it is wherever a record is named. */
static char *filter_of(const char *name, const char *value)
{
    bool is_scope = strcmp(name, "workspace") == 0 || strcmp(name, "profile") == 0;
    return is_scope && strchr(value, ':') == NULL ? g_strconcat(name, ":", value, NULL)
                                                  : g_strdup(value);
}

static GVariant *list_options(const SyncdCli *cli, const char *cursor, guint64 left)
{
    static const char *const filters[] = {"state",     "scope",   "type",
                                          "workspace", "profile", "schema"};
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(filters); i++) {
        bool is_one = syncd_cli_find_option(cli->verb, filters[i]) != NULL;
        const char *value = is_one ? syncd_cli_value(cli, filters[i]) : NULL;
        g_autofree char *filter = value != NULL ? filter_of(filters[i], value) : NULL;
        if (filter != NULL)
            g_variant_dict_insert(&options, filters[i], "s", filter);
    }
    if (syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    if (*cursor != '\0')
        g_variant_dict_insert(&options, "cursor", "s", cursor);
    g_variant_dict_insert(&options, "limit", "u", (guint32)MIN(left, PAGE));
    return g_variant_dict_end(&options);
}

typedef struct {
    SyncdCli *cli;
    const SyncdFamily *family;
    SyncdTable *table;
    SyncdJsonWriter *writer;
    guint64 left;
    guint64 n;
} Listing;

static bool take_page(Listing *listing, SyncdClient *client, char **cursor, GError **error)
{
    g_autofree char *records = NULL, *next = NULL;
    if (!syncd_client_list_records(client, listing->family->name,
                                   list_options(listing->cli, *cursor, listing->left), &records,
                                   &next, error))
        return false;
    SyncdJsonIter iter;
    SyncdJson row;
    syncd_json_iter_init(&iter, syncd_json_root(records, strlen(records)));
    for (; syncd_json_iter_next(&iter, NULL, &row); listing->n++, listing->left--) {
        if (syncd_cli_json(listing->cli))
            syncd_json_value(listing->writer, row);
        else
            add_row(listing->family, listing->table, row);
    }
    g_free(*cursor);
    *cursor = g_steal_pointer(&next);
    return true;
}

static void print_list(Listing *listing, const GString *json, bool more)
{
    SyncdCli *cli = listing->cli;
    if (syncd_cli_json(cli)) {
        syncd_output_json(cli->out, json->str, json->len, true);
        return;
    }
    if (listing->n == 0)
        syncd_cli_remark(cli, "%s", _("There are no such records."));
    else if (!syncd_cli_flag(cli, "no-pager"))
        syncd_output_start_pager(cli->out);
    syncd_table_print(listing->table, cli->out);
    if (more)
        syncd_cli_remark(cli, _("There is more: use --limit."));
}

bool syncd_verb_registry_list(SyncdCli *cli, GError **error)
{
    const char *const with_schema[] = {_("ID"),     _("STATE"), _("TYPE"),    _("NAME"),
                                       _("SCHEMA"), _("SCOPE"), _("CHANGED"), NULL};
    const char *const without[] = {_("ID"),    _("STATE"),   _("TYPE"), _("NAME"),
                                   _("SCOPE"), _("CHANGED"), NULL};
    const SyncdFamily *family = syncd_cli_family(cli);
    g_autoptr(SyncdTable) table = syncd_table_new(has_schema(family) ? with_schema : without);
    g_autoptr(GString) json = g_string_new(NULL);
    g_autofree char *cursor = g_strdup("");
    SyncdJsonWriter writer;
    Listing listing = {cli, family, table, &writer, 0, 0};
    if (!syncd_cli_number(cli, "limit", LIMIT_MAX, LIMIT_DEFAULT, &listing.left, error))
        return false;
    if (listing.left == 0)
        listing.left = G_MAXUINT64;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    syncd_json_writer_init(&writer, json, false);
    syncd_json_begin_array(&writer);
    do {
        if (!take_page(&listing, client, &cursor, error))
            return false;
    } while (*cursor != '\0' && listing.left > 0);
    syncd_json_end_array(&writer);
    print_list(&listing, json, *cursor != '\0');
    return true;
}

/* ---- show ---- */

/* Adds the members that `hidden` does not have. */
static void add_members(SyncdJson object, const char *const *without, SyncdJson hidden,
                        SyncdJsonWriter *writer)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *member = syncd_json_dup_string(name, NULL);
        if (!g_strv_contains(without, member) &&
            syncd_json_member(hidden, member).type == SYNCD_JSON_NONE)
            syncd_json_member_value(writer, member, value);
    }
}

/* For people: the record, and what the registry knows of it. That decides where a record says of
 * itself that it is in another state. */
static void print_shown(SyncdCli *cli, const char *shown)
{
    static const char *const beside[] = {"record", "kind", "id", NULL}, *const nothing[] = {NULL};
    SyncdJson root = syncd_json_root(shown, strlen(shown));
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    add_members(syncd_json_member(root, "record"), nothing, root, &writer);
    add_members(root, beside, (SyncdJson){0}, &writer);
    syncd_json_end_object(&writer);
    syncd_record_show(cli, text->str);
}

bool syncd_verb_registry_show(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    g_autofree char *shown = syncd_cli_show_record(cli, client, syncd_cli_argument(cli, 0), error);
    if (shown == NULL)
        return false;
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, shown, strlen(shown), true);
    else
        print_shown(cli, shown);
    if (syncd_cli_family(cli) == syncd_family(SYNCD_FAMILY_MIGRATION))
        syncd_cli_remark(cli, "%s",
                         _("What it has done is listed by `sourceos-syncd events list "
                           "--type=sync.schema.migrated`, and taken back by `sourceos-syncd "
                           "migrations rollback` with the OPERATION of such an event."));
    return true;
}

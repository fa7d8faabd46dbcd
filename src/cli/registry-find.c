#include "cli/registry-find.h"

#include "cli/listing.h"
#include "cli/parse.h"
#include "cli/registry.h"
#include "client/registry.h"

#include <string.h>

#define PAGE 100u
#define LOOKED_AT_MAX 5000u
#define NAMED_MAX 5u /* ids in a message */

typedef struct {
    const SyncdFamily *family;
    const char *wanted;
    GPtrArray *known;         /* char *: every id and every other name */
    GPtrArray *living, *past; /* char *: ids of those that are called so */
} Search;

static Search search_new(const SyncdFamily *family, const char *wanted)
{
    return (Search){.family = family,
                    .wanted = wanted,
                    .known = g_ptr_array_new_with_free_func(g_free),
                    .living = g_ptr_array_new_with_free_func(g_free),
                    .past = g_ptr_array_new_with_free_func(g_free)};
}

static void search_clear(Search *search)
{
    g_ptr_array_unref(search->known);
    g_ptr_array_unref(search->living);
    g_ptr_array_unref(search->past);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Search, search_clear)

/* ---- looking through ---- */

static bool note_name(Search *search, char *name)
{
    bool is_it = strcmp(name, search->wanted) == 0;
    if (*name != '\0')
        g_ptr_array_add(search->known, name);
    else
        g_free(name);
    return is_it;
}

static bool is_called_so(Search *search, const char *id, SyncdJson record)
{
    const SyncdFamily *family = search->family;
    const char *members[] = {"display_name", "title", family->columns[SYNCD_COLUMN_IDENTITY],
                             family->version != NULL ? family->id : NULL};
    const char *colon = strchr(id, ':');
    bool is_it = note_name(search, g_strdup(id));
    if (colon != NULL)
        is_it |= strcmp(colon + 1, search->wanted) == 0;
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        if (members[i] != NULL)
            is_it |= note_name(search, syncd_record_text(record, members[i]));
    return is_it;
}

static void look_at(Search *search, SyncdJson row)
{
    char *id = syncd_record_text(row, "id");
    g_autofree char *state = syncd_record_text(row, "state");
    bool ended = strcmp(state, syncd_family_end_state(search->family)) == 0;
    if (is_called_so(search, id, syncd_json_member(row, "record")))
        g_ptr_array_add(ended ? search->past : search->living, id);
    else
        g_free(id);
}

static bool look_through(SyncdCli *cli, SyncdClient *client, Search *search, GError **error)
{
    g_autofree char *cursor = g_strdup("");
    guint looked_at = 0;
    do {
        g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
        g_autofree char *records = NULL, *next = NULL;
        SyncdJsonIter iter;
        SyncdJson row;
        g_variant_dict_insert(&options, "limit", "u", PAGE);
        if (*cursor != '\0')
            g_variant_dict_insert(&options, "cursor", "s", cursor);
        if (syncd_cli_find_option(cli->verb, "all") != NULL && syncd_cli_flag(cli, "all"))
            g_variant_dict_insert(&options, "all", "b", TRUE);
        if (!syncd_client_list_records(client, search->family->name, g_variant_dict_end(&options),
                                       &records, &next, error))
            return false;
        syncd_json_iter_init(&iter, syncd_json_root(records, strlen(records)));
        for (; syncd_json_iter_next(&iter, NULL, &row); looked_at++)
            look_at(search, row);
        g_free(cursor);
        cursor = g_steal_pointer(&next);
    } while (*cursor != '\0' && looked_at < LOOKED_AT_MAX);
    return true;
}

/* ---- saying what was found ---- */

static const GPtrArray *matches_of(const Search *search)
{
    return search->living->len > 0 ? search->living : search->past;
}

static char *name_matches(const GPtrArray *matches)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < MIN(matches->len, NAMED_MAX); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (char *)matches->pdata[i]);
    if (matches->len > NAMED_MAX)
        g_string_append(text, " and more");
    return g_string_free(text, FALSE);
}

static char *advise(const SyncdCli *cli, Search *search)
{
    const GPtrArray *matches = matches_of(search);
    g_autofree char *list =
        g_strdup_printf("list what there is with `sourceos-syncd %s list`", cli->verb->group);
    if (matches->len > 0) {
        g_autofree char *ids = name_matches(matches);
        return g_strdup_printf(matches->len == 1 ? "say its id, which is %s"
                                                 : "say the id of one that is called so: %s",
                               ids);
    }
    g_ptr_array_add(search->known, NULL);
    const char *nearest = syncd_nearest(search->wanted, (const char *const *)search->known->pdata);
    return nearest != NULL ? g_strdup_printf("the nearest is `%s`; %s", nearest, list)
                           : g_steal_pointer(&list);
}

static void replace_advice(GError **error, const char *advice)
{
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split((*error)->message, &sentence, &next);
    g_clear_error(error);
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, advice, "%s", sentence);
}

static bool is_not_found(GError *const *error)
{
    return error != NULL && g_error_matches(*error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
}

void syncd_cli_explain_not_found(SyncdCli *cli, SyncdClient *client, const char *id, GError **error)
{
    g_auto(Search) search = search_new(syncd_cli_family(cli), id);
    if (!is_not_found(error) || !look_through(cli, client, &search, NULL))
        return;
    g_autofree char *advice = advise(cli, &search);
    replace_advice(error, advice);
}

static char *show(SyncdCli *cli, SyncdClient *client, const char *id, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    return syncd_client_show_record(client, syncd_cli_family(cli)->name, id,
                                    g_variant_dict_end(&options), error);
}

char *syncd_cli_show_record(SyncdCli *cli, SyncdClient *client, const char *name, GError **error)
{
    g_auto(Search) search = search_new(syncd_cli_family(cli), name);
    GError *fault = NULL;
    char *shown = show(cli, client, name, &fault);
    if (shown != NULL)
        return shown;
    if (is_not_found(&fault) && look_through(cli, client, &search, NULL)) {
        const GPtrArray *matches = matches_of(&search);
        if (matches->len == 1) {
            g_error_free(fault);
            return show(cli, client, matches->pdata[0], error);
        }
        g_autofree char *advice = advise(cli, &search);
        replace_advice(&fault, advice);
    }
    g_propagate_error(error, fault);
    return NULL;
}

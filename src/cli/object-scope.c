#include "cli/object-scope.h"

#include "cli/listing.h"
#include "client/registry.h"
#include "domain/family.h"

#include <string.h>

#define SCOPE_DEFAULT "device"
#define LOOKED_AT_MAX 1000u

typedef struct {
    bool in_default;
    GPtrArray *others; /* char * */
} Places;

static void note_scope(Places *places, SyncdJson record)
{
    g_autofree char *scope = syncd_record_text(record, "scope");
    if (strcmp(scope, SCOPE_DEFAULT) == 0)
        places->in_default = true;
    else if (*scope != '\0' &&
             !g_ptr_array_find_with_equal_func(places->others, scope, g_str_equal, NULL))
        g_ptr_array_add(places->others, g_steal_pointer(&scope));
}

static bool note_scopes(void *data, SyncdJson operations)
{
    Places *places = data;
    SyncdJsonIter iter;
    SyncdJson operation;
    syncd_json_iter_init(&iter, operations);
    while (!places->in_default && syncd_json_iter_next(&iter, NULL, &operation))
        note_scope(places, operation);
    return !places->in_default;
}

/* Not events: what the daemon did about an object of any scope, such as hiding one that was
 * deleted, is in the device's. What cannot be looked up now is not known to be wrong. */
static bool find_places(SyncdCli *cli, SyncdClient *client, const char *object, Places *places)
{
    const SyncdListing listing = {
        .list = SYNCD_CLIENT_OPERATIONS, .object = object, .limit = LOOKED_AT_MAX};
    g_autoptr(GError) no_record = NULL;
    if (!syncd_listing_pages(&listing, cli, client, note_scopes, places, NULL, NULL))
        return false;
    g_autofree char *shown = syncd_client_show_record(
        client, syncd_family(SYNCD_FAMILY_OBJECT)->name, object, NULL, &no_record);
    if (shown != NULL)
        note_scope(places, syncd_json_root(shown, strlen(shown)));
    return shown != NULL || g_error_matches(no_record, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
}

char *syncd_cli_object_scope(SyncdCli *cli, SyncdClient *client, const char *object, GError **error)
{
    const char *given = syncd_cli_value(cli, "scope");
    g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func(g_free);
    Places places = {false, others};
    if (given != NULL)
        return g_strdup(given);
    if (!find_places(cli, client, object, &places) || places.in_default || others->len == 0)
        return g_strdup(SCOPE_DEFAULT);
    g_ptr_array_add(others, NULL);
    g_autofree char *list = g_strjoinv(", ", (char **)others->pdata);
    g_autofree char *next =
        g_strdup_printf("say which is meant: --scope=%s", (const char *)others->pdata[0]);
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, next,
                         "The object %s is not in the scope " SCOPE_DEFAULT ", but in: %s", object,
                         list);
    return NULL;
}

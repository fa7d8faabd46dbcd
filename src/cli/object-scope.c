#include "cli/object-scope.h"

#include "cli/listing.h"

#include <string.h>

#define SCOPE_DEFAULT "device"
#define LOOKED_AT_MAX 1000u

typedef struct {
    bool in_default;
    GPtrArray *others; /* char * */
} Places;

static bool note_scopes(void *data, SyncdJson events)
{
    Places *places = data;
    SyncdJsonIter iter;
    SyncdJson event;
    syncd_json_iter_init(&iter, events);
    while (!places->in_default && syncd_json_iter_next(&iter, NULL, &event)) {
        char *scope = syncd_record_text(event, "scope");
        places->in_default = strcmp(scope, SCOPE_DEFAULT) == 0;
        if (!g_ptr_array_find_with_equal_func(places->others, scope, g_str_equal, NULL))
            g_ptr_array_add(places->others, scope);
        else
            g_free(scope);
    }
    return !places->in_default;
}

char *syncd_cli_object_scope(SyncdCli *cli, SyncdClient *client, const char *object, GError **error)
{
    const char *given = syncd_cli_value(cli, "scope");
    g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func(g_free);
    Places places = {false, others};
    const SyncdListing listing = {
        .list = SYNCD_CLIENT_EVENTS, .object = object, .limit = LOOKED_AT_MAX};
    if (given != NULL)
        return g_strdup(given);
    /* What cannot be looked up now is not known to be wrong. */
    if (!syncd_listing_pages(&listing, cli, client, note_scopes, &places, NULL, NULL) ||
        places.in_default || others->len == 0)
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

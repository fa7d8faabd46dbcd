#include "cli/actor-names.h"

#include "cli/listing.h"
#include "client/registry.h"

#include <string.h>

SyncdActorNames syncd_actor_names(SyncdClient *client)
{
    return (SyncdActorNames){client,
                             g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free)};
}

void syncd_actor_names_clear(SyncdActorNames *self)
{
    g_hash_table_unref(self->names);
}

static char *ask(const SyncdActorNames *self, const char *actor)
{
    g_autofree char *row = syncd_client_show_record(self->client, "actor", actor, NULL, NULL);
    g_autofree char *name =
        row != NULL
            ? syncd_record_text(syncd_json_member(syncd_json_root(row, strlen(row)), "record"),
                                "display_name")
            : g_strdup("");
    return *name != '\0' ? g_strdup_printf("%s (%s)", name, actor) : g_strdup(actor);
}

const char *syncd_actor_name(SyncdActorNames *self, const char *actor)
{
    if (!g_hash_table_contains(self->names, actor))
        g_hash_table_insert(self->names, g_strdup(actor), ask(self, actor));
    return g_hash_table_lookup(self->names, actor);
}

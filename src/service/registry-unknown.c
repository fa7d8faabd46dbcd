/*
 * Which members of a record nobody here knows. They are kept, as contracts demand; but whoever
 * misspelt one should hear of it.
 *
 * Known is what the contract names, what only the daemon writes, what it heeds besides, and of an
 * object what its schema asks for or names.
 */
#include "service/registry.h"

#include "contract/installed.h"

#include <string.h>

#define UNKNOWN_MAX 32u /* so many are told */

static const struct {
    SyncdFamilyId family;
    const char *name;
} heeded[] = {
    {SYNCD_FAMILY_ACTOR, "expires_at"},
    {SYNCD_FAMILY_SCHEMA, "operation_schema"},
    {SYNCD_FAMILY_WORKSPACE, "encryption_profile_ref"},
};

/* The names of an object's members, or the texts of a list. */
static void add_names(GHashTable *known, SyncdJson from)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    bool is_object = from.type == SYNCD_JSON_OBJECT;
    syncd_json_iter_init(&iter, from);
    while (syncd_json_iter_next(&iter, is_object ? &name : NULL, &value)) {
        char *text = syncd_json_dup_text(is_object ? name : value);
        if (text != NULL)
            g_hash_table_add(known, text);
    }
}

static void add_contract(GHashTable *known, const SyncdFamily *family)
{
    const SyncdInstalledSchema *schema = syncd_installed_schema_find(family->schema);
    add_names(known,
              syncd_json_member(syncd_json_root(schema->text, strlen(schema->text)), "properties"));
    for (size_t i = 0; i < G_N_ELEMENTS(heeded); i++)
        if (family == syncd_family(heeded[i].family))
            g_hash_table_add(known, g_strdup(heeded[i].name));
}

/* A schema that is not there, for this object, names nothing. */
static bool add_schema(GHashTable *known, const SyncdChange *change, GError **error)
{
    static const char *const lists[] = {"required_fields", "field_owners"};
    bool found;
    g_auto(SyncdRecordRow) row = {0};
    g_auto(SyncdBody) body = {0};
    SyncdJson schema;
    g_autofree char *id = syncd_record_member(change->record, "schema_id");
    g_autofree char *version = syncd_record_member(change->record, "schema_version");
    g_autofree char *name = g_strconcat(id, "@", version, NULL);
    if (!syncd_store_find_record(change->service->store, syncd_family(SYNCD_FAMILY_SCHEMA), name,
                                 &row, &found, error))
        return false;
    const char *state = change->state != NULL ? change->state : change->row.state;
    if (!found || strcmp(state, SYNCD_STATE_QUARANTINED) == 0)
        return true;
    if (!syncd_registry_read(change->service, &row, &body, &schema, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        add_names(known, syncd_json_member(schema, lists[i]));
    add_names(known, syncd_json_member(syncd_json_member(schema, "json_schema"), "properties"));
    return true;
}

static bool is_known(const SyncdChange *change, GHashTable *known, const char *name)
{
    return g_hash_table_contains(known, name) || syncd_family_stamps(change->family, name);
}

bool syncd_registry_find_unknown(const SyncdChange *change, char ***ret_unknown, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson name;
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
    add_contract(known, change->family);
    if (change->family == syncd_family(SYNCD_FAMILY_OBJECT) && !add_schema(known, change, error))
        return false;
    syncd_json_iter_init(&iter, change->record);
    while (unknown->len < UNKNOWN_MAX && syncd_json_iter_next(&iter, &name, NULL)) {
        g_autofree char *text = syncd_json_dup_text(name);
        if (text != NULL && !is_known(change, known, text))
            g_ptr_array_add(unknown, g_steal_pointer(&text));
    }
    g_ptr_array_add(unknown, NULL);
    *ret_unknown = (char **)g_ptr_array_free(g_steal_pointer(&unknown), FALSE);
    return true;
}

#include "bus/object.h"

#include "bus/bus-private.h"
#include "bus/error-bus.h"
#include "bus/names.h"

static const SyncdInterface *const interface_table[] = {
    &syncd_interface_manager,    &syncd_interface_operations, &syncd_interface_registry,
    &syncd_interface_workspaces, &syncd_interface_repair,     &syncd_interface_plan,
    &syncd_interface_job,
};

const SyncdInterface *const *syncd_interfaces(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(interface_table);
    return interface_table;
}

const SyncdInterface *syncd_interface_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(interface_table); i++)
        if (g_strcmp0(interface_table[i]->name, name) == 0)
            return interface_table[i];
    return NULL;
}

/* What is in the array goes when the bus does. */
static sd_bus_slot **new_slot(SyncdBus *bus)
{
    g_ptr_array_add(bus->slots, NULL);
    return (sd_bus_slot **)&g_ptr_array_index(bus->slots, bus->slots->len - 1);
}

static int add_interface(SyncdBus *bus, const SyncdInterface *interface)
{
    bool user = bus->instance == SYNCD_INSTANCE_USER;
    const sd_bus_vtable *vtable = user ? interface->user_vtable : interface->system_vtable;

    if (interface->find == NULL)
        return sd_bus_add_object_vtable(bus->connection, new_slot(bus), interface->path,
                                        interface->name, vtable, &bus->root);

    int r = sd_bus_add_fallback_vtable(bus->connection, new_slot(bus), interface->path,
                                       interface->name, vtable, interface->find, bus);
    if (r < 0 || !user || interface->enumerate == NULL)
        return r;
    return sd_bus_add_node_enumerator(bus->connection, new_slot(bus), interface->path,
                                      interface->enumerate, bus);
}

bool syncd_objects_add(SyncdBus *bus, GError **error)
{
    int r = 0;
    for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(interface_table); i++)
        r = add_interface(bus, interface_table[i]);

    if (r >= 0)
        r = sd_bus_add_object_manager(bus->connection, new_slot(bus), SYNCD_PATH_ROOT);
    if (r < 0)
        syncd_set_error_bus(error, r, "The objects cannot be put on the bus");
    return r >= 0;
}

char *syncd_object_path(const char *prefix, const char *id)
{
    char *path = NULL;
    if (sd_bus_path_encode(prefix, id, &path) < 0)
        g_error("out of memory");
    return path;
}

int syncd_objects_find(GHashTable *objects, const char *prefix, const char *path, void **ret_found)
{
    g_autofree char *id = NULL;
    int r = sd_bus_path_decode(path, prefix, &id);
    if (r <= 0)
        return r;
    *ret_found = g_hash_table_lookup(objects, id);
    return *ret_found != NULL;
}

char **syncd_objects_paths(GHashTable *objects, const char *prefix)
{
    GPtrArray *paths = g_ptr_array_new();
    GHashTableIter iter;
    void *id = NULL;
    g_hash_table_iter_init(&iter, objects);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        g_ptr_array_add(paths, syncd_object_path(prefix, id));
    g_ptr_array_add(paths, NULL);
    return (char **)g_ptr_array_free(paths, FALSE);
}

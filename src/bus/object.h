/*
 * What is on the bus: one table of interfaces, each with its path, vtable and methods. A further
 * interface is a file, a row here and rows in the table of bus/authorise.h.
 */
#pragma once

#include "bus/bus.h"
#include "bus/call.h"

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct {
    const char *name;
    const char *path; /* of the one object; with `find`, of all objects below it */
    sd_bus_object_find_t find;
    sd_bus_node_enumerator_t enumerate; /* user instance only: paths are readable by everybody */
    const sd_bus_vtable *user_vtable;
    const sd_bus_vtable *system_vtable;
    const SyncdMethod *methods; /* ends with a NULL member */
} SyncdInterface;

extern const SyncdInterface syncd_interface_manager;
extern const SyncdInterface syncd_interface_operations;
extern const SyncdInterface syncd_interface_registry;
extern const SyncdInterface syncd_interface_workspaces;
extern const SyncdInterface syncd_interface_repair;
extern const SyncdInterface syncd_interface_plan;
extern const SyncdInterface syncd_interface_job;

const SyncdInterface *const *syncd_interfaces(size_t *ret_n);
/* NULL when there is none of that name. */
const SyncdInterface *syncd_interface_find(const char *name);

bool syncd_objects_add(SyncdBus *bus, GError **error);

/* ---- objects that come and go: tables of SyncdObject by their ids ---- */

char *syncd_object_path(const char *prefix, const char *id);
/* As sd_bus_object_find_t answers. */
int syncd_objects_find(GHashTable *objects, const char *prefix, const char *path, void **ret_found);
char **syncd_objects_paths(GHashTable *objects, const char *prefix);

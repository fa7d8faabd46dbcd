/*
 * Where an instance keeps its things. systemd's directories count where it gives them; then come
 * the XDG directories of the user, or the system's own. All are newly allocated.
 */
#pragma once

#include "service/service.h"

#include <glib.h>

char *syncd_path_state(SyncdInstance instance);
char *syncd_path_config(SyncdInstance instance);
/* Small files for other programs: status.json, and for the user the address of a private bus. */
char *syncd_path_runtime(SyncdInstance instance);

/* Without symlinks on the way, as far as it is there; absolute. */
char *syncd_path_real(const char *path);

/* Opens the runtime directory, makes it when needed. -1 when it is not there, or when somebody else
 * could write to it: what lies there is then not to be believed. */
int syncd_open_runtime(SyncdInstance instance, GError **error);

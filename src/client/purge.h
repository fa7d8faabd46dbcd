/* The methods of the daemon that purge deleted objects. */
#pragma once

#include "client/client.h"

#include <glib.h>
#include <stdbool.h>

/* What would go, and its digest. */
char *syncd_client_plan_purge(SyncdClient *client, const char *scope, const char *object,
                              char **ret_digest, GError **error);
/* The id of the entry that is the purge. */
char *syncd_client_purge(SyncdClient *client, const char *scope, const char *object,
                         const char *digest, GError **error);
char *syncd_client_purge_report(SyncdClient *client, const char *operation, GError **error);

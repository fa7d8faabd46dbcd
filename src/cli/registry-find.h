/*
 * Finding a record by what people call it.
 *
 * A record has one id, and only that names it when something is changed. Who only looks may also
 * say the identity of an actor, a schema without its version, an id without the kind before its
 * colon, or the display name or title: as long as one record alone is called so. Of records that
 * have ended one is meant only where no other is.
 */
#pragma once

#include "cli/cli.h"

/* What Show gives of the record with that id or, failing that, of the one that is called so. */
char *syncd_cli_show_record(SyncdCli *cli, SyncdClient *client, const char *name, GError **error);
/* Of an error that there is no record with that id: says whose name it is, or what is near. Other
 * errors stay as they are. */
void syncd_cli_explain_not_found(SyncdCli *cli, SyncdClient *client, const char *id,
                                 GError **error);

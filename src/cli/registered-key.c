#include "cli/registered-key.h"

#include "client/registry.h"
#include "crypto/note.h"
#include "domain/mandate.h"

#include <string.h>

static char *refuse(const char *actor, const char *why, GError **error)
{
    g_autofree char *next =
        g_strdup_printf("see the actor with `sourceos-syncd actors show %s`", actor);
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, next,
                         "No signature of the actor %s counts: %s", actor, why);
    return NULL;
}

char *syncd_cli_registered_key(SyncdCli *cli, const char *actor, GError **error)
{
    SyncdPublicKey key;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *shown =
        client != NULL ? syncd_client_show_record(client, "actor", actor, NULL, error) : NULL;
    if (shown == NULL)
        return NULL;
    SyncdJson row = syncd_json_root(shown, strlen(shown));
    g_autoptr(SyncdMandate) mandate = syncd_mandate_read(syncd_json_member(row, "record"), error);
    if (mandate == NULL)
        return NULL;
    const char *standing = syncd_mandate_standing(mandate, (guint64)g_get_real_time() / 1000);
    if (standing != NULL)
        return refuse(actor, standing, error);
    if (!syncd_mandate_key(mandate, &key))
        return refuse(actor, "its record names no key", error);
    char *text = syncd_verifier_key_format(actor, &key);
    return text != NULL ? text : refuse(actor, "its id cannot name a key", error);
}

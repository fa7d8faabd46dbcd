#include "cli/trusted-key.h"

#include "client/calls.h"
#include "crypto/note.h"

#include <string.h>

char *syncd_trusted_key_of_feed(const char *description, const char *feed)
{
    SyncdJsonIter iter;
    SyncdJson candidate;
    SyncdJson root = syncd_json_root(description, strlen(description));
    syncd_json_iter_init(&iter, syncd_json_member(root, "feeds"));
    while (syncd_json_iter_next(&iter, NULL, &candidate))
        if (syncd_json_is(syncd_json_member(candidate, "feed"), feed))
            return syncd_json_dup_text(syncd_json_member(candidate, "verifier_key"));
    return NULL;
}

char *syncd_trusted_key_of_device(const SyncdCli *cli)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_LOOK, NULL);
    g_autofree char *description = client != NULL ? syncd_client_describe(client, NULL) : NULL;
    if (description == NULL)
        return NULL;
    SyncdJson root = syncd_json_root(description, strlen(description));
    return syncd_json_dup_text(syncd_json_member(root, "attestation_key"));
}

const char *syncd_feed_of_origin(const char *origin)
{
    return g_str_has_prefix(origin, SYNCD_ORIGIN_PREFIX) ? origin + strlen(SYNCD_ORIGIN_PREFIX)
                                                         : NULL;
}

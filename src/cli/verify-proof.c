#include "base/json-writer.h"
#include "cli/file.h"
#include "cli/i18n.h"
#include "cli/proof.h"
#include "cli/text.h"
#include "cli/trusted-key.h"
#include "cli/verbs.h"
#include "client/calls.h"

#include <string.h>

#define PROOF_MAX (256u * 1024u)

static const char SOURCE_GIVEN[] = "given";
static const char SOURCE_DAEMON[] = "daemon";
static const char SOURCE_DOCUMENT[] = "document";

static char *get_proof(SyncdCli *cli, size_t *ret_size, GError **error)
{
    const char *path = syncd_cli_argument(cli, 0);
    const char *operation = syncd_cli_value(cli, "operation");
    if ((path == NULL) == (operation == NULL)) {
        syncd_set_error(error, SYNCD_ERROR_USAGE,
                        "Say which proof to check: a FILE, or --operation=ID");
        return NULL;
    }
    if (path != NULL)
        return syncd_file_read(path, PROOF_MAX, ret_size, error);
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    char *proof = client != NULL ? syncd_client_prove(client, operation, error) : NULL;
    *ret_size = proof != NULL ? strlen(proof) : 0;
    return proof;
}

/* The daemon that has this log knows its key; that none answers is no error: a proof can be checked
 * anywhere. */
static char *ask_for_key(const SyncdCli *cli, const char *feed)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_LOOK, NULL);
    g_autofree char *description = client != NULL ? syncd_client_describe(client, NULL) : NULL;
    return description != NULL ? syncd_trusted_key_of_feed(description, feed) : NULL;
}

static char *find_key(const SyncdCli *cli, const char *proof, size_t size, const char **ret_source)
{
    const char *given = syncd_cli_value(cli, "key");
    if (given != NULL) {
        *ret_source = SOURCE_GIVEN;
        return g_strdup(given);
    }
    g_autofree char *feed = syncd_proof_feed(proof, size);
    char *key = feed != NULL ? ask_for_key(cli, feed) : NULL;
    *ret_source = key != NULL ? SOURCE_DAEMON : SOURCE_DOCUMENT;
    return key;
}

/* ---- showing ---- */

static void show_json(SyncdCli *cli, const SyncdProofVerdict *verdict, const char *source)
{
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "schema", "sourceos.proof-verification/v1");
    syncd_json_member_string(writer, "verdict", verdict->holds ? "holds" : "refuted");
    syncd_json_member_string(writer, "reason", verdict->reason);
    syncd_json_member_string(writer, "operation_id", verdict->operation);
    syncd_json_member_string(writer, "feed", verdict->feed);
    syncd_json_member_uint(writer, "seq", verdict->seq);
    syncd_json_member_uint(writer, "size", verdict->size);
    syncd_json_member_string(writer, "root", verdict->root);
    syncd_json_member_string(writer, "verifier_key", verdict->key);
    syncd_json_member_string(writer, "key_source", source);
    syncd_output_end_object(cli->out);
}

static const char *key_remark(const char *source)
{
    if (source == SOURCE_GIVEN)
        return _("The key is the one you gave.");
    if (source == SOURCE_DAEMON)
        return _("The key is the one of this device's running daemon.");
    return _("The key is the proof's own: it shows that the device it names signed this, not that "
             "you know the device. Compare the key, or give the one you trust with --key.");
}

static void show_text(SyncdCli *cli, const SyncdProofVerdict *verdict, const char *source)
{
    g_autofree char *operation = syncd_text_safe(verdict->operation);
    g_autofree char *feed = syncd_text_safe(verdict->feed);
    g_autofree char *key = syncd_text_safe(verdict->key);
    if (verdict->holds) {
        syncd_output_styled(cli->out, SYNCD_STYLE_GOOD, _("The proof holds"));
        syncd_output_wrapped(
            cli->out, _(": operation %s is entry %lu of %lu in the log %s.\n  Key: %s\n  %s\n"),
            operation, (unsigned long)verdict->seq, (unsigned long)verdict->size, feed, key,
            key_remark(source));
        return;
    }
    syncd_output_styled(cli->out, SYNCD_STYLE_BAD, _("The proof does not hold"));
    syncd_output_wrapped(cli->out, _(": %s.\n  Operation %s, log %s\n  Key: %s\n"), verdict->reason,
                         operation, feed, key);
}

bool syncd_verb_verify_proof(SyncdCli *cli, GError **error)
{
    size_t size = 0;
    const char *source;
    g_autofree char *proof = get_proof(cli, &size, error);
    if (proof == NULL)
        return false;
    g_autofree char *key = find_key(cli, proof, size, &source);
    g_auto(SyncdProofVerdict) verdict = {0};
    if (!syncd_proof_check(proof, size, key, &verdict, error)) {
        const char *file = syncd_cli_argument(cli, 0);
        g_prefix_error(error, "%s is no proof: ", file != NULL ? file : "What the daemon gave");
        return false;
    }

    const char *path = syncd_cli_value(cli, "output");
    if (path != NULL && !syncd_file_write(path, proof, size, error))
        return false;
    if (syncd_cli_json(cli))
        show_json(cli, &verdict, source);
    else
        show_text(cli, &verdict, source);
    if (!verdict.holds)
        cli->exit = SYNCD_EXIT_NEGATIVE;
    return true;
}

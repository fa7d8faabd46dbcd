#include "cli/file-log.h"
#include "cli/file.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/proof.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "client/calls.h"
#include "client/registry.h"
#include "domain/family.h"

#include <string.h>

#define OPERATION_PREFIX "op-"

/* ---- which operation ---- */

static bool take_operation(void *data, SyncdJson operations)
{
    char **operation = data;
    SyncdJsonIter iter;
    SyncdJson newest;
    syncd_json_iter_init(&iter, operations);
    if (syncd_json_iter_next(&iter, NULL, &newest))
        *operation = syncd_record_text(newest, "operation_id");
    return false;
}

/* The record of a registered object says what it is; of others the last operation does. */
static char *operation_of_object(SyncdCli *cli, SyncdClient *client, const char *object,
                                 GError **error)
{
    const SyncdListing listing = {.list = SYNCD_CLIENT_OPERATIONS, .object = object, .limit = 1};
    g_autoptr(GError) no_record = NULL;
    char *operation = NULL;
    g_autofree char *shown = syncd_client_show_record(
        client, syncd_family(SYNCD_FAMILY_OBJECT)->name, object, NULL, &no_record);
    if (shown != NULL)
        return syncd_record_text(syncd_json_root(shown, strlen(shown)), "operation");
    if (!g_error_matches(no_record, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&no_record));
        return NULL;
    }
    if (syncd_listing_pages(&listing, cli, client, take_operation, &operation, NULL, error) &&
        operation == NULL)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "list what there is with `sourceos-syncd ops list`, or name a file by "
                             "its path",
                             "Nothing is recorded about `%s` (%s instance)", object,
                             syncd_client_instance_name(syncd_client_instance(client)));
    return operation;
}

/* A file of the place where somebody is may be called by its name alone, where no object is. */
static char *find_operation(SyncdCli *cli, SyncdClient *client, const char *named, GError **error)
{
    GError *fault = NULL;
    if (syncd_cli_names_file(named))
        return syncd_cli_file_operation(cli, client, named, error);
    if (g_str_has_prefix(named, OPERATION_PREFIX))
        return g_strdup(named);
    char *operation = operation_of_object(cli, client, named, &fault);
    if (operation == NULL && g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND))
        operation = syncd_cli_file_operation(cli, client, named, NULL);
    if (operation == NULL)
        g_propagate_error(error, fault);
    else
        g_clear_error(&fault);
    return operation;
}

/* ---- the proof ---- */

/* Nobody is given one that does not hold. */
static bool check(const char *proof, SyncdProofVerdict *verdict, GError **error)
{
    if (!syncd_proof_check(proof, strlen(proof), NULL, verdict, error))
        return false;
    if (!verdict->holds)
        syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                             "have the log judged with `sourceos-syncd verify log --full`",
                             "The proof that the daemon gave does not hold: %s", verdict->reason);
    return verdict->holds;
}

static bool keep(SyncdCli *cli, const char *path, const char *proof,
                 const SyncdProofVerdict *verdict, GError **error)
{
    bool existed;
    if (!syncd_file_create(path, proof, strlen(proof), &existed, error))
        return false;
    if (existed) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, "name a new one, or remove that one first",
                             "%s is there already, and a proof replaces no file", path);
        return false;
    }
    if (syncd_cli_json(cli))
        return true;
    g_autofree char *safe = syncd_text_safe(path);
    g_autofree char *operation = syncd_text_safe(verdict->operation);
    syncd_output_wrapped(
        cli->out, _("The proof of operation %s, entry %lu of %lu in its log, is in %s.\n"),
        operation, (unsigned long)verdict->seq, (unsigned long)verdict->size, safe);
    syncd_cli_remark(cli, _("Check it anywhere with `sourceos-syncd verify proof %s`."), safe);
    return true;
}

bool syncd_verb_prove(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *operation =
        client != NULL ? find_operation(cli, client, syncd_cli_argument(cli, 0), error) : NULL;
    g_autofree char *proof =
        operation != NULL ? syncd_client_prove(client, operation, error) : NULL;
    g_auto(SyncdProofVerdict) verdict = {0};
    if (proof == NULL || !check(proof, &verdict, error))
        return false;
    const char *path = syncd_cli_value(cli, "output");
    if (path != NULL && !keep(cli, path, proof, &verdict, error))
        return false;
    if (path == NULL || syncd_cli_json(cli))
        syncd_output_json(cli->out, proof, strlen(proof), true);
    return true;
}

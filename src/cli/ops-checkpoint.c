#include "base/json.h"
#include "cli/file.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/record.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "client/calls.h"

#include <string.h>

static void print_note(SyncdCli *cli, SyncdJson checkpoint)
{
    g_autofree char *note = syncd_record_text(checkpoint, "note");
    g_autofree char *key = syncd_record_text(checkpoint, "verifier_key");
    g_auto(GStrv) lines = g_strsplit(note, "\n", -1);
    for (size_t i = 0; lines[i] != NULL && (*lines[i] != '\0' || lines[i + 1] != NULL); i++) {
        g_autofree char *safe = syncd_text_safe(lines[i]);
        syncd_output_printf(cli->out, "%s\n", safe);
    }
    /* On stderr, so that the note alone can be redirected into a file. */
    syncd_cli_remark(cli, _("Verifier key: %s"), key);
}

static bool save(SyncdCli *cli, const char *path, SyncdJson checkpoint, GError **error)
{
    g_autofree char *note = syncd_record_text(checkpoint, "note");
    if (!syncd_file_write(path, note, strlen(note), error))
        return false;
    g_autofree char *size = syncd_record_text(checkpoint, "size");
    g_autofree char *feed = syncd_record_text(checkpoint, "feed");
    if (!syncd_cli_json(cli)) {
        g_autofree char *line = g_strdup_printf(
            _("The checkpoint of %s, size %s, is in %s; keep it elsewhere."), feed, size, path);
        g_autofree char *safe = syncd_text_safe(line);
        syncd_output_printf(cli->out, "%s\n", safe);
    }
    return true;
}

bool syncd_verb_ops_checkpoint(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    g_autofree char *document = syncd_client_checkpoint(client, syncd_cli_argument(cli, 0), error);
    if (document == NULL)
        return false;

    SyncdJson checkpoint = syncd_json_root(document, strlen(document));
    const char *path = syncd_cli_value(cli, "output");
    if (path != NULL && !save(cli, path, checkpoint, error))
        return false;
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, document, strlen(document), true);
    else if (path == NULL)
        print_note(cli, checkpoint);
    return true;
}

#include "cli/verbs.h"
#include "cli/words.h"
#include "contract/installed.h"

#include <string.h>

bool syncd_verb_contract_show(SyncdCli *cli, GError **error)
{
    const char *id = syncd_cli_argument(cli, 0);
    const SyncdInstalledSchema *schema = syncd_installed_schema_find(id);
    if (schema == NULL) {
        const char *nearest = syncd_words_nearest_contract(id);
        g_autofree char *next = nearest != NULL
                                    ? g_strdup_printf("the nearest is %s", nearest)
                                    : g_strdup("see `sourceos-syncd contract list` for those that "
                                               "there are");
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, next, "There is no contract \"%s\"", id);
        return false;
    }
    syncd_output_json(cli->out, schema->text, strlen(schema->text), true);
    return true;
}

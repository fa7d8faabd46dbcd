#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "contract/installed.h"

static void show_json(SyncdCli *cli)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_array(&writer);
    for (unsigned i = 0; i < syncd_n_installed_schemas; i++) {
        syncd_json_begin_object(&writer);
        syncd_json_member_string(&writer, "id", syncd_installed_schemas[i].id);
        syncd_json_member_string(&writer, "title", syncd_installed_schemas[i].title);
        syncd_json_end_object(&writer);
    }
    syncd_json_end_array(&writer);
    syncd_output_json(cli->out, text->str, text->len, true);
}

bool syncd_verb_contract_list(SyncdCli *cli, GError **error)
{
    if (syncd_cli_json(cli)) {
        show_json(cli);
        return true;
    }
    const char *const titles[] = {_("CONTRACT"), _("DOCUMENT"), NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    for (unsigned i = 0; i < syncd_n_installed_schemas; i++) {
        const char *const cells[] = {syncd_installed_schemas[i].id,
                                     syncd_installed_schemas[i].title};
        syncd_table_add(table, cells);
    }
    syncd_table_print(table, cli->out);
    return true;
}

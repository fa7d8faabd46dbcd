#include "cli/commands.h"
#include "cli/document.h"
#include "cli/verbs.h"

#include <string.h>

bool syncd_verb_health_explain(SyncdCli *cli, GError **error)
{
    g_auto(SyncdJudgedReport) judged = {0};
    if (!syncd_judged_report_get(cli, &judged, error))
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_judgement_write_explanation(judged.judgement, text);
    bool of_system =
        syncd_json_is(syncd_report_at(judged.judgement->report, "identity", "instance"), "system");
    g_autofree char *told =
        syncd_commands_of(of_system ? SYNCD_CLIENT_SYSTEM : SYNCD_CLIENT_USER, text->str);
    syncd_output_json(cli->out, told, strlen(told), true);
    if (!syncd_judgement_is_healthy(judged.judgement))
        cli->exit = SYNCD_EXIT_NEGATIVE;
    return true;
}

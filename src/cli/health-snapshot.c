#include "cli/document.h"
#include "cli/live-report.h"
#include "cli/verbs.h"

bool syncd_verb_health_snapshot(SyncdCli *cli, GError **error)
{
    const char *directory = syncd_cli_value(cli, "state-dir");
    g_auto(SyncdLiveReport) live = {0};
    if (directory != NULL)
        live.text = syncd_live_report_inspect(directory, error);
    else if (!syncd_live_report_get(cli, &live, error))
        return false;
    if (live.text == NULL)
        return false;
    g_autoptr(GString) text = g_string_new(live.text);
    syncd_document_show(cli, text);
    return true;
}

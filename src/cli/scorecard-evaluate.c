#include "cli/document.h"
#include "cli/verbs.h"
#include "domain/scorecard.h"

bool syncd_verb_scorecard_evaluate(SyncdCli *cli, GError **error)
{
    g_auto(SyncdJudgedReport) judged = {0};
    if (!syncd_judged_report_get(cli, &judged, error))
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    bool deliverable = syncd_scorecard_write(judged.judgement, text);
    syncd_document_show(cli, text);
    if (!deliverable)
        cli->exit = SYNCD_EXIT_NEGATIVE;
    return true;
}

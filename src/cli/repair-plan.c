#include "domain/repair-plan.h"
#include "cli/document.h"
#include "cli/verbs.h"

bool syncd_verb_repair_plan(SyncdCli *cli, GError **error)
{
    g_auto(SyncdJudgedReport) judged = {0};
    if (!syncd_judged_report_read(cli, &judged, error))
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_repair_plan_write(judged.judgement, text);
    syncd_document_show(cli, text);
    return true;
}

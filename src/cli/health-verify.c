#include "cli/document.h"
#include "cli/verbs.h"

bool syncd_verb_health_verify(SyncdCli *cli, GError **error)
{
    g_auto(SyncdJudgedReport) judged = {0};
    if (!syncd_judged_report_get(cli, &judged, error))
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_judgement_write_verification(judged.judgement, text);
    syncd_document_show(cli, text);
    if (syncd_invariants_worst(judged.judgement->invariants) != SYNCD_PASS)
        cli->exit = SYNCD_EXIT_NEGATIVE;
    return true;
}

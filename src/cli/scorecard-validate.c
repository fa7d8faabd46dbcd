#include "cli/document.h"
#include "cli/verbs.h"
#include "domain/problems.h"
#include "domain/scorecard.h"

bool syncd_verb_scorecard_validate(SyncdCli *cli, GError **error)
{
    g_auto(SyncdDocument) scorecard = {0};
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    if (!syncd_document_read(cli, "A scorecard", &scorecard, error))
        return false;
    syncd_scorecard_check(scorecard.root, problems);
    syncd_document_show_validity(cli, problems);
    return true;
}

#include "cli/document.h"
#include "cli/verbs.h"
#include "domain/problems.h"
#include "domain/trust.h"

bool syncd_verb_trust_validate(SyncdCli *cli, GError **error)
{
    g_auto(SyncdDocument) decision = {0};
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    if (!syncd_document_read(cli, "A trust decision", &decision, error))
        return false;
    syncd_trust_check(decision.root, problems);
    syncd_document_show_validity(cli, problems);
    return true;
}

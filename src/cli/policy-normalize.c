#include "cli/document.h"
#include "cli/verbs.h"
#include "domain/normalize.h"
#include "domain/problems.h"

bool syncd_verb_policy_normalize(SyncdCli *cli, GError **error)
{
    g_auto(SyncdDocument) observation = {0};
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    g_autoptr(GString) event = g_string_new(NULL);
    if (!syncd_document_read(cli, "An observation", &observation, error))
        return false;
    if (syncd_observation_normalize(observation.root, syncd_document_now(), event, problems))
        syncd_document_show(cli, event);
    else
        syncd_document_show_validity(cli, problems);
    return true;
}

#include "cli/document.h"
#include "cli/verbs.h"
#include "domain/evidence.h"
#include "domain/problems.h"

bool syncd_verb_evidence_validate(SyncdCli *cli, GError **error)
{
    g_auto(SyncdDocument) envelope = {0};
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    g_autoptr(SyncdAttestationKeys) keys = syncd_document_keys_or_own(cli, error);
    if (keys == NULL || !syncd_document_read(cli, "An evidence envelope", &envelope, error))
        return false;
    syncd_evidence_check(envelope.root, keys, problems);
    syncd_document_show_validity(cli, problems);
    return true;
}

#include "cli/document.h"
#include "cli/envelope.h"
#include "cli/verbs.h"

bool syncd_verb_evidence_wrap(SyncdCli *cli, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (!syncd_envelope_make(cli, text, error))
        return false;
    syncd_document_show(cli, text);
    return true;
}

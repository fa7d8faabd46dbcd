#include "cli/document.h"
#include "cli/verbs.h"
#include "domain/explanation-codes.h"

bool syncd_verb_policy_codes(SyncdCli *cli, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_explanation_write_all(text);
    syncd_document_show(cli, text);
    return true;
}

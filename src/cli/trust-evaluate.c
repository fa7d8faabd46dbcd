#include "cli/document.h"
#include "cli/verbs.h"
#include "domain/trust.h"

static bool read_request(SyncdCli *cli, SyncdTrustRequest *request, GError **error)
{
    const char *lane = syncd_cli_value(cli, "lane");
    request->subject = syncd_document_demand(cli, "subject", error);
    if (request->subject == NULL)
        return false;
    request->action = syncd_document_demand(cli, "action", error);
    if (request->action == NULL)
        return false;
    request->lane =
        lane != NULL ? syncd_document_demand(cli, "lane", error) : SYNCD_TRUST_DEFAULT_LANE;
    request->allow_degraded = syncd_cli_flag(cli, "allow-degraded");
    request->require_attestation = syncd_cli_flag(cli, "require-attestation");
    return request->lane != NULL;
}

bool syncd_verb_trust_evaluate(SyncdCli *cli, GError **error)
{
    SyncdTrustRequest request;
    g_auto(SyncdJudgedReport) judged = {0};
    if (!read_request(cli, &request, error) || !syncd_judged_report_get(cli, &judged, error))
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    bool allowed = syncd_trust_decide(judged.judgement, &request, text);
    syncd_document_show(cli, text);
    if (!allowed)
        cli->exit = SYNCD_EXIT_NEGATIVE;
    return true;
}

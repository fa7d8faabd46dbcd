/* What the state says already, but for what others say better. */
#include "service/detect.h"

#include <string.h>

static void add_reason(SyncdDiagnosis *self, const char *reason)
{
    static const struct {
        const char *reason, *why;
    } told_elsewhere[] = {
        {"workspace-asks", "which one, says what is found of workspaces"},
        {"checksum-mismatch", "the same"},
        {"verify-found", "what, says what is found of the log"},
    };
    const GError *problem = syncd_store_index_problem(self->service->store);
    for (size_t i = 0; i < G_N_ELEMENTS(told_elsewhere); i++)
        if (strcmp(told_elsewhere[i].reason, reason) == 0)
            return;
    SyncdFound *found;
    if (strcmp(reason, "index-unavailable") == 0)
        found = syncd_diagnosis_add(self, reason, "reason", problem->message, NULL);
    else if (syncd_finding_find(SYNCD_BYTES_TEXT(reason)) != NULL)
        found = syncd_diagnosis_add(self, reason, NULL);
    else
        found = syncd_diagnosis_add(self, "unknown-reason", "reason", reason, NULL);
    if (g_str_has_prefix(reason, "index-"))
        found->target = g_strdup("index");
}

bool syncd_detect_state(SyncdDiagnosis *self, GError **error)
{
    SyncdState state;
    syncd_service_state(self->service, &state);
    for (size_t i = 0; state.reasons[i] != NULL; i++)
        add_reason(self, state.reasons[i]);
    return true;
}

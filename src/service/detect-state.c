/* What the state says already, but for what others say better. */
#include "base/timestamp.h"
#include "service/damage.h"
#include "service/detect.h"
#include "store/displaced.h"
#include "store/examine.h"
#include "store/misread.h"

#include <string.h>

/* What comes next is the finding's to say. */
static SyncdFound *add_unavailable(SyncdDiagnosis *self, const char *reason)
{
    const GError *problem = syncd_store_index_problem(self->service->store);
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(problem->message, &sentence, &next);
    return syncd_diagnosis_add(self, reason, "reason", sentence, NULL);
}

/* What one read met may not be there for the next one: where no look was possible a verification of
 * everything tells, and plans nothing for what is sound. */
static void tell_journal(const SyncdDiagnosis *self, SyncdFound *found)
{
    const SyncdStore *store = self->service->store;
    bool open =
        syncd_store_met_damage(store) && syncd_store_condition(store) != SYNCD_STORE_DAMAGED;
    found->target = g_strdup("journal");
    if (open && !syncd_store_saw_damage_again(store) && !syncd_service_is_damaged(self->service))
        found->next = SYNCD_NEXT_VERIFY_FULL;
}

/* What shows it; NULL: no more than that it is so. */
static char *shown_by(SyncdService *service, const char *reason)
{
    SyncdRoom room;
    if (strcmp(reason, "storage-failed") == 0)
        return g_strdup(syncd_store_write_fault(service->store));
    if (strcmp(reason, "journal-corrupt") == 0)
        return g_strdup(syncd_store_damage(service->store));
    if (strcmp(reason, "policy-rules-refused") == 0)
        return g_strdup(service->policy_fault);
    if (strcmp(reason, "policy-refusals") == 0)
        return g_strdup_printf("refused since the start: %u", service->policy_blocked);
    if (strcmp(reason, "no-space") != 0 || !syncd_store_room(service->store, &room, NULL))
        return NULL;
    g_autofree char *free = g_format_size(room.free), *total = g_format_size(room.total);
    return g_strdup_printf("%s of %s are free now", free, total);
}

static void add_reason(SyncdDiagnosis *self, const char *reason)
{
    static const struct {
        const char *reason, *why;
    } told_elsewhere[] = {
        {"workspace-asks", "which one, says what is found of workspaces"},
        {"checksum-mismatch", "the same"},
        {"journal-unreadable", "why, says what is found of the log"},
        {"journal-displaced", "what became of it, says what is found of the log"},
        {"log-rolled-back", "what is missing, says what is found of the log"},
        {"verify-found", "what, says what is found of the log"},
        {"index-damaged", "what SQLite said of it, says what is found of the index"},
        {"index-displaced", "what became of it, says what is found of the index"},
        {"device-key-missing", "how much it signed, says what is found of the keys"},
        {"key-missing", "of which scope, says what is found of the keys"},
    };
    if (self->service->found != NULL && strcmp(self->service->found->code, reason) == 0)
        return; /* what found it looks again */
    for (size_t i = 0; i < G_N_ELEMENTS(told_elsewhere); i++)
        if (strcmp(told_elsewhere[i].reason, reason) == 0)
            return;
    SyncdFound *found;
    if (strcmp(reason, "index-unavailable") == 0)
        found = add_unavailable(self, reason);
    else if (strcmp(reason, "machine-changed") == 0)
        found = syncd_diagnosis_add_adoptable(self, reason, NULL);
    else if (syncd_finding_find(SYNCD_BYTES_TEXT(reason)) != NULL)
        found = syncd_diagnosis_add(self, reason, NULL);
    else
        found = syncd_diagnosis_add(self, "unknown-reason", "reason", reason, NULL);
    if (g_str_has_prefix(reason, "index-"))
        found->target = g_strdup("index");
    if (strcmp(reason, "journal-corrupt") == 0)
        tell_journal(self, found);
    char *shown = shown_by(self->service, reason);
    if (shown != NULL)
        syncd_found_evidence(found, shown);
}

/* As soon as the verification at the start has ended it is accounted for. */
static void add_dirty_open(SyncdDiagnosis *self)
{
    char at[SYNCD_TIME_SIZE];
    guint64 opened = self->service->runtime.dirty_open;
    if (opened == 0 || syncd_store_unreadable(self->service->store) != NULL)
        return; /* nothing can be verified before there is a journal */
    syncd_time_format_ms(opened / 1000, at);
    syncd_diagnosis_add(self, "dirty-open", "at", at, NULL);
}

bool syncd_detect_state(SyncdDiagnosis *self, GError **error)
{
    SyncdState state;
    syncd_service_state(self->service, &state);
    for (size_t i = 0; state.reasons[i] != NULL; i++)
        add_reason(self, state.reasons[i]);
    add_dirty_open(self);
    return true;
}

#include "domain/findings.h"
#include "service/damage.h"
#include "service/files.h"
#include "service/internal.h"
#include "service/repair.h"
#include "store/displaced.h"
#include "store/examine.h"
#include "store/missing-keys.h"
#include "store/repair-store.h"
#include "store/rollback.h"

#include <string.h>

/* What can be wrong, in the order in which it is shown; the first one that holds gives the state,
 * which domain/findings.h has of it. */
typedef struct {
    const char *reason;
    bool (*holds)(const SyncdService *service);
} Reason;

static bool storage_failed(const SyncdService *service)
{
    return syncd_store_condition(service->store) == SYNCD_STORE_FAILED;
}

static bool machine_changed(const SyncdService *service)
{
    return syncd_store_condition(service->store) == SYNCD_STORE_MACHINE_CHANGED;
}

static bool journal_corrupt(const SyncdService *service)
{
    return syncd_store_condition(service->store) == SYNCD_STORE_DAMAGED ||
           syncd_store_met_damage(service->store);
}

static bool journal_unreadable(const SyncdService *service)
{
    return syncd_store_unreadable(service->store) != NULL;
}

static bool journal_displaced(const SyncdService *service)
{
    return syncd_store_displacement(service->store) != NULL;
}

static bool log_rolled_back(const SyncdService *service)
{
    return syncd_store_rollback(service->store) != NULL;
}

/* That the log lost its end is told by itself. */
static bool verify_found(const SyncdService *service)
{
    const GPtrArray *damage = syncd_service_damage(service);
    for (guint i = 0; i < damage->len; i++)
        if (!log_rolled_back(service) ||
            strcmp(((const SyncdVerifyFinding *)damage->pdata[i])->code, "rollback") != 0)
            return true;
    return false;
}

static bool index_rebuilding(const SyncdService *service)
{
    return syncd_store_is_indexing(service->store);
}

/* Without a journal the one that may be there serves nobody, and nothing is wrong with it. */
static bool index_unavailable(const SyncdService *service)
{
    return syncd_store_lacks_index(service->store) && !journal_unreadable(service);
}

/* One that is of no use is not there for anybody, which is told by itself. */
static bool index_damaged(const SyncdService *service)
{
    return service->index_is_malformed;
}

static bool index_displaced(const SyncdService *service)
{
    return service->index_is_elsewhere;
}

static bool key_missing(const SyncdService *service)
{
    return service->lacks_keys;
}

static bool device_key_missing(const SyncdService *service)
{
    return syncd_store_signer(service->store) == NULL;
}

static bool no_space(const SyncdService *service)
{
    return syncd_store_lacks_room(service->store) || service->purge_lacks_room;
}

static bool policy_refused(const SyncdService *service)
{
    return service->policy_blocked_until != 0;
}

static bool policy_rules_refused(const SyncdService *service)
{
    return service->policy_fault != NULL;
}

static bool workspace_asks(const SyncdService *service)
{
    return service->asking > 0;
}

static bool checksum_mismatch(const SyncdService *service)
{
    return service->mismatched > 0;
}

static const Reason reasons[] = {
    {"storage-failed", storage_failed},
    {"machine-changed", machine_changed},
    {"journal-unreadable", journal_unreadable},
    {"journal-corrupt", journal_corrupt},
    {"journal-displaced", journal_displaced},
    {"log-rolled-back", log_rolled_back},
    {"verify-found", verify_found},
    {"device-key-missing", device_key_missing},
    {"key-missing", key_missing},
    {"index-damaged", index_damaged},
    {"index-displaced", index_displaced},
    {"index-rebuilding", index_rebuilding},
    {"index-unavailable", index_unavailable},
    {"no-space", no_space},
    {"workspace-asks", workspace_asks},
    {"checksum-mismatch", checksum_mismatch},
    {"policy-rules-refused", policy_rules_refused},
    {"policy-refusals", policy_refused},
};

static const char *state_of(const Reason *reason)
{
    return syncd_finding_state(syncd_finding_find(SYNCD_BYTES_TEXT(reason->reason)));
}

/* While the index is rebuilt the last count stands. */
static void count_pending(SyncdService *service)
{
    guint64 sequence = syncd_store_sequence(service->store), pending, running;
    if (service->pending_sequence == sequence || syncd_store_is_indexing(service->store))
        return;
    if (!syncd_service_count_tasks(service, &pending, &running, NULL))
        return;
    service->pending_operations = pending + running;
    service->pending_sequence = sequence;
}

/* Whoever resumes such a workspace approves of what was deleted. The same holds while the index is
 * made anew. */
static void count_asking(SyncdService *service)
{
    g_autoptr(GPtrArray) roots = NULL;
    guint64 registries = syncd_store_registries(service->store);
    if (service->roots_of == registries || syncd_store_is_indexing(service->store) ||
        !syncd_service_list_roots(service, &roots, NULL))
        return;
    service->asking = 0;
    for (guint i = 0; i < roots->len; i++)
        service->asking += ((const SyncdRoot *)roots->pdata[i])->asks;
    g_clear_pointer(&service->roots, g_ptr_array_unref);
    service->roots = g_steal_pointer(&roots);
    service->roots_of = registries;
}

/* While the index is made anew the last count stands. What was found in a workspace that is no
 * longer one is over. */
static void count_mismatched(SyncdService *service)
{
    guint64 sequence = syncd_store_sequence(service->store), n = 0;
    guint len = service->roots != NULL ? service->roots->len : 0;
    if (service->mismatched_of == sequence || syncd_store_is_indexing(service->store))
        return;
    const SyncdRoot *root = NULL;
    for (guint i = 0; i < len && n == 0; i++) {
        root = service->roots->pdata[i];
        if (!syncd_store_count_mismatched(service->store, root->scope_id, 1, &n, NULL))
            return;
    }
    g_free(service->mismatched_in);
    service->mismatched_in = n > 0 ? g_strdup(root->workspace) : NULL;
    service->mismatched = n;
    service->mismatched_of = sequence;
}

/* What lies in such a scope cannot be read, and nothing can be written there. */
static void look_for_keys(SyncdService *service)
{
    service->lacks_keys = syncd_store_lacks_keys(service->store);
}

/* A lookup may have met it, though nothing keeps the index from serving. */
static void look_at_index(SyncdService *service)
{
    SyncdIndexHealth health;
    syncd_store_index_health(service->store, &health);
    service->index_is_malformed = health.damage != NULL && !health.elsewhere;
    service->index_is_elsewhere = health.elsewhere;
}

/* Plans of repair that nobody has approved yet, and that can be. */
static guint32 count_previews(SyncdService *service)
{
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(service);
    guint32 n = 0;
    for (guint i = 0; i < plans->len; i++)
        n += strcmp(syncd_repair_plan_state(plans->pdata[i]), "preview") == 0 &&
             syncd_repair_plan_stale(plans->pdata[i]) == NULL;
    return n;
}

void syncd_service_known_state(SyncdService *service, SyncdState *ret_state)
{
    G_STATIC_ASSERT(G_N_ELEMENTS(reasons) < G_N_ELEMENTS(ret_state->reasons));
    unsigned n_reasons = 0;
    *ret_state = (SyncdState){
        .state = "clean",
        .policy_blocked_count = service->policy_blocked,
        .pending_approvals = service->asking + count_previews(service),
        .repair_needed = syncd_service_is_damaged(service) || journal_unreadable(service) ||
                         journal_displaced(service) || journal_corrupt(service) ||
                         checksum_mismatch(service) || index_damaged(service) ||
                         syncd_store_index_fault(service->store) != NULL || service->repairable,
        .pending_operations = service->pending_operations,
        .sequence = syncd_store_sequence(service->store),
        .last_activity_usec = syncd_store_last_ms(service->store) * 1000,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
        if (!reasons[i].holds(service))
            continue;
        if (n_reasons == 0)
            ret_state->state = state_of(&reasons[i]);
        ret_state->reasons[n_reasons++] = reasons[i].reason;
    }
    if (n_reasons == 0 && service->found != NULL) {
        ret_state->state = syncd_finding_state(service->found);
        ret_state->reasons[0] = service->found->code;
    }
}

void syncd_service_look_at_state(SyncdService *service)
{
    look_for_keys(service);
    syncd_store_look_at_place(service->store);
    look_at_index(service);
}

void syncd_service_state(SyncdService *service, SyncdState *ret_state)
{
    count_pending(service);
    count_asking(service);
    count_mismatched(service);
    syncd_service_look_at_state(service);
    syncd_service_known_state(service, ret_state);
}

/* Another error that no reason tells is another state. */
guint64 syncd_service_held_reasons(const SyncdService *service)
{
    unsigned held = 0;
    const SyncdFinding *found = service->found;
    for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
        held |= (unsigned)reasons[i].holds(service) << i;
    return held | (guint64)(found != NULL ? g_str_hash(found->code) : 0) << 32;
}

bool syncd_service_state_is_shown(const SyncdService *service)
{
    return syncd_service_held_reasons(service) == service->shown_state;
}

void syncd_service_show_state(SyncdService *service, bool always)
{
    if (syncd_service_state_is_shown(service) && !always)
        return;
    service->shown_state = syncd_service_held_reasons(service);
    if (service->listener.changed != NULL)
        service->listener.changed(service->listener.data);
}

void syncd_service_call_done(SyncdService *service)
{
    if (!syncd_service_state_is_shown(service))
        syncd_service_ask_for_work(service);
}

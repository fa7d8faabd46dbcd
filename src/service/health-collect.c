/* Where the facts of a report come from. */
#include "service/health-facts.h"

#include "service/content-faults.h"
#include "service/damage.h"
#include "store/examine.h"
#include "store/mend.h"

#include <errno.h>
#include <string.h>

void syncd_health_facts_init(SyncdHealthFacts *facts)
{
    *facts = (SyncdHealthFacts){
        .errors = g_ptr_array_new_with_free_func(g_free),
        .unavailable = g_ptr_array_new_with_free_func(g_free),
        .denied = g_ptr_array_new_with_free_func(g_free),
    };
}

void syncd_health_facts_clear(SyncdHealthFacts *facts)
{
    syncd_store_facts_clear(&facts->store);
    g_clear_pointer(&facts->found, g_ptr_array_unref);
    g_clear_pointer(&facts->errors, g_ptr_array_unref);
    g_clear_pointer(&facts->unavailable, g_ptr_array_unref);
    g_clear_pointer(&facts->denied, g_ptr_array_unref);
}

/* ---- what is missing ---- */

static void miss(SyncdHealthFacts *facts, const char *field, const char *reason)
{
    bool denied = strcmp(reason, "permission_denied") == 0;
    g_ptr_array_add(denied ? facts->denied : facts->unavailable,
                    g_strdup_printf("%s: %s", field, reason));
}

static const char *reason_of(int problem)
{
    return problem == EACCES || problem == EPERM ? "permission_denied" : "unsupported_platform";
}

static void miss_measures(SyncdHealthFacts *facts)
{
    const SyncdOutside *outside = &facts->outside;
    const struct {
        const char *field;
        int problem;
    } measures[] = {
        {"resources.disk", outside->disk_problem},
        {"resources.memory.total_gb", outside->memory_problem},
        {"resources.memory.resident_bytes", outside->resident_problem},
        {"resources.memory.pressure", outside->memory.problem},
        {"resources.io.pressure", outside->io.problem},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(measures); i++)
        if (measures[i].problem != 0)
            miss(facts, measures[i].field, reason_of(measures[i].problem));
    if (outside->disk_problem == 0 && outside->filesystem == NULL)
        miss(facts, "resources.disk.filesystem", "unsupported_platform");
}

static void miss_times(SyncdHealthFacts *facts)
{
    const SyncdRuntime *runtime = &facts->runtime;
    if (!runtime->begun) {
        miss(facts, "runtime.last_heartbeat_at", "not_applicable");
        return;
    }
    if (runtime->clean_end == 0)
        miss(facts, "runtime.last_clean_shutdown_at", "not_yet_initialized");
    if (runtime->replay_completed == 0)
        miss(facts, "runtime.replay_completed_at", "not_yet_initialized");
}

/* The log is never compacted; a repeated request is answered with what the first one was. */
static void miss_uncounted(SyncdHealthFacts *facts)
{
    static const char *const fields[] = {"pipeline.add.deduped", "pipeline.update.deduped",
                                         "lanes[].maintenance.last_compact_completed_at"};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        miss(facts, fields[i], "not_applicable");
}

static void miss_counts(SyncdHealthFacts *facts)
{
    static const char *const fields[] = {"lanes[].objects", "lanes[].journal.replay_lag_events",
                                         "pipeline"};
    if (facts->store.counted)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        miss(facts, fields[i], facts->offline ? "not_applicable" : "not_yet_initialized");
}

static void miss_all(SyncdHealthFacts *facts)
{
    if (facts->node[0] == '\0')
        miss(facts, "identity.node_id_hash",
             facts->attestor != NULL ? "unsupported_platform" : "not_yet_initialized");
    if (facts->boot[0] == '\0')
        miss(facts, "identity.boot_id",
             facts->attestor != NULL ? "not_applicable" : "not_yet_initialized");
    miss_measures(facts);
    if (facts->state_missing == NULL) {
        miss_times(facts);
        miss_uncounted(facts);
        miss_counts(facts);
    }
}

/* ---- what is there ---- */

/* A hash that only this state makes: it tells machines and boots apart and names none. */
static void hash_text(SyncdStore *store, const char *domain, const char *text,
                      char ret_digest[SYNCD_DIGEST_SIZE])
{
    SyncdHash hash;
    if (text != NULL && syncd_store_keyed_hash(store, domain, text, &hash))
        syncd_hash_to_digest(&hash, ret_digest);
}

static void collect_identity(SyncdService *service, SyncdHealthFacts *facts)
{
    g_autoptr(GPtrArray) heads = syncd_store_heads(service->store);
    const char *machine = service->process.machine;
    facts->process = &service->process;
    facts->feeds = heads->len;
    facts->attestor = service->attestor;
    /* A state that knows of no machine is a node by itself. */
    hash_text(service->store, "node",
              machine != NULL ? machine : syncd_store_device_id(service->store), facts->node);
    hash_text(service->store, "boot", service->process.boot, facts->boot);
}

static void collect_stores(SyncdService *service, SyncdHealthFacts *facts)
{
    SyncdIndexHealth index;
    const GArray *faults = syncd_service_index_faults(service);
    syncd_store_measure(service->store, &facts->store);
    facts->offline = facts->store.condition == SYNCD_STORE_INSPECTING;
    facts->unreadable = facts->store.condition == SYNCD_STORE_UNREADABLE;
    if (facts->unreadable)
        g_ptr_array_add(facts->errors, g_strdup("journal-unreadable"));
    if (!syncd_store_generation(service->store, &facts->generation, NULL))
        facts->generation = 0;
    syncd_store_index_health(service->store, &index);
    facts->index_checked = faults != NULL;
    facts->index_damaged =
        (index.damage != NULL && !index.elsewhere) || (faults != NULL && faults->len > 0);
}

static void collect_deletions(SyncdService *service, SyncdHealthFacts *facts)
{
    static const SyncdDeletionState on_the_way[] = {
        SYNCD_DELETION_REQUESTED, SYNCD_DELETION_AUTHORISED, SYNCD_DELETION_TOMBSTONED,
        SYNCD_DELETION_PROPAGATED};
    bool known =
        syncd_store_has_deletion_in(service->store, SYNCD_DELETION_PURGED, &facts->unproven);
    for (SyncdDeletionEvent event = 0; known && event < SYNCD_N_DELETION_EVENTS; event++)
        if (syncd_deletion_kind_of(event) != NULL)
            known = syncd_store_tally(service->store, syncd_deletion_kind_of(event),
                                      &facts->deletions[event]);
    for (size_t i = 0; known && i < G_N_ELEMENTS(on_the_way); i++) {
        bool has = false;
        known = syncd_store_has_deletion_in(service->store, on_the_way[i], &has);
        facts->undelivered |= has;
    }
    facts->deletions_known = known;
}

static void collect_policy(const SyncdService *service, SyncdHealthFacts *facts)
{
    facts->policy_digest = service->policy_digest;
    facts->policy_refused = service->policy_fault != NULL;
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++) {
        const SyncdPolicyLevelStanding *standing = &service->policy_standing.levels[level];
        facts->policy_rules += syncd_policy_set_rules(service->policy, level)->len;
        facts->policy_unusable |= syncd_policy_set_is_unusable(service->policy, level);
        facts->policy_since_ms = MAX(facts->policy_since_ms, standing->since_ms);
    }
    G_STATIC_ASSERT(sizeof facts->decided == sizeof service->decided);
    memcpy(facts->decided, service->decided, sizeof facts->decided);
}

static void collect_findings(SyncdService *service, SyncdHealthFacts *facts)
{
    const GPtrArray *damage = syncd_service_damage(service);
    facts->findings = damage->len;
    for (guint i = 0; i < damage->len; i++)
        facts->unheld += !syncd_content_fault_is(damage->pdata[i]);
}

void syncd_health_collect(SyncdService *service, SyncdHealthFacts *facts)
{
    guint64 begin = syncd_service_monotonic(service);
    facts->instance = service->instance;
    facts->now_usec = syncd_sources_realtime_usec(service->sources);
    facts->runtime = service->runtime;
    facts->verified = syncd_service_verified(service);
    collect_findings(service, facts);
    collect_stores(service, facts);
    collect_identity(service, facts);
    syncd_outside_measure(syncd_store_path(service->store), service->places, &facts->outside);
    facts->mismatched = service->mismatched;
    facts->lacks_room = syncd_store_lacks_room(service->store) || service->purge_lacks_room;
    collect_deletions(service, facts);
    collect_policy(service, facts);
    miss_all(facts);
    facts->duration_usec = syncd_service_monotonic(service) - begin;
}

/* The nearest directory that is there. */
static char *find_existing(const char *directory)
{
    char *path = g_strdup(directory);
    while (!g_file_test(path, G_FILE_TEST_IS_DIR) && strcmp(path, "/") != 0 &&
           strcmp(path, ".") != 0) {
        char *above = g_path_get_dirname(path);
        g_free(path);
        path = above;
    }
    return path;
}

void syncd_health_collect_nothing(const char *directory, const SyncdSources *sources,
                                  const char *why, SyncdHealthFacts *facts)
{
    static const SyncdProcess nobody = {0};
    g_autofree char *existing = find_existing(directory);
    facts->process = &nobody;
    facts->state_missing = why;
    facts->offline = true;
    facts->now_usec = syncd_sources_realtime_usec(sources);
    syncd_outside_measure(existing, NULL, &facts->outside);
    g_ptr_array_add(facts->errors, g_strdup(why));
    miss(facts, "stores", "not_yet_initialized");
    miss(facts, "pipeline", "not_yet_initialized");
    miss(facts, "runtime", "not_yet_initialized");
    miss_all(facts);
}

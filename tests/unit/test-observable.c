/*
 * What contracts say must be observable is an event of its own where it happens.
 */
#include "migration-fixture.h"

#include "contract/vocabulary.h"
#include "service/internal.h"

/* What makes these is not there yet, and nothing is recorded of it. */
static const char *const later[] = {
    "sync.conflict.created", "sync.conflict.resolved",     "sync.repair.started",
    "sync.repair.completed", "sync.transport.unavailable", NULL,
};

static void change(ServiceFixture *f, ChangeFunc func, const char *kind, const char *id,
                   const char *record, int code)
{
    const SyncdRegistryRequest request = {.kind = kind,
                                          .id = id,
                                          .record = record != NULL ? SYNCD_BYTES_TEXT(record)
                                                                   : SYNCD_BYTES(NULL, 0)};
    g_assert_cmpint(change_as(f, &f->caller, func, &request, NULL), ==, code);
}

static void plan(ServiceFixture *f, const char *class, const char *id, ...) G_GNUC_NULL_TERMINATED;

/* A plan of that class and the states that it takes. */
static void plan(ServiceFixture *f, const char *class, const char *id, ...)
{
    va_list states;
    ChangeFunc func = syncd_service_register;
    va_start(states, id);
    for (const char *state; (state = va_arg(states, const char *)) != NULL;) {
        g_autofree char *record = g_strdup_printf(
            "{\"plan_id\":\"%s\",\"target_actor\":\"worker\",\"profile_id\":\"profile:default\","
            "\"workspace_id\":\"workspace:notes\",\"object_ids\":[],\"operation_class\":\"%s\","
            "\"dependencies\":[],\"retry_policy\":\"none\",\"conflict_policy\":\"ask\","
            "\"status\":\"%s\",\"user_explanation\":\"x\"}",
            id, class, state);
        change(f, func, "plan", id, record, -1);
        func = syncd_service_update;
    }
    va_end(states);
}

/* Everything that there is so far, at least once. */
static void live(Migrating *m)
{
    ServiceFixture *f = &m->f;
    three_notes(m);
    g_free(migrate(m, (SyncdMigrationRequest){.migration = "m"}));
    change(f, syncd_service_register, "actor", NULL, ACTOR("worker", "uid:1005", ""), -1);
    change(f, syncd_service_register, "actor", NULL, ACTOR("gone", "uid:1006", ""), -1);
    change(f, syncd_service_revoke, "actor", "gone", NULL, -1);
    change(f, syncd_service_register, "device", NULL,
           "{\"device_id\":\"tablet\",\"display_name\":\"T\",\"trust_level\":\"user\","
           "\"device_state\":\"trusted\"}",
           -1);
    change(f, syncd_service_revoke, "device", "tablet", NULL, -1);
    plan(f, "repair", "p-1", "planned", "blocked", "running", "failed", NULL);
    plan(f, "repair", "p-2", "planned", "running", "completed", NULL);
    change(f, syncd_service_register, "workspace", NULL,
           "{\"workspace_id\":\"workspace:notes\",\"profile_id\":\"profile:default\"}", -1);
    change(f, syncd_service_register, "profile", NULL,
           "{\"profile_id\":\"profile:work\",\"display_name\":\"W\",\"profile_class\":\"work\","
           "\"policy_tags\":[]}",
           -1);
    change(f, syncd_service_update, "workspace", "workspace:notes",
           "{\"workspace_id\":\"workspace:notes\",\"profile_id\":\"profile:work\"}",
           SYNCD_ERROR_POLICY_DENIED);
    /* A lane that nobody opened. */
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    SyncdRequest request = good_request();
    request.lane = "secure";
    g_assert_false(syncd_service_enqueue(f->service, &f->caller, &request, &enqueued, &error));
    syncd_service_commit(f->service);
}

static void every_fact_is_told_where_it_happens(void)
{
    Migrating m;
    migrating_init(&m);
    live(&m);
    const char *const *words = syncd_vocabulary_words(SYNCD_WORDS_INTEGRITY_EVENT);
    for (; *words != NULL; words++) {
        guint n = count_events(&m.f, *words);
        g_test_message("%s: %u", *words, n);
        g_assert_true((n == 0) == g_strv_contains(later, *words));
    }
    migrating_clear(&m);
}

static bool is_decided(ServiceFixture *f, const SyncdEntry *entry)
{
    bool has = false;
    g_autofree char *decision = syncd_bytes_dup(entry->header.decision);
    if (*decision == '\0')
        return false;
    syncd_store_has_decision(f->service->store, f->service->policy_digest, decision, &has, NULL);
    return has;
}

/* Exports, repairs, migrations, deletions and replication, and whatever else callers have done:
 * each entry names the decision that allowed it, and the log has that. What the daemon adds by
 * itself follows from what somebody was allowed. */
static void whatever_was_done_names_the_decision_that_allowed_it(void)
{
    static const char *const wanted[] = {"schema.migrated",   "object.deleted",  "plan.created",
                                         "operation.enqueue", "tombstone.apply", NULL};
    static const char *const classes[] = {"export", "repair", "migrate", "delete", "replicate"};
    Migrating m;
    guint64 begin;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    migrating_init(&m);
    begin = service_sequence(&m.f);
    live(&m);
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        g_autofree char *id = g_strdup_printf("of-%s", classes[i]);
        plan(&m.f, classes[i], id, "planned", NULL);
    }
    for (guint64 pos = begin + 1; pos <= service_sequence(&m.f); pos++) {
        g_autoptr(GError) error = NULL;
        g_auto(SyncdEntry) entry = {0};
        syncd_store_read(m.f.service->store, pos, &entry, &error);
        g_assert_no_error(error);
        if (syncd_bytes_are(entry.header.actor, m.f.service->own_actor) ||
            syncd_bytes_are(entry.header.kind, "feed.open"))
            continue;
        char *kind = syncd_bytes_dup(entry.header.kind);
        g_test_message("%s: %.*s", kind, (int)entry.header.decision.size,
                       (const char *)entry.header.decision.data);
        g_assert_true(is_decided(&m.f, &entry));
        g_hash_table_add(seen, kind);
    }
    for (const char *const *kind = wanted; *kind != NULL; kind++)
        g_assert_true(g_hash_table_contains(seen, *kind));
    migrating_clear(&m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/observable/every-fact-is-told-where-it-happens",
                    every_fact_is_told_where_it_happens);
    g_test_add_func("/observable/whatever-was-done-names-the-decision-that-allowed-it",
                    whatever_was_done_names_the_decision_that_allowed_it);
    return g_test_run();
}

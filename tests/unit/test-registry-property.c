/*
 * Laws of the registries, over histories made from a seed: whatever callers ask for, a record takes
 * only tabled steps, what is refused changes nothing, and the index that is made from the log alone
 * has the same rows.
 */
#include "index-dump.h"
#include "registry-fixture.h"
#include "service/internal.h"

#include <sqlite3.h>

#define IDS 4u

static unsigned below(ServiceFixture *f, unsigned n)
{
    return (unsigned)(fixture_next(&f->base) % n);
}

static const char *pick(ServiceFixture *f, const char *const *words, unsigned n)
{
    return words[below(f, n)];
}

#define PICK(f, ...)                                                                               \
    pick(f, (const char *const[]){__VA_ARGS__}, G_N_ELEMENTS(((const char *const[]){__VA_ARGS__})))

static char *random_id(ServiceFixture *f, const SyncdFamily *family)
{
    switch (family->home) {
    case SYNCD_HOME_ITSELF:
        return g_strdup_printf("%s:%u", family->name, below(f, IDS));
    default:
        return family->version != NULL ? g_strdup_printf("s%u@%u", below(f, 2), below(f, 2))
                                       : g_strdup_printf("%s-%u", family->name, below(f, IDS));
    }
}

/* Documents that are mostly right, with states and places that mostly are not. */
static char *random_record(ServiceFixture *f, const SyncdFamily *family, const char *id)
{
    g_autofree char *schema = g_strndup(id, strcspn(id, "@"));
    return g_strdup_printf(
        "{\"%s\":\"%s\",\"schema_version\":\"%s\",\"display_name\":\"n%u\",\"actor_type\":\"%s\","
        "\"identity_id\":\"uid:%u\",\"capabilities\":[\"read\",\"%s\"],\"workspace_scope\":[],"
        "\"profile_scope\":[],\"trust_level\":\"%s\",\"policy_subject\":\"p\","
        "\"signing_key_ref\":\"none\",\"device_state\":\"%s\",\"status\":\"%s\","
        "\"workspace_id\":\"workspace:%u\",\"profile_id\":\"profile:%u\",\"object_type\":\"t\","
        "\"privacy_class\":\"%s\",\"target_actor\":\"actor-%u\",\"operation_class\":\"%s\","
        "\"dependencies\":[%s],\"encryption_scope\":\"%s\",\"profile_class\":\"%s\","
        "\"owner_identity\":\"uid:1\",\"sync_visibility\":\"workspace\",\"retention_class\":"
        "\"normal\",\"provenance\":[],\"object_ids\":[],\"retry_policy\":\"none\","
        "\"conflict_policy\":\"ask\",\"user_explanation\":\"x\",\"required_fields\":[],"
        "\"field_owners\":{},\"migration_policy\":\"ask\",\"tombstone_policy\":\"keep\","
        "\"policy_tags\":[],\"revoked_at\":\"2020-01-01T00:00:00Z\",\"state\":\"%s\"%s%s%s}",
        family->id, schema, strchr(id, '@') != NULL ? strchr(id, '@') + 1 : PICK(f, "0", "1"),
        below(f, 100), PICK(f, "human", "agent", "service"), 2000 + below(f, 3),
        PICK(f, "write", "delete"), PICK(f, "user", "quarantined"),
        PICK(f, "trusted", "untrusted", "quarantined", "revoked"),
        PICK(f, "planned", "blocked", "running", "failed", "completed", "cancelled"), below(f, IDS),
        below(f, IDS), PICK(f, "work", "secret", "none"), below(f, IDS),
        PICK(f, "replicate", "delete", "restore"), PICK(f, "", "", "\"plan-0\"", "\"plan-1\""),
        PICK(f, "workspace", "device", "moon"), PICK(f, "work", "air_gapped"),
        PICK(f, "active", "tombstoned", "deleted"),
        family == syncd_family(SYNCD_FAMILY_SCHEMA) ? "" : ",\"schema_id\":\"s",
        family == syncd_family(SYNCD_FAMILY_SCHEMA) ? "" : PICK(f, "0", "1", "9"),
        family == syncd_family(SYNCD_FAMILY_SCHEMA) ? "" : "\"");
}

/* Documents must have an id once: those whose id member is one of the above would have it twice. */
static char *without_twins(char *record)
{
    if (syncd_json_check(record, strlen(record), SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return record;
    GString *text = g_string_new("{");
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    /* No value here has a comma inside but the lists, which begin with a bracket. */
    for (char *at = record + 1; *at != '\0' && at[1] != '\0';) {
        char *colon = strstr(at, "\":"), *end = colon + 2;
        char close = *end == '[' ? ']' : *end == '{' ? '}' : '"';
        end = strchr(end + 1, close) + 1;
        char *name = g_strndup(at, (gsize)(colon - at));
        if (g_hash_table_add(seen, name))
            g_string_append_printf(text, "%s%.*s", text->len > 1 ? "," : "", (int)(end - at), at);
        at = *end == ',' ? end + 1 : end;
    }
    g_string_append_c(text, '}');
    g_free(record);
    return g_string_free(text, FALSE);
}

static char *state_now(ServiceFixture *f, const SyncdFamily *family, const char *id)
{
    g_autofree char *shown =
        syncd_service_show_record(f->service, &f->caller, family->name, id, NULL);
    if (shown == NULL)
        return g_strdup("");
    g_autofree char *quoted = member_of(shown, "state");
    return g_strndup(quoted + 1, strlen(quoted) - 2);
}

static void one_change(ServiceFixture *f, guint *done)
{
    static const ChangeFunc funcs[] = {syncd_service_register, syncd_service_update,
                                       syncd_service_revoke};
    const SyncdFamily *family = syncd_family((SyncdFamilyId)below(f, SYNCD_N_FAMILIES));
    SyncdRegistryVerb verb = (SyncdRegistryVerb)(below(f, 5) % 3);
    g_autofree char *id = random_id(f, family);
    g_autofree char *record = without_twins(random_record(f, family, id));
    g_autofree char *before = state_now(f, family, id);
    g_autofree char *key = below(f, 3) == 0 ? g_strdup_printf("k%u", below(f, 20)) : NULL;
    guint64 sequence = service_sequence(f);
    SyncdRegistryRequest request = {.kind = family->name,
                                    .id = verb == SYNCD_VERB_REGISTER ? NULL : id,
                                    .record = SYNCD_BYTES_TEXT(record),
                                    .idempotency_key = key};
    if (verb == SYNCD_VERB_REVOKE)
        request.record = (SyncdBytes){0};
    guint refused =
        count_events(f, "sync.policy.denied") + count_events(f, "sync.profile.boundary_violation");
    int code = change_as(f, &f->caller, funcs[verb], &request, NULL);
    g_autofree char *after = state_now(f, family, id);
    if (code != -1) {
        guint noted = count_events(f, "sync.policy.denied") +
                      count_events(f, "sync.profile.boundary_violation") - refused;
        g_assert_cmpstr(after, ==, before);
        g_assert_cmpuint(service_sequence(f), ==, sequence + noted);
        return;
    }
    if (service_sequence(f) == sequence) /* a duplicate */
        g_assert_cmpstr(after, ==, before);
    else
        g_assert_nonnull(syncd_transition_find(family, verb, before, after));
    (*done)++;
}

static void one_history(guint64 seed, guint *done)
{
    ServiceFixture f = {.instance = SYNCD_INSTANCE_USER, .owner = OWNER, .caller = {.uid = OWNER}};
    fixture_init(&f.base, seed);
    service_open(&f);
    for (int step = 0; step < 200; step++) {
        if (below(&f, 40) == 0) {
            service_close(&f);
            if (below(&f, 2))
                remove_index(&f.base);
            service_open(&f);
        }
        if (below(&f, 20) == 0)
            run_jobs(&f);
        one_change(&f, done);
    }
    run_jobs(&f);
    assert_index_adds_up(f.service->store);
    service_close(&f);
    g_autofree char *incremental = dump_index(f.base.directory);
    remove_index(&f.base);
    service_open(&f);
    run_jobs(&f);
    service_close(&f);
    g_autofree char *rebuilt = dump_index(f.base.directory);
    if (strcmp(incremental, rebuilt) != 0)
        g_error("seed %" G_GUINT64_FORMAT ": rebuilt\n%s\nis not incremental\n%s", seed, rebuilt,
                incremental);
    service_clear(&f);
}

static void any_history_gives_the_same_rows_when_rebuilt(void)
{
    guint64 seeds = g_test_slow() ? 100 : 6;
    guint done = 0;
    for (guint64 seed = 1; seed <= seeds; seed++)
        one_history(seed * 104729, &done);
    g_test_message("%u changes", done);
    g_assert_cmpuint(done, >, 20 * (guint)seeds); /* else it proves nothing */
}

/* What somebody wrote into a log past the service takes no step either. */
static void an_untabled_entry_registers_nothing(void)
{
    static const struct {
        const char *kind, *content;
    } forged[] = {
        {"actor.updated", "{\"actor_id\":\"ghost\",\"identity_id\":\"uid:7\"}"},
        {"actor.revoked", "{\"actor_id\":\"ghost\",\"revoked_at\":\"2020-01-01T00:00:00Z\"}"},
        {"actor.registered", "{\"actor_id\":\"ghost\",\"revoked_at\":\"2020-01-01T00:00:00Z\"}"},
        {"device.registered", "{\"device_id\":\"ghost\",\"device_state\":\"revoked\"}"},
        {"plan.completed", "{\"plan_id\":\"ghost\",\"status\":\"completed\"}"},
        {"object.created", "{\"object_id\":\"ghost\",\"state\":\"tombstoned\"}"},
        {"profile.violated", "{\"profile_id\":\"ghost\"}"},
    };
    Fixture f;
    fixture_init(&f, 11);
    fixture_open(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(forged); i++) {
        g_autoptr(GError) error = NULL;
        SyncdDraft draft = {.kind = forged[i].kind,
                            .actor = "actor-test",
                            .object = "",
                            .decision = "",
                            .engine = "",
                            .lane = "audit",
                            .schema_id = "x",
                            .schema_version = 1,
                            .meta = SYNCD_BYTES_TEXT("{}"),
                            .content = SYNCD_BYTES_TEXT(forged[i].content)};
        g_assert_true(
            syncd_store_append(f.store, syncd_store_device_id(f.store), &draft, NULL, &error));
    }
    fixture_commit(&f);
    g_assert_true(syncd_store_settle(f.store, NULL));
    for (int i = 0; i < SYNCD_N_FAMILIES; i++) {
        bool found;
        g_auto(SyncdRecordRow) row = {0};
        g_assert_true(syncd_store_find_record(f.store, syncd_family((SyncdFamilyId)i), "ghost",
                                              &row, &found, NULL));
        g_assert_false(found);
    }
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/registry-property/any-history-gives-the-same-rows-when-rebuilt",
                    any_history_gives_the_same_rows_when_rebuilt);
    g_test_add_func("/registry-property/an-untabled-entry-registers-nothing",
                    an_untabled_entry_registers_nothing);
    return g_test_run();
}

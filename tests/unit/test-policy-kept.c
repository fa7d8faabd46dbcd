/*
 * What was in force last stays in force over a restart: rules that were refused at the start leave
 * those that the state keeps, and it is known which they are and since when they hold.
 */
#include "crypto/seal.h"
#include "daemon/policy-kept.h"
#include "daemon/policy.h"
#include "policy-fixture.h"
#include "store-fixture.h"

#include <sys/stat.h>

#define DENY(reason) FILE_OF(RULE("\"lanes\":[\"archive\"]", "deny", reason))
#define BAD "{\"schema\":1}"
#define KEPT "policy/machine.json"

typedef struct {
    Fixture base;
    char *rules;
    SyncdPolicyLoader *loader;
    SyncdPolicyStanding standing;
} Subject;

static void start(Subject *s)
{
    fixture_open(&s->base);
    s->loader = syncd_policy_loader_new(SYNCD_INSTANCE_SYSTEM, s->rules, s->base.store);
}

static void stop(Subject *s)
{
    g_clear_pointer(&s->loader, syncd_policy_loader_free);
    fixture_close(&s->base);
}

static void init(Subject *s)
{
    *s = (Subject){0};
    fixture_init(&s->base, 1);
    s->rules = g_dir_make_tmp("syncd-policy-XXXXXX", NULL);
    start(s);
    fixture_fill(&s->base, 1);
}

static void clear(Subject *s)
{
    stop(s);
    fixture_remove(s->rules);
    g_free(s->rules);
    fixture_clear(&s->base);
}

static void put(Subject *s, const char *text)
{
    g_autofree char *path = g_build_filename(s->rules, "a.json", NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(g_chmod(path, 0644), ==, 0);
}

/* The reasons of the machine's rules in force after they were read; the fault must name `place`. */
static SyncdPolicySet *reads(Subject *s, const char *place)
{
    g_autofree char *fault = NULL;
    SyncdPolicySet *set = syncd_policy_loader_read(s->loader, &s->standing, &fault);
    if (place == NULL)
        g_assert_cmpstr(fault, ==, NULL);
    else if (fault == NULL || strstr(fault, place) == NULL)
        g_error("\"%s\" does not name %s", fault, place);
    return set;
}

static void assert_in_force(Subject *s, const char *place, const char *reason)
{
    g_autoptr(SyncdPolicySet) set = reads(s, place);
    const GPtrArray *rules = syncd_policy_set_rules(set, SYNCD_POLICY_MACHINE);
    g_assert_cmpuint(rules->len, ==, 1);
    g_assert_cmpstr(((SyncdPolicyRule *)rules->pdata[0])->reason, ==, reason);
    g_assert_false(syncd_policy_set_is_unusable(set, SYNCD_POLICY_MACHINE));
}

static void assert_closed(Subject *s, const char *place)
{
    g_autoptr(SyncdPolicySet) set = reads(s, place);
    g_assert_true(syncd_policy_set_is_unusable(set, SYNCD_POLICY_MACHINE));
    assert_answer(set, asks("write", "secure", "internal"), "denied " SYNCD_POLICY_REASON_UNUSABLE);
    assert_answer(set, asks("write", "policy", "internal"), "denied " SYNCD_POLICY_REASON_UNUSABLE);
    g_assert_cmpuint(s->standing.levels[SYNCD_POLICY_MACHINE].since_ms, ==, 0);
}

static const SyncdPolicyLevelStanding *machine(const Subject *s)
{
    return &s->standing.levels[SYNCD_POLICY_MACHINE];
}

static void a_bad_file_at_the_start_leaves_the_last_good_rules(void)
{
    Subject s;
    init(&s);
    put(&s, DENY("a"));
    assert_in_force(&s, NULL, "a");
    guint64 since = machine(&s)->since_ms;
    g_assert_cmpuint(since, >, 0);
    g_assert_true(machine(&s)->kept && !machine(&s)->last_good);

    for (unsigned restart = 0; restart < 2; restart++) {
        stop(&s);
        put(&s, BAD);
        start(&s);
        assert_in_force(&s, "a.json: /schema", "a");
        g_assert_true(machine(&s)->last_good && machine(&s)->kept);
        g_assert_cmpuint(machine(&s)->since_ms, ==, since);
    }
    put(&s, DENY("b"));
    assert_in_force(&s, NULL, "b");
    g_assert_false(machine(&s)->last_good);
    clear(&s);
}

static void rules_are_in_force_since_they_changed(void)
{
    Subject s;
    init(&s);
    put(&s, DENY("a"));
    assert_in_force(&s, NULL, "a");
    guint64 since = machine(&s)->since_ms;
    g_usleep(2000);
    /* another file, the same rules */
    put(&s, "{\"schema\":\"sourceos.policy-rules/v1\",\"description\":\"d\",\"rules\":[" RULE(
                "\"lanes\":[\"archive\",\"archive\"]", "deny", "a") "]}");
    assert_in_force(&s, NULL, "a");
    g_assert_cmpuint(machine(&s)->since_ms, ==, since);
    stop(&s);
    start(&s);
    assert_in_force(&s, NULL, "a");
    g_assert_cmpuint(machine(&s)->since_ms, ==, since);
    put(&s, DENY("b"));
    assert_in_force(&s, NULL, "b");
    g_assert_cmpuint(machine(&s)->since_ms, >, since);
    clear(&s);
}

static void what_was_never_good_is_not_kept(void)
{
    Subject s;
    init(&s);
    put(&s, BAD);
    assert_closed(&s, "a.json: /schema");
    g_autoptr(GError) error = NULL;
    size_t size;
    g_assert_null(syncd_store_kept(s.base.store, KEPT, 1024, &size, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    stop(&s);
    start(&s);
    assert_closed(&s, "a.json: /schema");
    clear(&s);
}

/* What was altered or cut is no set that was ever good. */
static void what_is_kept_is_whole_or_does_not_count(void)
{
    Subject s;
    init(&s);
    put(&s, DENY("a"));
    assert_in_force(&s, NULL, "a");
    put(&s, BAD);
    g_autofree char *path = g_build_filename(s.base.directory, KEPT, NULL), *text = NULL;
    size_t size;
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    g_assert_nonnull(strstr(text, "deny"));
    memcpy(strstr(text, "archive"), "priority", strlen("archive"));
    const struct {
        const char *bytes;
        size_t size;
    } spoilt[] = {{text, size}, {text, size / 2}, {"", 0}, {"{}", 2}, {"[]", 2}};
    for (size_t i = 0; i < G_N_ELEMENTS(spoilt); i++) {
        stop(&s);
        g_assert_true(g_file_set_contents(path, spoilt[i].bytes, (gssize)spoilt[i].size, NULL));
        start(&s);
        assert_closed(&s, "The last good rules of the machine cannot be used");
    }
    put(&s, DENY("a"));
    assert_in_force(&s, NULL, "a");
    stop(&s);
    put(&s, BAD);
    start(&s);
    assert_in_force(&s, "a.json", "a");
    clear(&s);
}

static void a_state_that_takes_nothing_keeps_nothing(void)
{
    Subject s;
    init(&s);
    put(&s, DENY("a"));
    stop(&s);
    fixture_open_mode(&s.base, SYNCD_STORE_INSPECT);
    s.loader = syncd_policy_loader_new(SYNCD_INSTANCE_SYSTEM, s.rules, s.base.store);
    assert_in_force(&s, NULL, "a");
    g_assert_false(machine(&s)->kept);
    clear(&s);
}

#define MINUTE (60u * G_USEC_PER_SEC)

/* What stood in the way is gone after a while: nobody has to read the rules again for it. */
static void what_could_not_be_kept_is_kept_later(void)
{
    Subject s;
    guint64 now = 1000 * MINUTE;
    init(&s);
    g_assert_false(syncd_policy_loader_wants_to_keep(s.loader, now));
    g_autofree char *path = g_build_filename(s.base.directory, "policy", NULL);
    g_assert_true(g_file_set_contents(path, "", 0, NULL)); /* where the folder would be */
    put(&s, DENY("a"));
    assert_in_force(&s, NULL, "a");
    g_assert_false(machine(&s)->kept);

    /* At once, then ever more seldom. */
    g_assert_true(syncd_policy_loader_wants_to_keep(s.loader, now));
    for (guint64 wait = 1, tries = 0; tries < 10; tries++) {
        g_assert_false(syncd_policy_loader_keep(s.loader, now, &s.standing));
        g_assert_false(machine(&s)->kept);
        g_assert_false(syncd_policy_loader_wants_to_keep(s.loader, now + wait * MINUTE - 1));
        now += wait * MINUTE;
        g_assert_true(syncd_policy_loader_wants_to_keep(s.loader, now));
        wait = MIN(2 * wait, 64);
    }
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_true(syncd_policy_loader_keep(s.loader, now, &s.standing));
    g_assert_true(machine(&s)->kept);
    g_assert_false(syncd_policy_loader_wants_to_keep(s.loader, G_MAXUINT64));
    g_assert_false(syncd_policy_loader_keep(s.loader, G_MAXUINT64, &s.standing));
    stop(&s);
    put(&s, BAD);
    start(&s);
    assert_in_force(&s, "a.json", "a");
    clear(&s);
}

/* What was to be kept and is not in force any more is not kept after it. */
static void only_what_is_in_force_is_kept_later(void)
{
    Subject s;
    init(&s);
    g_autofree char *path = g_build_filename(s.base.directory, "policy", NULL);
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
    put(&s, DENY("a"));
    assert_in_force(&s, NULL, "a");
    put(&s, DENY("b"));
    assert_in_force(&s, NULL, "b");
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_true(syncd_policy_loader_keep(s.loader, 1, &s.standing));
    stop(&s);
    put(&s, BAD);
    start(&s);
    assert_in_force(&s, "a.json", "b");
    clear(&s);
}

static void kept_documents_are_read_strictly(void)
{
#define HEAD "{\"schema\":\"sourceos.policy-kept/v1\",\"level\":\"machine\","
    static const char *const bad[] = {
        "",
        "null",
        "{\"schema\":\"sourceos.policy-kept/v2\"}",
        HEAD "\"since\":\"2026-05-05T00:00:00Z\",\"digest\":\"sha256:0\",\"files\":[]}",
        HEAD "\"since\":\"soon\",\"digest\":\"\",\"files\":[]}",
        HEAD "\"since\":7,\"digest\":7,\"files\":7}",
        HEAD "\"since\":\"2026-05-05T00:00:00Z\",\"files\":[{\"name\":\"a.json\"}]}",
        HEAD "\"since\":\"2026-05-05T00:00:00Z\",\"files\":[7]}",
        HEAD "\"files\":[],\"files\":[]}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(SyncdPolicyKept) kept = {0};
        g_assert_false(
            syncd_policy_kept_parse(SYNCD_POLICY_MACHINE, SYNCD_BYTES_TEXT(bad[i]), &kept, &error));
        g_assert_true(error != NULL && error->domain == SYNCD_ERROR);
    }
    Subject s;
    init(&s);
    put(&s, DENY("a"));
    assert_in_force(&s, NULL, "a");
    size_t size;
    g_autofree char *text =
        syncd_store_kept(s.base.store, KEPT, SYNCD_POLICY_KEPT_MAX, &size, NULL);
    g_auto(SyncdPolicyKept) kept = {0};
    g_assert_false(
        syncd_policy_kept_parse(SYNCD_POLICY_USER, SYNCD_BYTES(text, size), &kept, NULL));
    g_assert_true(
        syncd_policy_kept_parse(SYNCD_POLICY_MACHINE, SYNCD_BYTES(text, size), &kept, NULL));
    g_assert_cmpuint(kept.rules->len, ==, 1);
    clear(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
#define ADD(name, func) g_test_add_func("/policy-kept/" name, func)
    ADD("a-bad-file-at-the-start-leaves-the-last-good-rules",
        a_bad_file_at_the_start_leaves_the_last_good_rules);
    ADD("rules-are-in-force-since-they-changed", rules_are_in_force_since_they_changed);
    ADD("what-was-never-good-is-not-kept", what_was_never_good_is_not_kept);
    ADD("what-is-kept-is-whole-or-does-not-count", what_is_kept_is_whole_or_does_not_count);
    ADD("a-state-that-takes-nothing-keeps-nothing", a_state_that_takes_nothing_keeps_nothing);
    ADD("what-could-not-be-kept-is-kept-later", what_could_not_be_kept_is_kept_later);
    ADD("only-what-is-in-force-is-kept-later", only_what_is_in_force_is_kept_later);
    ADD("kept-documents-are-read-strictly", kept_documents_are_read_strictly);
#undef ADD
    return g_test_run();
}

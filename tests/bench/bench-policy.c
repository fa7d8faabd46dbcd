/*
 * What a decision costs when there are many actors and many files of rules, beside one of each.
 *
 *   bench-policy [--actors N] [--files N] [--rounds N]
 *
 * Two figures. The decision on an operation is everything that is done with a request before it is
 * written: its caller is found among the actors, his mandate is looked at, policy is asked; the
 * callers take turns, so that nothing is decided twice in a row for one. The rules alone are the
 * compiled set, asked without anything kept from the last time.
 */
#include "../unit/policy-fixture.h"
#include "../unit/store-fixture.h"
#include "contract/records.h"
#include "crypto/seal.h"
#include "measure.h"
#include "service/internal.h"

#define FIRST_UID 100000u
#define RULES_PER_FILE 10u
#define OPERATIONS 200000u
#define COMMIT 512u

static int option_actors = 10000;
static int option_files = 100;
static int option_rounds = 5;

/* ---- rules and actors ---- */

static GPtrArray *make_rules(unsigned n_files)
{
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_policy_rule_free);
    for (unsigned file = 0; file < n_files; file++) {
        g_autoptr(GString) text =
            g_string_new("{\"schema\":\"" SYNCD_POLICY_RULES_SCHEMA "\",\"rules\":[");
        for (unsigned i = 0; i < RULES_PER_FILE; i++)
            g_string_append_printf(
                text,
                "%s{\"match\":{\"%s\":[\"org:word-%u-%u\"],\"actions\":[\"write\"]},"
                "\"effect\":\"%s\",\"reason\":\"r%u_%u\",\"rationale\":\"r\"}",
                i > 0 ? "," : "", i % 2 == 0 ? "objects" : "scopes", file, i,
                i % 3 == 0 ? "deny" : "allow", file, i);
        g_string_append(text, "]}");
        g_autofree char *name = g_strdup_printf("%u.json", file);
        g_ptr_array_extend_and_steal(all, parse_as(SYNCD_POLICY_MACHINE, name, text->str));
    }
    return all;
}

static SyncdPolicySet *make_set(unsigned n_files)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rules = make_rules(n_files);
    SyncdPolicySet *set = syncd_policy_set_new(rules, NULL, 0, &error);
    g_assert_no_error(error);
    return set;
}

static void register_actor(SyncdService *service, unsigned number)
{
    static const char *const capabilities[] = {"read", "write", NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *id = g_strdup_printf("actor-%u", number);
    g_autofree char *identity = syncd_identity_of(FIRST_UID + number);
    SyncdActorRecord record = {
        .actor_id = id,
        .actor_type = "human",
        .display_name = "somebody",
        .identity_id = identity,
        .capabilities = capabilities,
        .trust_level = "user",
        .policy_subject = identity,
        .signing_key_ref = "none",
        .created_ms = syncd_service_now_ms(service),
    };
    g_autoptr(GString) content = g_string_new(NULL);
    syncd_actor_record_write(&record, content);
    syncd_service_append_own(service, "actor.registered", SYNCD_LANE_AUDIT, SYNCD_ACTOR_SCHEMA,
                             content, &error);
    g_assert_no_error(error);
    if (number % COMMIT == COMMIT - 1)
        syncd_service_commit(service);
}

/* ---- measuring ---- */

typedef struct {
    Fixture base;
    SyncdService *service;
    unsigned n_actors;
} Subject;

static void decide(Subject *subject, unsigned number)
{
    static const char *const objects[] = {"note-1", "note-2", "note-3", "note-4"};
    g_autoptr(GError) error = NULL;
    g_auto(SyncdAdmission) admission = {0};
    SyncdCaller caller = {.uid = FIRST_UID + number % subject->n_actors};
    SyncdRequest request = {
        .type = "sync.operation.enqueue",
        .scope = "workspace:notes",
        .object = objects[number % G_N_ELEMENTS(objects)],
        .body = SYNCD_BYTES_TEXT("{}"),
        .create_scope = true,
    };
    syncd_service_check_request(subject->service, &caller, &request, &admission, &error);
    g_assert_no_error(error);
}

static void subject_init(Subject *subject, unsigned n_actors, unsigned n_files)
{
    g_autoptr(GError) error = NULL;
    *subject = (Subject){.n_actors = n_actors};
    fixture_init(&subject->base, 7);
    fixture_open(&subject->base);
    subject->service =
        syncd_service_new(SYNCD_INSTANCE_SYSTEM, 1000, g_steal_pointer(&subject->base.store),
                          &subject->base.sources, &error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < n_actors; i++)
        register_actor(subject->service, i);
    syncd_service_commit(subject->service);
    while (syncd_service_work(subject->service))
        ;
    syncd_service_set_policy(subject->service, make_set(n_files), NULL);
    for (unsigned i = 0; i < n_actors; i++)
        decide(subject, i);
}

static void subject_clear(Subject *subject)
{
    syncd_service_free(subject->service);
    fixture_clear(&subject->base);
}

static double time_operations(Subject *subject)
{
    gint64 begin = g_get_monotonic_time();
    for (unsigned i = 0; i < OPERATIONS; i++)
        decide(subject, i);
    return seconds_since(begin) * 1e9 / OPERATIONS;
}

static double time_rules(const SyncdPolicySet *set)
{
    static const char *const objects[] = {"org:word-0-0", "note-2", "org:word-0-6", "note-4"};
    unsigned allowed = 0;
    gint64 begin = g_get_monotonic_time();
    for (unsigned i = 0; i < OPERATIONS; i++) {
        SyncdPolicyRequest request = asks("write", "normal", "internal");
        request.fields[SYNCD_FIELD_OBJECT] = objects[i % G_N_ELEMENTS(objects)];
        request.fields[SYNCD_FIELD_SCOPE] = "workspace:notes";
        allowed += syncd_policy_set_decide(set, &request).outcome.allowed;
    }
    double result = seconds_since(begin) * 1e9 / OPERATIONS;
    g_assert_cmpuint(allowed, <, OPERATIONS);
    return result;
}

int main(int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"actors", 0, 0, G_OPTION_ARG_INT, &option_actors, "registered actors", "N"},
        {"files", 0, 0, G_OPTION_ARG_INT, &option_files, "files of rules", "N"},
        {"rounds", 0, 0, G_OPTION_ARG_INT, &option_rounds, "rounds", "N"},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || option_actors < 1 ||
        option_files < 1 || option_rounds < 1 || option_rounds > (int)ROUNDS_MAX)
        g_error("wrong options");
    if (!syncd_crypto_init(&error))
        g_error("%s", error->message);

    Subject many, one;
    Rounds many_times = {0}, one_times = {0}, many_rules = {0}, one_rules = {0};
    subject_init(&many, (unsigned)option_actors, (unsigned)option_files);
    subject_init(&one, 1, 1);
    for (int round = 0; round < option_rounds; round++) {
        rounds_add(&many_times, time_operations(&many));
        rounds_add(&one_times, time_operations(&one));
        rounds_add(&many_rules, time_rules(many.service->policy));
        rounds_add(&one_rules, time_rules(one.service->policy));
    }
    printf("%d actors, %d files of %u rules; %u operations a round\n\n", option_actors,
           option_files, RULES_PER_FILE, OPERATIONS);
    tell_heading();
    tell("decision on an operation", "ns", &many_times, "1 actor, 1 file", &one_times,
         "at most 1.5");
    tell("the rules alone", "ns", &many_rules, "1 file", &one_rules, "at most 1.5");
    subject_clear(&many);
    subject_clear(&one);
    return 0;
}

/* EnqueueMany: all of them, or none. */
#include "policy-fixture.h"
#include "registry-fixture.h"

static GString *many(ServiceFixture *f, const char *lines, GError **error)
{
    return enqueue_many_at_once(f->service, &f->caller, SYNCD_BYTES_TEXT(lines), error);
}

#define LINE(object, body, more)                                                                   \
    "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:many\",\"object\":\"" object       \
    "\",\"body\":" body more "}\n"
#define CREATE ",\"create_scope\":true"

static void many_are_recorded_in_order(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(GError) error = NULL;
    /* the second line relies on the scope that the first one opens; the third repeats the first */
    g_autoptr(GString) results =
        many(&f,
             LINE("a", "{\"n\": 1.50}", CREATE ",\"idempotency_key\":\"k\"") LINE("b", "{}", "")
                 LINE("a", "{\"n\": 1.50}", CREATE ",\"idempotency_key\":\"k\""),
             &error);
    g_assert_no_error(error);
    syncd_service_commit(f.service);

    g_auto(GStrv) lines = g_strsplit(results->str, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 4); /* the last one is empty */
    assert_member(lines[0], "duplicate", "false");
    assert_member(lines[1], "duplicate", "false");
    assert_member(lines[2], "duplicate", "true");
    g_autofree char *first = member_of(lines[0], "operation");
    assert_member(lines[2], "operation", first);
    g_autofree char *id = g_strndup(first + 1, strlen(first) - 2);
    g_autofree char *record = get(&f, id);
    g_assert_true(g_str_has_suffix(record, ",\"n\": 1.50}"));
    service_clear(&f);
}

static void many_are_all_or_none(void)
{
    static const struct {
        const char *lines;
        SyncdErrorCode code;
        const char *says;
    } cases[] = {
        {LINE("a", "{}", CREATE) LINE("b", "[]", ""), SYNCD_ERROR_INVALID_CONTRACT,
         "Line 2: /body"},
        {LINE("a", "{}", CREATE) LINE("../b", "{}", ""), SYNCD_ERROR_INVALID_CONTRACT,
         "Line 2: /object"},
        {LINE("a", "{}", CREATE) LINE("b", "{}", ",\"extra\":1"), SYNCD_ERROR_INVALID_CONTRACT,
         "Line 2: /extra"},
        {LINE("a", "{}", CREATE) "{\"type\":\"sync.operation.enqueue\"}",
         SYNCD_ERROR_INVALID_CONTRACT, "Line 2: /scope is missing"},
        {LINE("a", "{}", CREATE) LINE("b", "{}", ",\"lane\":7"), SYNCD_ERROR_INVALID_CONTRACT,
         "Line 2: /lane"},
        {LINE("a", "{}", CREATE) LINE("b", "{}", ",\"lane\":\"normal\\u0000\""),
         SYNCD_ERROR_INVALID_CONTRACT, "Line 2: /lane"},
        {LINE("a", "{}", CREATE) LINE("b", "{}", ",\"parents\":[1]"), SYNCD_ERROR_INVALID_CONTRACT,
         "Line 2: /parents/0"},
        {LINE("a", "{}", CREATE) "\n" LINE("b", "{}", ""), SYNCD_ERROR_INVALID_ENCODING, "Line 2"},
        {LINE("a", "{}", CREATE) "{} {}\n", SYNCD_ERROR_INVALID_ENCODING, "Line 2"},
        {LINE("a", "{}", ""), SYNCD_ERROR_NOT_FOUND, "Line 1"},
        /* found only when the first line was written already */
        {LINE("a", "{}", CREATE ",\"idempotency_key\":\"k\"")
             LINE("b", "{}", ",\"idempotency_key\":\"k\""),
         SYNCD_ERROR_INVALID_ARGS, "Line 2: /idempotency_key"},
    };
    ServiceFixture f;
    service_init(&f);
    guint64 before = service_sequence(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(many(&f, cases[i].lines, &error));
        g_assert_error(error, SYNCD_ERROR, (int)cases[i].code);
        g_assert_true(g_str_has_prefix(error->message, cases[i].says));
        g_assert_false(syncd_service_has_turn(f.service));
    }
    g_assert_cmpuint(service_sequence(&f), ==, before);
    service_clear(&f);
}

static void a_refused_batch_takes_nothing_from_others(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(GError) error = NULL;
    Heard heard = {0};
    SyncdRequest request = good_request();
    g_auto(SyncdEnqueued) other = enqueue(&f, &request);
    syncd_service_after_commit(f.service, note_commit, &heard);
    g_assert_null(many(&f,
                       LINE("a", "{}", CREATE ",\"idempotency_key\":\"k\"")
                           LINE("b", "{}", ",\"idempotency_key\":\"k\""),
                       &error));
    syncd_service_commit(f.service);
    g_assert_cmpuint(heard.calls, ==, 1);
    g_assert_cmpint(heard.code, ==, -1);
    g_autofree char *record = get(&f, other.operation);
    g_assert_nonnull(record);
    service_clear(&f);
}

/* What was remembered of a turn goes with it: the decisions that it held are recorded by the next
 * one. */
static void decisions_of_a_refused_batch_are_recorded_later(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(GError) error = NULL;
    g_assert_null(many(&f,
                       LINE("a", "{}", CREATE ",\"idempotency_key\":\"k\"")
                           LINE("b", "{}", ",\"idempotency_key\":\"k\""),
                       &error));
    g_assert_cmpuint(count_events(&f, "sync.policy.decided"), ==, 0);
    for (unsigned i = 0; i < 3; i++) {
        put(&f, "note-1", "{}");
        g_assert_cmpuint(count_events(&f, "sync.policy.decided"), ==, 2);
    }
    service_clear(&f);
}

static void many_has_limits(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(GString) lines = g_string_new(LINE("a", "{}", CREATE));
    for (guint i = 1; i < SYNCD_MANY_MAX; i++)
        g_string_append(lines, LINE("a", "{}", ""));
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) results = many(&f, lines->str, &error);
    g_assert_no_error(error);
    g_assert_nonnull(results);
    syncd_service_commit(f.service);

    g_string_append(lines, LINE("a", "{}", ""));
    g_assert_null(many(&f, lines->str, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE);
    g_clear_error(&error);

    g_autofree char *huge = g_strnfill(SYNCD_MANY_SIZE + 1, ' ');
    g_assert_null(many(&f, huge, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE);
    g_clear_error(&error);

    g_autoptr(GString) nothing = many(&f, "", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(nothing->str, ==, "");
    service_clear(&f);
}

/* ---- in steps ---- */

/* A clock that each look at it moves by so much. */
static guint64 look_usec, looked_usec;

static guint64 look(void *data)
{
    return looked_usec += look_usec;
}

static void init_with_clock(ServiceFixture *f, guint64 usec)
{
    service_init(f);
    look_usec = usec;
    looked_usec = 1;
    f->base.sources.monotonic_usec = look;
}

static SyncdMany *begin(ServiceFixture *f, const char *lines)
{
    g_autoptr(GError) error = NULL;
    SyncdMany *batch =
        syncd_service_begin_many(f->service, &f->caller, SYNCD_BYTES_TEXT(lines), &error);
    g_assert_no_error(error);
    return batch;
}

static void step(SyncdMany *batch)
{
    g_autoptr(GError) error = NULL;
    GString *results = NULL;
    g_assert_true(syncd_many_step(batch, &results, &error));
    g_assert_no_error(error);
    g_assert_null(results);
}

/* How many steps there were; none but the last one writes. */
static unsigned finish(ServiceFixture *f, SyncdMany *batch, GString **ret_results)
{
    unsigned n = 0;
    g_autoptr(GError) error = NULL;
    guint64 before = service_sequence(f);
    for (*ret_results = NULL; *ret_results == NULL; n++) {
        g_assert_cmpuint(service_sequence(f), ==, before);
        g_assert_false(syncd_service_has_turn(f->service));
        g_assert_true(syncd_many_step(batch, ret_results, &error));
        g_assert_no_error(error);
    }
    return n;
}

static GString *as_many_as_may_be(void)
{
    GString *lines = g_string_new(NULL);
    for (guint i = 0; i < SYNCD_MANY_MAX; i++)
        g_string_append(lines, LINE("a", "{}", CREATE));
    return lines;
}

static unsigned steps_when_a_look_takes(guint64 usec)
{
    ServiceFixture f;
    GString *results;
    init_with_clock(&f, usec);
    g_autoptr(GString) lines = as_many_as_may_be();
    g_autoptr(SyncdMany) batch = begin(&f, lines->str);
    unsigned n = finish(&f, batch, &results);
    g_string_free(results, TRUE);
    service_clear(&f);
    return n;
}

/* Whatever a line costs, a step checks few of them; and it always checks one. */
static void a_step_is_short(void)
{
    g_assert_cmpuint(steps_when_a_look_takes(0), ==, SYNCD_MANY_MAX / 64 + 1);
    g_assert_cmpuint(steps_when_a_look_takes(1), ==, SYNCD_MANY_MAX / 64 + 1);
    g_assert_cmpuint(steps_when_a_look_takes(125), ==, SYNCD_MANY_MAX / 4 + 1);
    g_assert_cmpuint(steps_when_a_look_takes(500), ==, SYNCD_MANY_MAX + 1);
    g_assert_cmpuint(steps_when_a_look_takes(G_USEC_PER_SEC), ==, SYNCD_MANY_MAX + 1);
}

static void what_is_given_up_leaves_no_trace(void)
{
    ServiceFixture f;
    init_with_clock(&f, 500);
    guint64 before = service_sequence(&f);
    SyncdMany *batch = begin(&f, LINE("a", "{}", CREATE) LINE("b", "{}", ""));
    step(batch);
    step(batch);
    syncd_many_free(batch);
    g_assert_false(syncd_service_has_turn(f.service));
    g_assert_cmpuint(service_sequence(&f), ==, before);

    g_autoptr(GError) error = NULL;
    g_assert_null(many(&f, LINE("a", "{}", ""), &error)); /* the scope was not opened */
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    service_clear(&f);
}

static guint64 sequence_of(const char *line)
{
    g_autofree char *sequence = member_of(line, "sequence");
    return g_ascii_strtoull(sequence, NULL, 10);
}

/* They go before, and those of the batch follow each other. */
static void others_may_write_between_steps(void)
{
    ServiceFixture f;
    GString *results;
    init_with_clock(&f, 500);
    Heard heard = {0};
    g_autoptr(SyncdMany) batch =
        begin(&f, LINE("a", "{}", CREATE) LINE("b", "{}", "") LINE("c", "{}", ""));
    step(batch);
    put(&f, "of-another", "{}");
    step(batch);
    SyncdRequest request = good_request();
    g_auto(SyncdEnqueued) other = enqueue(&f, &request);
    syncd_service_after_commit(f.service, note_commit, &heard);
    step(batch);
    g_assert_cmpuint(heard.calls, ==, 0);

    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_many_step(batch, &results, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(heard.calls, ==, 1); /* the other's turn was not the batch's */
    g_assert_cmpint(heard.code, ==, -1);
    syncd_service_commit(f.service);
    g_auto(GStrv) lines = g_strsplit(results->str, "\n", -1);
    guint64 first = sequence_of(lines[0]);
    g_assert_cmpuint(first, >, other.sequence);
    g_assert_cmpuint(sequence_of(lines[1]), ==, first + 1);
    g_assert_cmpuint(sequence_of(lines[2]), ==, first + 2);
    g_string_free(results, TRUE);
    service_clear(&f);
}

/* What was allowed when its line was checked may not be any more when it is written. */
static void what_changes_between_steps_is_heeded(void)
{
    ServiceFixture f;
    GString *results;
    init_with_clock(&f, 500);
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdMany) batch = begin(&f, LINE("a", "{}", CREATE) LINE("b", "{}", ""));
    step(batch);
    step(batch);
    syncd_service_set_policy(
        f.service,
        set_of(FILE_OF(RULE("\"scopes\":[\"workspace:many\"]", "deny", "site_says_no")), NULL),
        NULL);
    g_assert_false(syncd_many_step(batch, &results, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    g_assert_true(g_str_has_prefix(error->message, "Line 1: "));
    /* The refusal itself may be recorded, but no operation is. */
    syncd_service_commit(f.service);
    g_assert_cmpuint(count_events(&f, "sync.operation.enqueued"), ==, 0);
    service_clear(&f);
}

/* A caller who lost its right meanwhile writes nothing, not even what was checked before. */
static void who_is_revoked_between_steps_writes_nothing(void)
{
    ServiceFixture f;
    GString *results;
    init_with_clock(&f, 500);
    SyncdCaller other = {.uid = f.caller.uid + 1};
    g_autofree char *record =
        g_strdup_printf(ACTOR("human:other", "uid:%u", ""), other.uid, other.uid);
    g_assert_cmpint(register_record(&f, "actor", record), ==, -1);
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdMany) batch = syncd_service_begin_many(
        f.service, &other, SYNCD_BYTES_TEXT(LINE("a", "{}", CREATE) LINE("b", "{}", "")), &error);
    g_assert_no_error(error);
    step(batch);
    step(batch);
    g_assert_cmpint(revoke_record(&f, "actor", "human:other"), ==, -1);
    g_assert_false(syncd_many_step(batch, &results, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    syncd_service_commit(f.service);
    g_assert_cmpuint(count_events(&f, "sync.operation.enqueued"), ==, 0);
    service_clear(&f);
}

/* Rules that are read again are others, also where they say the same: what was decided by the
 * earlier ones is gone with them. */
static void rules_that_were_read_again_between_steps_decide_anew(void)
{
    static const char rules[] =
        FILE_OF(RULE("\"objects\":[\"a\",\"b\"]", "allow", "site_says_yes"));
    ServiceFixture f;
    init_with_clock(&f, 500);
    syncd_service_set_policy(f.service, set_of(rules, NULL), NULL);
    g_autoptr(SyncdMany) batch = begin(&f, LINE("a", "{}", CREATE) LINE("b", "{}", ""));
    step(batch);
    syncd_service_set_policy(f.service, set_of(rules, NULL), NULL);
    GString *results = NULL;
    finish(&f, batch, &results);
    g_string_free(results, TRUE);
    syncd_service_commit(f.service);
    g_autofree char *decisions = events_of(&f, "sync.policy.decided");
    g_assert_nonnull(strstr(decisions, "site_says_yes"));
    service_clear(&f);
}

/* The first use of a key decides, also when it came between the steps. */
static void a_key_that_was_used_between_steps_counts(void)
{
    ServiceFixture f;
    GString *results;
    init_with_clock(&f, 500);
    g_autoptr(SyncdMany) batch = begin(&f, LINE("a", "{}", CREATE ",\"idempotency_key\":\"k\""));
    step(batch);
    SyncdRequest request = good_request();
    request.scope = "workspace:many";
    request.object = "a";
    request.idempotency_key = "k";
    g_autofree char *first = enqueue_committed(&f, &request);
    finish(&f, batch, &results);
    g_autofree char *quoted = g_strdup_printf("\"%s\"", first);
    g_strchomp(results->str);
    assert_member(results->str, "duplicate", "true");
    assert_member(results->str, "operation", quoted);
    g_string_free(results, TRUE);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/many/many-are-recorded-in-order", many_are_recorded_in_order);
    g_test_add_func("/many/many-are-all-or-none", many_are_all_or_none);
    g_test_add_func("/many/a-refused-batch-takes-nothing-from-others",
                    a_refused_batch_takes_nothing_from_others);
    g_test_add_func("/many/decisions-of-a-refused-batch-are-recorded-later",
                    decisions_of_a_refused_batch_are_recorded_later);
    g_test_add_func("/many/many-has-limits", many_has_limits);
    g_test_add_func("/many/a-step-is-short", a_step_is_short);
    g_test_add_func("/many/what-is-given-up-leaves-no-trace", what_is_given_up_leaves_no_trace);
    g_test_add_func("/many/others-may-write-between-steps", others_may_write_between_steps);
    g_test_add_func("/many/what-changes-between-steps-is-heeded",
                    what_changes_between_steps_is_heeded);
    g_test_add_func("/many/who-is-revoked-between-steps-writes-nothing",
                    who_is_revoked_between_steps_writes_nothing);
    g_test_add_func("/many/rules-that-were-read-again-between-steps-decide-anew",
                    rules_that_were_read_again_between_steps_decide_anew);
    g_test_add_func("/many/a-key-that-was-used-between-steps-counts",
                    a_key_that_was_used_between_steps_counts);
    return g_test_run();
}

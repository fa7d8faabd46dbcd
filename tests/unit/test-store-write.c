/*
 * What a store is asked to write is written whole and readable, or refused before anything of it is
 * there.
 */
#include "crypto/seal.h"
#include "store-fixture.h"

#define HOUR_USEC (G_GUINT64_CONSTANT(3600) * G_USEC_PER_SEC)

static SyncdDraft good_draft(void)
{
    return (SyncdDraft){.kind = "operation.enqueue",
                        .actor = "actor-test",
                        .object = "",
                        .decision = "",
                        .engine = "",
                        .lane = "normal",
                        .schema_id = "x/v1",
                        .schema_version = 1,
                        .meta = SYNCD_BYTES_TEXT("{}"),
                        .content = {"{}", 2}};
}

static void assert_refused(Fixture *f, const SyncdDraft *draft, SyncdErrorCode code)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(
        syncd_store_append(f->store, syncd_store_device_id(f->store), draft, NULL, &error));
    g_assert_error(error, SYNCD_ERROR, (int)code);
}

static void what_would_not_read_back_is_refused(void)
{
    Fixture f;
    fixture_init(&f, 51);
    fixture_open(&f);
    g_autofree char *long_key = g_strnfill(SYNCD_STORE_KEY_MAX + 1, 'k');
    g_autofree char *long_name = g_strnfill(200, 'n');
    g_autofree char *large = g_malloc0(SYNCD_STORE_CONTENT_MAX + 1);
    SyncdDraft drafts[16];
    for (size_t i = 0; i < G_N_ELEMENTS(drafts); i++)
        drafts[i] = good_draft();
    size_t n = 0;
    drafts[n++].kind = "";
    drafts[n++].actor = "two words";
    drafts[n++].object = "a/b";
    drafts[n++].lane = "";
    drafts[n++].decision = "\"";
    drafts[n++].engine = "\n";
    drafts[n++].op = "";
    drafts[n++].op = "op\"";
    drafts[n++].schema_id = "a\"b";
    drafts[n++].schema_id = "a\\b";
    drafts[n++].schema_id = "\xc3\xa4";
    drafts[n++].schema_id = long_name;
    drafts[n++].schema_version = G_MAXUINT64;
    drafts[n++].meta = SYNCD_BYTES_TEXT("{\n}");
    for (size_t i = 0; i < n; i++)
        assert_refused(&f, &drafts[i], SYNCD_ERROR_INVALID_ARGS);
    drafts[n].idempotency_key = long_key;
    assert_refused(&f, &drafts[n++], SYNCD_ERROR_TOO_LARGE);
    drafts[n].content = SYNCD_BYTES(large, SYNCD_STORE_CONTENT_MAX + 1);
    assert_refused(&f, &drafts[n++], SYNCD_ERROR_TOO_LARGE);
    g_assert_false(syncd_store_has_turn(f.store)); /* not even the log was begun */
    fixture_fill(&f, 3);
    fixture_close(&f);
    fixture_open(&f);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

static void an_operation_exists_once(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 52);
    fixture_open(&f);
    SyncdDraft draft = good_draft();
    draft.op = "op-mine";
    g_assert_true(
        syncd_store_append(f.store, syncd_store_device_id(f.store), &draft, NULL, &error));
    assert_refused(&f, &draft, SYNCD_ERROR_INVALID_ARGS); /* in the turn */
    fixture_commit(&f);
    assert_refused(&f, &draft, SYNCD_ERROR_INVALID_ARGS); /* waiting for the index */
    g_assert_true(syncd_store_settle(f.store, &error));
    assert_refused(&f, &draft, SYNCD_ERROR_INVALID_ARGS); /* in the index */
    fixture_fill(&f, 3);
    g_assert_true(syncd_store_settle(f.store, &error));
    fixture_clear(&f);
}

static void a_scope_that_cannot_open_leaves_no_feed(void)
{
    static const struct {
        const char *class, *name, *actor;
    } bad[] = {
        {"workspace", "a", "no actor"},       {"nonsense", "a", "actor-test"},
        {"a/b", "a", "actor-test"},           {"device", "", "actor-test"},
        {"workspace", "there", "actor-test"},
    };
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 53);
    fixture_open(&f);
    g_autoptr(SyncdScope) there = NULL;
    g_assert_true(
        syncd_store_open_scope(f.store, "workspace", "there", "actor-test", &there, &error));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(SyncdScope) scope = NULL;
        g_assert_false(syncd_store_open_scope(f.store, bad[i].class, bad[i].name, bad[i].actor,
                                              &scope, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
        g_clear_error(&error);
    }
    /* The turn that they came in is good. */
    fixture_fill(&f, 3);
    fixture_close(&f);
    fixture_open(&f);
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_WRITABLE);
    g_autoptr(GPtrArray) heads = syncd_store_heads(f.store);
    g_assert_cmpuint(heads->len, ==, 2);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

static void a_head_is_kept_in_a_transaction_of_its_own(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 54);
    fixture_open(&f);
    fixture_fill(&f, 3);
    SyncdReceipt receipt = fixture_append(&f, "", NULL, "{}");
    syncd_receipt_clear(&receipt);
    const char *device = syncd_store_device_id(f.store);
    g_assert_false(syncd_store_keep_head(f.store, device, "checkpoint.write", &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    g_clear_error(&error);
    g_assert_true(syncd_store_has_turn(f.store));
    fixture_commit(&f);
    g_assert_true(syncd_store_keep_head(f.store, device, "checkpoint.write", &error));
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

static guint64 ms_of(Fixture *f, guint64 pos)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEntry) entry = {0};
    g_assert_true(syncd_store_read(f->store, pos, &entry, &error));
    return entry.header.hlc.ms;
}

static void time_never_goes_back(void)
{
    Fixture f;
    fixture_init(&f, 55);
    fixture_open(&f);
    fixture_fill(&f, 2);
    guint64 before = syncd_store_last_ms(f.store), now = f.now_usec;
    g_assert_cmpuint(before, >, 0);

    /* What a discarded turn had nobody saw. */
    f.now_usec = now + HOUR_USEC;
    SyncdReceipt receipt = fixture_append(&f, "", NULL, "{}");
    syncd_receipt_clear(&receipt);
    g_assert_cmpuint(syncd_store_last_ms(f.store), ==, before);
    syncd_store_discard(f.store);
    g_assert_cmpuint(syncd_store_last_ms(f.store), ==, before);

    f.now_usec = now - HOUR_USEC;
    fixture_close(&f);
    fixture_open(&f);
    g_assert_cmpuint(syncd_store_last_ms(f.store), ==, before);
    fixture_fill(&f, 2);
    g_assert_cmpuint(ms_of(&f, syncd_store_sequence(f.store)), >=, before);
    g_assert_cmpuint(ms_of(&f, syncd_store_sequence(f.store)), <, before + 1000);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

/* Entries come while a verification walks, and a turn is open when it ends. */
static void verifying_a_growing_log_raises_no_alarm(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 56);
    fixture_open(&f);
    fixture_fill(&f, 900);
    g_autoptr(SyncdVerify) verify = syncd_verify_new(f.store, SYNCD_VERIFY_FULL, NULL, &error);
    g_autoptr(SyncdScope) scope = NULL;
    for (bool more = true; more;) {
        g_autofree char *name = g_strdup_printf("s%u", (unsigned)syncd_store_sequence(f.store));
        g_clear_pointer(&scope, syncd_scope_free);
        g_assert_true(syncd_verify_step(verify, &more, &error));
        fixture_fill(&f, 33);
        g_assert_true(syncd_store_keep_head(f.store, syncd_store_device_id(f.store),
                                            "checkpoint.write", &error));
        g_assert_true(
            syncd_store_open_scope(f.store, "workspace", name, "actor-test", &scope, &error));
        for (int i = 0; i < 40; i++) {
            SyncdReceipt receipt = fixture_append(&f, "", NULL, "{}");
            syncd_receipt_clear(&receipt);
        }
        g_assert_true(syncd_verify_step(verify, &more, &error));
        if (syncd_store_sequence(f.store) % 2 == 0)
            syncd_store_discard(f.store);
    }
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 0);
    g_assert_cmpuint(syncd_verify_checked(verify), ==, 901);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/store-write/what-would-not-read-back-is-refused",
                    what_would_not_read_back_is_refused);
    g_test_add_func("/store-write/an-operation-exists-once", an_operation_exists_once);
    g_test_add_func("/store-write/a-scope-that-cannot-open-leaves-no-feed",
                    a_scope_that_cannot_open_leaves_no_feed);
    g_test_add_func("/store-write/a-head-is-kept-in-a-transaction-of-its-own",
                    a_head_is_kept_in_a_transaction_of_its_own);
    g_test_add_func("/store-write/time-never-goes-back", time_never_goes_back);
    g_test_add_func("/store-write/verifying-a-growing-log-raises-no-alarm",
                    verifying_a_growing_log_raises_no_alarm);
    return g_test_run();
}

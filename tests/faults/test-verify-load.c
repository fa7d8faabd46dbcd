/*
 * A store that is written to as fast as it takes entries is verified all the while, step by step
 * between the writes, in open turns too: no verification ever finds anything.
 *
 *   test-verify-load [--appends=N] [--from=SEED]
 */
#include "../unit/store-fixture.h"
#include "crypto/seal.h"
#include "store/store-private.h"

#define SCOPES_MAX 8u
#define KNOWN_MAX 4u
#define CONTROL_APPENDS 1000
#define LARGE (SYNCD_STORE_INLINE_MAX * 20)

static int option_appends = 20000;
static int option_from = 1;

typedef struct {
    Fixture f;
    GPtrArray *scopes;         /* char *, ids that entries are appended to */
    guint committed_scopes;    /* so many of them are there if the open turn is discarded */
    GPtrArray *known;          /* char *, notes of heads that were committed */
    SyncdVerify *verification; /* the one that is under way */
    SyncdVerifyMode mode;      /* … and how it looks */
    int appended;
    guint ended[3]; /* verifications, by mode */
    guint steps_in_turn, discarded, reopened, large;
} Load;

static bool one_in(Load *load, guint64 n)
{
    return fixture_next(&load->f) % n == 0;
}

static void drop_verification(Load *load)
{
    g_clear_pointer(&load->verification, syncd_verify_free);
}

/* ---- writing ---- */

static void append(Load *load)
{
    size_t size = one_in(load, 1000) ? LARGE : 2 + fixture_next(&load->f) % 900;
    g_autofree char *content = g_malloc(size);
    g_autofree char *key = one_in(load, 10) ? g_strdup_printf("key-%d", load->appended) : NULL;
    const char *scope = load->scopes->pdata[fixture_next(&load->f) % load->scopes->len];
    memset(content, 'x', size);
    content[0] = content[size - 1] = '"';
    SyncdReceipt receipt = fixture_append_to(&load->f, scope, "o", key, content, size);
    syncd_receipt_clear(&receipt);
    load->appended++;
    load->large += size == LARGE;
}

static void commit(Load *load)
{
    fixture_commit(&load->f);
    load->committed_scopes = load->scopes->len;
}

static void discard(Load *load)
{
    if (!syncd_store_has_turn(load->f.store))
        return;
    syncd_store_discard(load->f.store);
    g_ptr_array_set_size(load->scopes, (gint)load->committed_scopes);
    load->discarded++;
}

static void open_scope(Load *load)
{
    static const char *const classes[] = {"public", "profile", "workspace"};
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    g_autofree char *name = g_strdup_printf("s%d", load->appended);
    if (load->scopes->len == SCOPES_MAX)
        return;
    syncd_store_open_scope(load->f.store, classes[load->scopes->len % G_N_ELEMENTS(classes)], name,
                           "actor-test", &scope, &error);
    g_assert_no_error(error);
    g_ptr_array_add(load->scopes, g_strdup(scope->id));
}

static void keep_head(Load *load)
{
    g_autoptr(GError) error = NULL;
    const char *scope = load->scopes->pdata[fixture_next(&load->f) % load->committed_scopes];
    if (syncd_store_has_turn(load->f.store))
        commit(load);
    syncd_store_keep_head(load->f.store, scope, "checkpoint.write", &error);
    g_assert_no_error(error);
    g_autoptr(SyncdHead) head = syncd_store_head(load->f.store, scope, &error);
    g_assert_no_error(error);
    if (load->known->len == KNOWN_MAX)
        g_ptr_array_remove_index(load->known, 0);
    g_ptr_array_add(load->known, g_strdup(head->note));
}

static void reopen(Load *load)
{
    drop_verification(load);
    if (syncd_store_has_turn(load->f.store))
        commit(load);
    fixture_close(&load->f);
    fixture_open_mode(&load->f, SYNCD_STORE_OPEN);
    load->reopened++;
}

/* ---- verifying ---- */

static void begin_verification(Load *load, SyncdVerifyMode mode)
{
    g_autoptr(GError) error = NULL;
    g_autofree const char **known = g_new0(const char *, load->known->len + 1);
    for (guint i = 0; i < load->known->len; i++)
        known[i] = load->known->pdata[i];
    load->verification = syncd_verify_new(load->f.store, mode, known, &error);
    g_assert_no_error(error);
    load->mode = mode;
}

static void assert_finds_nothing(const SyncdVerify *verification)
{
    if (syncd_verify_n_findings(verification) > 0) {
        const SyncdVerifyFinding *finding = syncd_verify_findings(verification)->pdata[0];
        g_error("a false alarm: %s %s seq %d pos %d: %s", finding->code, finding->feed,
                (int)finding->seq, (int)finding->pos, finding->detail);
    }
}

static void step_verification(Load *load)
{
    static const SyncdVerifyMode modes[] = {SYNCD_VERIFY_INCREMENTAL, SYNCD_VERIFY_FULL,
                                            SYNCD_VERIFY_HEADS};
    g_autoptr(GError) error = NULL;
    guint which = fixture_next(&load->f) % G_N_ELEMENTS(modes);
    bool more;
    if (load->verification == NULL)
        begin_verification(load, modes[which]);
    load->steps_in_turn += syncd_store_has_turn(load->f.store);
    syncd_verify_step(load->verification, &more, &error);
    g_assert_no_error(error);
    assert_finds_nothing(load->verification);
    if (more)
        return;
    load->ended[load->mode]++;
    drop_verification(load);
}

/* ---- the load ---- */

static void one_act(Load *load)
{
    append(load);
    if (one_in(load, 6))
        step_verification(load);
    if (one_in(load, 300))
        open_scope(load);
    if (one_in(load, 250))
        discard(load);
    if (one_in(load, 40) || syncd_store_turn_is_full(load->f.store))
        commit(load);
    if (one_in(load, 300))
        keep_head(load);
    if (one_in(load, 4))
        syncd_store_work(load->f.store);
    if (one_in(load, 5000))
        reopen(load);
}

static void begin(Load *load, guint64 seed)
{
    *load = (Load){0};
    fixture_init(&load->f, seed);
    fixture_open(&load->f);
    load->scopes = g_ptr_array_new_with_free_func(g_free);
    load->known = g_ptr_array_new_with_free_func(g_free);
    /* The first entry makes the device's own scope. */
    fixture_fill(&load->f, 1);
    g_ptr_array_add(load->scopes, g_strdup(syncd_store_device_id(load->f.store)));
    load->committed_scopes = 1;
}

static void finish(Load *load)
{
    drop_verification(load);
    g_ptr_array_unref(load->scopes);
    g_ptr_array_unref(load->known);
    fixture_clear(&load->f);
}

static void no_false_alarm_at_full_load(void)
{
    Load load;
    begin(&load, (guint64)option_from);
    while (load.appended < option_appends)
        one_act(&load);
    commit(&load);
    drop_verification(&load);
    fixture_assert_sound(&load.f);
    g_test_message("%d appends (%u large, %u turns discarded, opened again %u times) from %d: "
                   "%u incremental, %u full and %u verifications of heads, %u steps in open turns",
                   load.appended, load.large, load.discarded, load.reopened, option_from,
                   load.ended[SYNCD_VERIFY_INCREMENTAL], load.ended[SYNCD_VERIFY_FULL],
                   load.ended[SYNCD_VERIFY_HEADS], load.steps_in_turn);
    for (guint mode = 0; mode < G_N_ELEMENTS(load.ended); mode++)
        g_assert_cmpuint(load.ended[mode], >, 0);
    g_assert_cmpuint(load.steps_in_turn, >, 0);
    g_assert_cmpuint(load.discarded, >, 0);
    finish(&load);
}

/* The control: the same load over one body that is not the one which was written. */
static void one_changed_body_is_told_at_full_load(void)
{
    Load load;
    g_autoptr(GError) error = NULL;
    begin(&load, (guint64)option_from);
    for (int i = 0; i < CONTROL_APPENDS; i++)
        append(&load);
    commit(&load);
    syncd_database_run(
        syncd_journal_database(load.f.store->journal),
        "DROP TRIGGER entry_update; UPDATE entry SET body = zeroblob(99) WHERE pos = 9", &error);
    g_assert_no_error(error);

    bool more = true, told = false;
    begin_verification(&load, SYNCD_VERIFY_FULL);
    while (more) {
        append(&load);
        syncd_verify_step(load.verification, &more, &error);
        g_assert_no_error(error);
    }
    for (guint i = 0; i < syncd_verify_findings(load.verification)->len; i++) {
        const SyncdVerifyFinding *finding = syncd_verify_findings(load.verification)->pdata[i];
        told = told || (strcmp(finding->code, "body-digest") == 0 && finding->pos == 9);
    }
    g_assert_true(told);
    finish(&load);
}

int main(int argc, char **argv)
{
    GOptionEntry options[] = {
        {"appends", 0, 0, G_OPTION_ARG_INT, &option_appends, NULL, NULL},
        {"from", 0, 0, G_OPTION_ARG_INT, &option_from, NULL, NULL},
        {0},
    };
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, NULL) || !syncd_crypto_init(NULL))
        return 2;
    g_test_add_func("/verify-load/no-false-alarm-at-full-load", no_false_alarm_at_full_load);
    g_test_add_func("/verify-load/one-changed-body-is-told-at-full-load",
                    one_changed_body_is_told_at_full_load);
    return g_test_run();
}

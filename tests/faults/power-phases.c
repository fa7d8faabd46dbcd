#include "power-phases.h"

#include "power-check.h"
#include "power-migration.h"
#include "power-purge.h"

#include "store/mend.h"
#include "store/store-private.h"
#include "store/verify.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* The first so many have one: the others have no history of a store. */
#define POWER_PHASES_WITH_SECOND_CUT 8
#define RESERVE_BYTES (1024u * 1024u)

/* ---- steps of a history ---- */

static guint64 below(PowerRun *run, guint64 bound)
{
    return power_below(&run->random, bound);
}

static size_t now(const PowerRun *run)
{
    return power_run_now(run);
}

static void open_store_on(PowerRun *run, const char *machine, guint64 reserve_bytes)
{
    g_autoptr(GError) error = NULL;
    SyncdStoreOptions options = {.directory = run->state,
                                 .mode = SYNCD_STORE_CREATE,
                                 .sources = &run->sources.sources,
                                 .machine = machine,
                                 .reserve_bytes = reserve_bytes};
    run->store = syncd_store_open(&options, &error);
    g_assert_no_error(error);
    if (run->fault == POWER_SYNCHRONOUS_OFF)
        syncd_database_run(syncd_journal_database(run->store->journal), "PRAGMA synchronous = OFF;",
                           &error);
    g_assert_no_error(error);
}

static void open_store(PowerRun *run)
{
    open_store_on(run, POWER_FIRST_MACHINE, 0);
}

static void close_store(PowerRun *run)
{
    g_clear_pointer(&run->store, syncd_store_free);
}

static void append(PowerRun *run, const char *scope, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReceipt) receipt = {0};
    bool keyed = below(run, 3) > 0;
    PowerRequest *request = power_request_new(&run->random, scope, size, keyed);
    power_request_send(request, run->store, &receipt, &error);
    g_assert_no_error(error);
    power_log_add_request(run->log, receipt.op, request);
}

static const char *any_scope(PowerRun *run)
{
    return run->scopes->pdata[below(run, run->scopes->len)];
}

/* Mostly small ones. */
static size_t any_size(PowerRun *run)
{
    static const size_t bounds[] = {60, 60, 600, 600, 600, 6000};
    return below(run, bounds[below(run, G_N_ELEMENTS(bounds))]);
}

static void append_any(PowerRun *run)
{
    const char *scope = any_scope(run);
    append(run, scope, any_size(run));
}

static void commit(PowerRun *run, size_t begun)
{
    g_autoptr(GError) error = NULL;
    syncd_store_commit(run->store, NULL, &error);
    g_assert_no_error(error);
    power_log_note_turn(run->log, run->store, begun, now(run));
}

static void turn(PowerRun *run, unsigned n)
{
    size_t begun = now(run);
    for (unsigned i = 0; i < n; i++)
        append_any(run);
    commit(run, begun);
}

static void discarded_turn(PowerRun *run, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        append_any(run);
    syncd_store_discard(run->store);
    power_log_forget_requests(run->log);
}

static void open_scope(PowerRun *run, const char *class, const char *name)
{
    size_t begun = now(run);
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    syncd_store_open_scope(run->store, class, name, POWER_ACTOR, &scope, &error);
    g_assert_no_error(error);
    g_ptr_array_add(run->scopes, g_strdup(scope->id));
    append(run, scope->id, any_size(run));
    commit(run, begun);
}

/* What must not be: the index says how far it is in a transaction of its own. */
static void loosen_cursor(PowerRun *run)
{
    g_autoptr(GError) error = NULL;
    const GPtrArray *feeds = syncd_journal_feeds(run->store->journal);
    syncd_index_begin(run->store->index, &error);
    for (guint i = 0; i < feeds->len; i++) {
        const SyncdFeed *feed = feeds->pdata[i];
        SyncdHash root = syncd_frontier_root(&feed->committed);
        syncd_index_set_cursor(run->store->index, feed->id, feed->committed.size, &root, &error);
        g_assert_no_error(error);
    }
    syncd_index_commit(run->store->index, &error);
    g_assert_no_error(error);
}

static void settle(PowerRun *run)
{
    g_autoptr(GError) error = NULL;
    if (run->fault == POWER_LOOSE_CURSOR)
        loosen_cursor(run);
    syncd_store_settle(run->store, &error);
    g_assert_no_error(error);
}

/* What an idle daemon does, or does not come to. */
static void rest(PowerRun *run)
{
    switch (below(run, 3)) {
    case 0:
        break;
    case 1:
        settle(run);
        break;
    default:
        while (syncd_store_work(run->store))
            ;
    }
}

static void move_wal(PowerRun *run, SyncdDatabase *db)
{
    g_autoptr(GError) error = NULL;
    syncd_database_checkpoint(db, 0, &error);
    g_assert_no_error(error);
}

static void keep_head(PowerRun *run)
{
    size_t begun = now(run);
    g_autoptr(GError) error = NULL;
    syncd_store_keep_head(run->store, any_scope(run), "checkpoint.write", &error);
    g_assert_no_error(error);
    power_log_note_turn(run->log, run->store, begun, now(run));
}

/* ---- what is there before ---- */

static void prepare_log(PowerRun *run)
{
    open_store(run);
    g_ptr_array_add(run->scopes, g_strdup(syncd_store_device_id(run->store)));
    turn(run, 1 + (unsigned)below(run, 4));
    if (below(run, 2) == 0)
        open_scope(run, "workspace", "home");
    if (below(run, 2) == 0)
        open_scope(run, "public", "notes");
    for (guint64 n = below(run, 4); n > 0; n--)
        turn(run, (unsigned)below(run, 30) + 1);
    close_store(run);
}

/* A start after which the power may go at any time. */
static void start(PowerRun *run)
{
    open_store(run);
    run->from = now(run);
}

/* ---- the phases ---- */

static void run_first_start(PowerRun *run)
{
    open_store_on(run, POWER_FIRST_MACHINE, below(run, 8) == 0 ? RESERVE_BYTES : 0);
    g_ptr_array_add(run->scopes, g_strdup(syncd_store_device_id(run->store)));
    for (guint64 n = 1 + below(run, 2); n > 0; n--)
        turn(run, 1 + (unsigned)below(run, 3));
    rest(run);
    open_scope(run, below(run, 2) == 0 ? "workspace" : "public", "home");
    rest(run);
    turn(run, 1);
    close_store(run);
}

static void run_append(PowerRun *run)
{
    start(run);
    for (guint64 n = 3 + below(run, 6); n > 0; n--) {
        turn(run, 1);
        rest(run);
    }
    close_store(run);
}

static void run_group_commit(PowerRun *run)
{
    start(run);
    for (guint64 n = 2 + below(run, 3); n > 0; n--) {
        turn(run, 2 + (unsigned)below(run, 40));
        rest(run);
        if (below(run, 3) == 0)
            discarded_turn(run, 1 + (unsigned)below(run, 20));
    }
    close_store(run);
}

static void run_checkpoint(PowerRun *run)
{
    start(run);
    for (guint64 n = 2 + below(run, 4); n > 0; n--) {
        turn(run, 1 + (unsigned)below(run, 8));
        if (below(run, 2) == 0)
            keep_head(run);
        if (below(run, 2) == 0)
            rest(run);
        if (below(run, 3) > 0)
            move_wal(run, syncd_journal_database(run->store->journal));
        if (below(run, 3) == 0)
            move_wal(run, syncd_index_database(run->store->index));
    }
    close_store(run);
}

static void step_all(PowerRun *run, SyncdVerifyMode mode)
{
    bool more = true;
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdVerify) verify = syncd_verify_new(run->store, mode, NULL, &error);
    for (bool first = true; more; first = false) {
        syncd_verify_step(verify, &more, &error);
        g_assert_no_error(error);
        if (first && below(run, 2) == 0)
            turn(run, 1 + (unsigned)below(run, 3)); /* the log goes on while it is verified */
    }
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 0);
}

static void run_verify(PowerRun *run)
{
    start(run);
    for (guint64 n = 2 + below(run, 3); n > 0; n--) {
        step_all(run, below(run, 2) == 0 ? SYNCD_VERIFY_FULL : SYNCD_VERIFY_INCREMENTAL);
        if (below(run, 2) == 0)
            rest(run);
    }
    close_store(run);
}

static void spoil_index(PowerRun *run)
{
    static const gint64 kept[] = {-1, 0, 3 * 4096, 5000};
    gint64 keep = kept[below(run, G_N_ELEMENTS(kept))];
    g_autofree char *path = g_build_filename(run->state, "index.db", NULL);
    if (keep < 0)
        g_assert_cmpint(g_unlink(path), ==, 0);
    else
        g_assert_cmpint(truncate(path, (off_t)keep), ==, 0);
}

/* The old index may have a WAL, which must not be taken for the new one's. */
static void prepare_rebuild(PowerRun *run)
{
    size_t size;
    g_autofree char *bytes = NULL;
    g_autofree char *wal = g_build_filename(run->state, "index.db-wal", NULL);
    prepare_log(run);
    open_store(run);
    turn(run, 3);
    settle(run);
    g_assert_true(g_file_get_contents(wal, &bytes, &size, NULL));
    close_store(run);
    spoil_index(run);
    if (below(run, 2) == 0)
        g_assert_true(g_file_set_contents(wal, bytes, (gssize)size, NULL));
}

static void run_rebuild(PowerRun *run)
{
    open_store(run);
    turn(run, 1 + (unsigned)below(run, 3));
    rest(run);
    close_store(run);
}

static void run_blobs(PowerRun *run)
{
    start(run);
    for (guint64 n = 1 + below(run, 3); n > 0; n--) {
        size_t begun = now(run);
        const char *scope = any_scope(run);
        bool several = below(run, 24) == 0;
        append(run, scope,
               several ? 1200u * 1024u : SYNCD_STORE_INLINE_MAX + 1 + below(run, 20000));
        if (below(run, 2) == 0)
            append_any(run);
        commit(run, begun);
        rest(run);
    }
    close_store(run);
}

static void run_adopt(PowerRun *run)
{
    open_store_on(run, POWER_SECOND_MACHINE, 0);
    size_t begun = now(run);
    g_autoptr(GError) error = NULL;
    syncd_store_adopt(run->store, POWER_ACTOR, &error);
    g_assert_no_error(error);
    power_log_note_turn(run->log, run->store, begun, now(run));
    power_log_note_adoption(run->log);
    rest(run);
    turn(run, 1 + (unsigned)below(run, 3));
    rest(run);
    close_store(run);
}

static void run_migration(PowerRun *run)
{
    power_migrate(run->state, POWER_JOURNAL);
    run->done = now(run);
    power_migrate(run->state, POWER_INDEX);
}

static char *judge_migration(const PowerRun *run, const char *state, size_t cut)
{
    return power_judge_migration(state, cut >= run->done);
}

static void prepare_purge(PowerRun *run)
{
    prepare_log(run);
    open_store(run);
    open_scope(run, "public", "board");
    power_put_secret(run->store, run->scopes->pdata[run->scopes->len - 1]);
    commit(run, 0);
    close_store(run);
}

static void scrub(PowerRun *run, const SyncdPurgeable *purgeable)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScrub) scrub =
        syncd_store_begin_scrub(run->store, purgeable->scope_id, purgeable->chunks);
    for (bool more = true; more;) {
        syncd_scrub_step(scrub, &more, &error);
        g_assert_no_error(error);
        if (more && below(run, 3) == 0)
            turn(run, 1 + (unsigned)below(run, 3));
    }
}

static void run_purge(PowerRun *run)
{
    SyncdPurgeable *purgeable = NULL;
    start(run);
    rest(run);
    size_t begun = now(run);
    power_purge_secret(run->store, run->scopes->pdata[run->scopes->len - 1], &purgeable);
    commit(run, begun);
    power_log_note_purge(run->log, syncd_store_sequence(run->store), purgeable);
    rest(run);
    if (run->fault != POWER_UNSCRUBBED)
        scrub(run, purgeable);
    run->done = now(run);
    turn(run, 1 + (unsigned)below(run, 3));
    rest(run);
    close_store(run);
}

static char *judge_purge(const PowerRun *run, const char *state, size_t cut)
{
    return cut >= run->done && power_holds_secret(state)
               ? g_strdup("what was purged everywhere is in a file")
               : NULL;
}

/* Another generation of the log, while entries come. */
static void build_generation(PowerRun *run, SyncdMend *mend)
{
    g_autoptr(GError) error = NULL;
    for (bool more = true; more;) {
        syncd_mend_examine(mend, &more, &error);
        g_assert_no_error(error);
    }
    for (bool more = true; more;) {
        syncd_mend_build(mend, &more, &error);
        g_assert_no_error(error);
        if (below(run, 3) == 0)
            turn(run, 1 + (unsigned)below(run, 3));
    }
}

/* What a repair must not do: what came since the other file was built is in neither. */
static void switch_carelessly(PowerRun *run)
{
    g_autofree char *made = g_build_filename(run->state, "journal.db.new", NULL);
    g_autofree char *journal = g_build_filename(run->state, "journal.db", NULL);
    g_autofree char *wal = g_strconcat(journal, "-wal", NULL);
    turn(run, 2);
    g_assert_cmpint(g_rename(made, journal), ==, 0);
    g_assert_cmpint(g_unlink(wal), ==, 0);
    syncd_database_freeze(syncd_journal_database(run->store->journal));
}

static void run_generation(PowerRun *run)
{
    g_autoptr(GError) error = NULL;
    start(run);
    g_autoptr(SyncdMend) mend = syncd_mend_new(run->store, &error);
    g_assert_no_error(error);
    build_generation(run, mend);
    if (run->fault == POWER_CARELESS_SWITCH)
        switch_carelessly(run);
    else
        syncd_mend_switch(mend, &error);
    g_assert_no_error(error);
    run->done = now(run);
    g_clear_pointer(&mend, syncd_mend_free);
    if (run->fault == POWER_SOUND) { /* else nothing is written over what was exchanged so */
        turn(run, 1 + (unsigned)below(run, 3));
        rest(run);
    }
    close_store(run);
}

static char *judge_generation(const PowerRun *run, const char *state, size_t cut)
{
    g_autofree char *kept = g_build_filename(state, "journal.1", NULL);
    return cut >= run->done && run->fault == POWER_SOUND && !g_file_test(kept, G_FILE_TEST_EXISTS)
               ? g_strdup("the generation before is gone")
               : NULL;
}

/* ---- the power goes again while the store comes back ---- */

/* An image of another phase, and the log that it holds, are what this history begins with. */
static void prepare_second_cut(PowerRun *run)
{
    const PowerPhase *phase = &power_phases[below(run, POWER_PHASES_WITH_SECOND_CUT)];
    g_autofree char *folder = g_strconcat(run->folder, ".before", NULL);
    g_autoptr(PowerRun) before =
        power_run_new(phase, POWER_SOUND, folder, power_random(&run->random));
    g_autoptr(PowerCut) cut =
        power_cut_new(before->disk, (PowerModel)below(run, POWER_N_MODELS), POWER_HONEST);
    size_t events = power_disk_n_events(before->disk);
    power_cut_advance(cut, before->from + below(run, events - before->from + 1));
    g_auto(PowerImage) image = {0};
    power_cut_draw(cut, power_random(&run->random), &image);

    power_image_put(&image, run->folder);
    power_image_put(&image, folder);
    power_log_free(run->log);
    run->log = g_steal_pointer(&before->log);
    power_check_match(run->log, before->state);
    power_remove_tree(folder);
}

static void run_second_cut(PowerRun *run)
{
    open_store_on(run, power_log_machine(run->log), 0);
    g_ptr_array_add(run->scopes, g_strdup(syncd_store_device_id(run->store)));
    turn(run, 1 + (unsigned)below(run, 3));
    rest(run);
    turn(run, 1 + (unsigned)below(run, 3));
    rest(run);
    close_store(run);
}

const PowerPhase power_phases[] = {
    {"first start", NULL, run_first_start, .makes_index = true},
    {"append", prepare_log, run_append},
    {"group commit", prepare_log, run_group_commit},
    {"checkpoint", prepare_log, run_checkpoint},
    {"verify", prepare_log, run_verify},
    {"rebuild", prepare_rebuild, run_rebuild, .makes_index = true},
    {"blob write", prepare_log, run_blobs},
    {"adopt", prepare_log, run_adopt},
    /* The rest has no store of its own to come back with. */
    {"migration", prepare_log, run_migration, .judge = judge_migration},
    {"purge", prepare_purge, run_purge, .makes_index = true, .judge = judge_purge},
    {"generation", prepare_log, run_generation, .judge = judge_generation},
    {"second cut", prepare_second_cut, run_second_cut, .makes_index = true},
};
const size_t power_n_phases = G_N_ELEMENTS(power_phases);

const PowerControl power_controls[] = {
    {"/power/control/synchronous-off-is-caught", "append", POWER_SYNCHRONOUS_OFF, POWER_HONEST},
    {"/power/control/a-lying-fsync-is-caught", "append", POWER_SOUND, POWER_LIES},
    {"/power/control/a-loose-cursor-is-caught", "append", POWER_LOOSE_CURSOR, POWER_HONEST},
    {"/power/control/a-purge-of-the-log-alone-is-caught", "purge", POWER_UNSCRUBBED, POWER_HONEST},
    {"/power/control/a-careless-switch-is-caught", "generation", POWER_CARELESS_SWITCH,
     POWER_HONEST},
    {"/power/control/names-that-are-not-synced-are-caught", "blob write", POWER_SOUND,
     POWER_FORGETS_NAMES},
    {"/power/control/files-that-are-not-synced-are-caught", "blob write", POWER_SOUND,
     POWER_FORGETS_FILES},
};
const size_t power_n_controls = G_N_ELEMENTS(power_controls);

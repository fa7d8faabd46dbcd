#include "power-check.h"

#include "power-log-private.h"
#include "power-purge.h"

#include "../unit/index-dump.h"
#include "../unit/purge-fixture.h"
#include "base/log.h"
#include "store/database-private.h"
#include "store/store-private.h"
#include "store/verify.h"

#include <glib/gstdio.h>
#include <string.h>

#define INSPECT_ONE_IN 8u /* images: it takes as long as all the rest */

typedef struct {
    PowerLog *log;
    const char *folder;
    PowerSources sources;
    SyncdStore *store;
    bool rebuilt;
    const PowerTurn *present; /* the last turn that is there */
} Check;

static bool *rebuilt_now; /* where the sink, which knows no data, tells it */

static void note_rebuild(SyncdLogLevel level, const char *message_id, const char *message)
{
    if (rebuilt_now != NULL && strcmp(message_id, SYNCD_LOG_ID_INDEX_REBUILT) == 0)
        *rebuilt_now = true;
}

static char *wrong(const char *what, const GError *error)
{
    return error != NULL ? g_strdup_printf("%s: %s", what, error->message) : g_strdup(what);
}

static bool open_store(Check *check, SyncdStoreMode mode, GError **error)
{
    SyncdStoreOptions options = {
        .directory = check->folder,
        .mode = mode,
        .sources = &check->sources.sources,
        .machine = power_log_machine(check->log),
    };
    syncd_log_set_sink(note_rebuild);
    rebuilt_now = &check->rebuilt;
    check->store = syncd_store_open(&options, error);
    rebuilt_now = NULL;
    return check->store != NULL;
}

static const PowerTurn *acknowledged_turn(const PowerLog *log, size_t cut)
{
    const PowerTurn *last = &g_array_index(log->turns, PowerTurn, 0);
    for (guint i = 1; i < log->turns->len; i++) {
        const PowerTurn *turn = &g_array_index(log->turns, PowerTurn, i);
        if (turn->acknowledged <= cut)
            last = turn;
    }
    return last;
}

static char *check_turns(Check *check, size_t cut)
{
    const PowerTurn *known = acknowledged_turn(check->log, cut), *next = known + 1;
    guint64 entries = syncd_store_sequence(check->store);
    gint64 checkpoints = power_count_checkpoints(check->store);
    bool has_next = next <= power_log_last_turn(check->log) && next->begun <= cut;
    check->present = NULL;
    if (has_next && entries == next->entries && checkpoints == next->checkpoints)
        check->present = next;
    if (entries == known->entries && checkpoints == known->checkpoints)
        check->present = known;
    if (check->present != NULL)
        return NULL;
    return g_strdup_printf(
        "%d entries and %d checkpoints are present, %d and %d were acknowledged, "
        "%d and %d attempted",
        (int)entries, (int)checkpoints, (int)known->entries, (int)known->checkpoints,
        (int)(has_next ? next : known)->entries, (int)(has_next ? next : known)->checkpoints);
}

static char *verify_store(Check *check, SyncdVerifyMode mode, guint64 *ret_checked)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdVerify) verify = syncd_verify_new(check->store, mode, NULL, &error);
    bool more = verify != NULL;
    while (more)
        if (!syncd_verify_step(verify, &more, &error))
            break;
    if (error != NULL)
        return wrong("it cannot be verified", error);
    if (syncd_verify_n_findings(verify) > 0) {
        const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[0];
        return g_strdup_printf("verification finds %s: %s", finding->code, finding->detail);
    }
    *ret_checked = syncd_verify_checked(verify);
    return NULL;
}

static char *check_sound(Check *check)
{
    guint64 checked;
    char *complaint = verify_store(check, SYNCD_VERIFY_FULL, &checked);
    if (complaint == NULL && checked != syncd_store_sequence(check->store))
        complaint = g_strdup("verification left entries out");
    return complaint;
}

/* It goes on from what an earlier verification left behind. */
static char *check_incrementally(Check *check)
{
    guint64 checked;
    g_autofree char *path = g_build_filename(check->folder, "verified.json", NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS)
               ? verify_store(check, SYNCD_VERIFY_INCREMENTAL, &checked)
               : NULL;
}

static char *check_entry(Check *check, guint64 pos)
{
    g_autoptr(GError) error = NULL;
    const PowerEntry *expected = check->log->entries->pdata[pos - 1];
    PowerEntry *entry = power_log_read_entry(check->store, pos, &error);
    if (expected->purged_by != 0 && expected->purged_by <= check->present->entries) {
        bool gone = g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
        g_clear_pointer(&entry, power_entry_free);
        return gone ? NULL : g_strdup_printf("entry %d was purged and is there", (int)pos);
    }
    if (entry == NULL)
        return g_strdup_printf("entry %d cannot be read: %s", (int)pos, error->message);
    bool same = strcmp(entry->header, expected->header) == 0 &&
                syncd_hash_equal(&entry->body, &expected->body);
    power_entry_free(entry);
    return same ? NULL : g_strdup_printf("entry %d is not what was written", (int)pos);
}

/* What a caller does who never got an answer: asks for its key, or for its operation. */
static char *check_retry(Check *check, guint64 pos)
{
    guint64 by_op = 0, by_key = 0;
    g_autoptr(GError) error = NULL;
    const PowerEntry *expected = check->log->entries->pdata[pos - 1];
    const PowerRequest *keyed =
        expected->request != NULL && expected->request->key != NULL ? expected->request : NULL;
    guint64 found = pos <= check->present->entries ? pos : 0;
    if (!syncd_store_find_op(check->store, expected->op, &by_op, &error) ||
        (keyed != NULL && !syncd_store_find_key(check->store, POWER_ACTOR, keyed->scope, keyed->key,
                                                &by_key, &error)))
        return wrong("nothing can be looked up", error);
    if (by_op == found && (keyed == NULL || by_key == found))
        return NULL;
    return g_strdup_printf("entry %d is found at %d by its id and at %d by its key", (int)pos,
                           (int)by_op, (int)by_key);
}

static char *check_entries(Check *check)
{
    char *complaint = NULL;
    for (guint64 pos = 1; complaint == NULL && pos <= check->log->entries->len; pos++) {
        if (pos <= check->present->entries)
            complaint = check_entry(check, pos);
        if (complaint == NULL)
            complaint = check_retry(check, pos);
    }
    return complaint;
}

/* Whether the machine that opened it owns it already. */
static bool is_adopted(const Check *check)
{
    const GArray *turns = check->log->turns;
    for (guint i = 0; i < turns->len; i++) {
        const PowerTurn *turn = &g_array_index(turns, PowerTurn, i);
        if (turn->adopts)
            return turn->entries <= check->present->entries;
    }
    return true;
}

static char *check_adoption(Check *check)
{
    g_autoptr(GError) error = NULL;
    bool adopted = is_adopted(check);
    /* Nobody's log is anybody's. */
    if (check->present->entries == 0)
        return NULL;
    if (adopted != (syncd_store_condition(check->store) == SYNCD_STORE_WRITABLE))
        return g_strdup_printf("the store is %s",
                               syncd_store_condition_name(syncd_store_condition(check->store)));
    return adopted || syncd_store_adopt(check->store, POWER_ACTOR, &error)
               ? NULL
               : wrong("it cannot be adopted", error);
}

/* The first of those that got no answer asks again; where there is none, somebody else asks. */
static const PowerRequest *next_request(Check *check, PowerRequest **ret_made)
{
    guint64 n = check->present->entries;
    const PowerEntry *lost = n < check->log->entries->len ? check->log->entries->pdata[n] : NULL;
    if (lost != NULL && lost->request != NULL &&
        syncd_store_scope(check->store, lost->request->scope) != NULL)
        return lost->request;
    guint64 random = check->sources.random;
    *ret_made = power_request_new(&random, syncd_store_device_id(check->store), 40, true);
    return *ret_made;
}

static char *check_goes_on(Check *check)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PowerRequest) made = NULL;
    g_auto(SyncdReceipt) receipt = {0};
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    const PowerRequest *request = next_request(check, &made);
    if (!power_request_send(request, check->store, &receipt, &error) ||
        !syncd_store_commit(check->store, NULL, &error) ||
        !syncd_store_settle(check->store, &error))
        return wrong("it takes no further entry", error);
    if (!syncd_store_read(check->store, receipt.pos, &entry, &error) ||
        !syncd_store_read_body(check->store, &entry, &body, &error))
        return wrong("a further entry cannot be read", error);
    bool same = body.content_size == request->size &&
                (request->size == 0 || memcmp(body.content, request->content, request->size) == 0);
    return same ? NULL : g_strdup("a further entry is not what was written");
}

/* What a purge began is completed, and then nothing is left. */
static char *check_purge(Check *check)
{
    g_autoptr(GError) error = NULL;
    const SyncdPurgeable *purge = check->log->purge;
    SyncdScrubbed scrubbed;
    if (purge == NULL || check->present->entries < check->log->purge_pos)
        return NULL;
    if (!scrub_all(check->store, purge->scope_id, purge->chunks, &scrubbed, &error))
        return wrong("a purge cannot be completed", error);
    return power_holds_secret(check->folder) ? g_strdup("what was purged is still in a file")
                                             : NULL;
}

/* ---- the index ---- */

static void hash_row(GByteArray *all, sqlite3_stmt *rows)
{
    for (int c = 0; c < sqlite3_column_count(rows); c++) {
        guint32 head[] = {(guint32)sqlite3_column_type(rows, c),
                          (guint32)sqlite3_column_bytes(rows, c)};
        g_byte_array_append(all, (const guint8 *)head, sizeof head);
        if (head[1] > 0)
            g_byte_array_append(all, sqlite3_column_blob(rows, c), head[1]);
    }
}

static SyncdHash hash_index(SyncdStore *store)
{
    sqlite3 *handle = syncd_index_database(store->index)->handle;
    GByteArray *all = g_byte_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(index_rows); i++) {
        sqlite3_stmt *rows;
        g_assert_cmpint(sqlite3_prepare_v2(handle, index_rows[i], -1, &rows, NULL), ==, SQLITE_OK);
        while (sqlite3_step(rows) == SQLITE_ROW)
            hash_row(all, rows);
        sqlite3_finalize(rows);
    }
    SyncdHash hash = syncd_hash(all->data, all->len);
    g_byte_array_unref(all);
    return hash;
}

static void forget_index(const char *folder)
{
    static const char *const names[] = {"index.db", "index.db-wal", "verified.json"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
    }
}

/* The log decides what its index is, so one rebuild serves all images with the same entries. */
static char *check_index(Check *check)
{
    g_autoptr(GError) error = NULL;
    SyncdHash hash = hash_index(check->store);
    void *entries = GSIZE_TO_POINTER(check->present->entries);
    SyncdHash *expected = g_hash_table_lookup(check->log->indexes, entries);
    if (expected == NULL) {
        g_clear_pointer(&check->store, syncd_store_free);
        forget_index(check->folder);
        if (!open_store(check, SYNCD_STORE_CREATE, &error) ||
            !syncd_store_settle(check->store, &error))
            return wrong("its index cannot be made anew", error);
        expected = g_new(SyncdHash, 1);
        *expected = hash_index(check->store);
        g_hash_table_insert(check->log->indexes, entries, expected);
    }
    return syncd_hash_equal(&hash, expected) ? NULL
                                             : g_strdup("its index is not the one of its log");
}

/* ---- all of it ---- */

static char *check_opened(Check *check, size_t cut)
{
    g_autoptr(GError) error = NULL;
    char *complaint = syncd_store_rollback(check->store) != NULL
                          ? g_strdup("it is taken for a log that lost its end")
                          : check_turns(check, cut);
    if (complaint == NULL && check->log->expect_index && check->rebuilt)
        complaint = g_strdup("its index had to be made anew");
    if (complaint == NULL && !syncd_store_settle(check->store, &error))
        complaint = wrong("its index cannot be used", error);
    if (complaint == NULL)
        complaint = check_incrementally(check);
    if (complaint == NULL)
        complaint = check_sound(check);
    if (complaint == NULL)
        complaint = check_entries(check);
    if (complaint == NULL)
        complaint = check_purge(check);
    if (complaint == NULL)
        complaint = check_index(check);
    /* Which may add entries. */
    if (complaint == NULL)
        complaint = check_adoption(check);
    if (complaint == NULL)
        complaint = check_goes_on(check);
    return complaint;
}

/* Without a daemon, before one has put anything right. */
static char *check_untouched(Check *check)
{
    g_autoptr(GError) error = NULL;
    char *complaint = open_store(check, SYNCD_STORE_INSPECT, &error)
                          ? check_sound(check)
                          : wrong("it cannot be inspected", error);
    g_clear_pointer(&check->store, syncd_store_free);
    return complaint;
}

char *power_check(PowerLog *log, const char *folder, size_t cut, guint64 seed)
{
    g_autoptr(GError) error = NULL;
    Check check = {.log = log, .folder = folder};
    power_sources_init(&check.sources, ~seed);
    /* Where something was acknowledged, no start may take the state for none. */
    bool known = acknowledged_turn(log, cut)->entries > 0;
    char *complaint = known && seed % INSPECT_ONE_IN == 0 ? check_untouched(&check) : NULL;
    if (complaint != NULL)
        return complaint;
    complaint = open_store(&check, known ? SYNCD_STORE_OPEN : SYNCD_STORE_CREATE, &error)
                    ? check_opened(&check, cut)
                    : wrong("it cannot be opened", error);
    g_clear_pointer(&check.store, syncd_store_free);
    return complaint;
}

char *power_check_log(PowerLog *log, SyncdStore *store, size_t cut)
{
    Check check = {.log = log, .store = store, .present = acknowledged_turn(log, cut)};
    const PowerTurn *next = check.present + 1;
    bool has_next = next <= power_log_last_turn(log) && next->begun <= cut;
    guint64 entries = syncd_store_sequence(store), known = check.present->entries,
            begun = has_next ? next->entries : known;
    char *complaint = entries < known || entries > begun
                          ? g_strdup_printf("%d entries are present, %d were acknowledged, %d "
                                            "attempted",
                                            (int)entries, (int)known, (int)begun)
                          : check_sound(&check);
    for (guint64 pos = 1; complaint == NULL && pos <= entries; pos++)
        complaint = check_entry(&check, pos);
    return complaint;
}

void power_check_match(PowerLog *log, const char *folder)
{
    g_autoptr(GError) error = NULL;
    Check check = {.log = log, .folder = folder};
    power_sources_init(&check.sources, 0);
    open_store(&check, SYNCD_STORE_CREATE, &error);
    g_assert_no_error(error);
    guint64 entries = syncd_store_sequence(check.store);
    gint64 checkpoints = power_count_checkpoints(check.store);
    g_clear_pointer(&check.store, syncd_store_free);
    while (power_log_last_turn(log)->entries > entries ||
           power_log_last_turn(log)->checkpoints > checkpoints)
        g_array_set_size(log->turns, log->turns->len - 1);
    g_ptr_array_set_size(log->entries, (gint)entries);
    g_assert_cmpuint(power_log_last_turn(log)->entries, ==, entries);
    g_assert_cmpint(power_log_last_turn(log)->checkpoints, ==, checkpoints);
}

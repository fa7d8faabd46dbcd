#include "power-log.h"

#include "power-disk.h"

#include "base/log.h"
#include "store/database-private.h"
#include "store/store-private.h"
#include "store/verify.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *op;
    char *header;
    char *scope; /* of its key */
    char *key;   /* NULL for none */
    SyncdHash body;
} Entry;

typedef struct {
    guint64 entries; /* in the log after it */
    gint64 checkpoints;
    size_t begun, acknowledged; /* events */
    bool adopts;
} Turn;

struct PowerLog {
    GPtrArray *entries;  /* Entry, by pos - 1 */
    GArray *turns;       /* Turn; the first is the empty log */
    GHashTable *keys;    /* op -> Entry (only scope and key), of the open turn */
    GHashTable *indexes; /* number of entries -> SyncdHash of the index that a rebuild makes */
    bool expect_index;
};

static void entry_free(void *data)
{
    Entry *entry = data;
    g_free(entry->op);
    g_free(entry->header);
    g_free(entry->scope);
    g_free(entry->key);
    g_free(entry);
}

PowerLog *power_log_new(void)
{
    PowerLog *log = g_new0(PowerLog, 1);
    Turn none = {0};
    log->entries = g_ptr_array_new_with_free_func(entry_free);
    log->turns = g_array_new(FALSE, FALSE, sizeof(Turn));
    log->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    log->indexes = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    g_array_append_val(log->turns, none);
    return log;
}

void power_log_free(PowerLog *log)
{
    if (log == NULL)
        return;
    g_ptr_array_unref(log->entries);
    g_array_unref(log->turns);
    g_hash_table_unref(log->keys);
    g_hash_table_unref(log->indexes);
    g_free(log);
}

/* ---- clocks and chance ---- */

static guint64 sources_now(void *data)
{
    return ((PowerSources *)data)->now_usec += 1000;
}

static void sources_random(void *data, void *bytes, size_t size)
{
    guint8 *at = bytes;
    for (size_t i = 0; i < size; i++)
        at[i] = (guint8)(power_random(&((PowerSources *)data)->random) >> 32);
}

void power_sources_init(PowerSources *sources, guint64 seed)
{
    *sources = (PowerSources){.now_usec = G_GUINT64_CONSTANT(1777939200000000), .random = seed};
    sources->sources = (SyncdSources){sources_now, sources_now, sources_random, sources};
}

/* ---- writing it down ---- */

static Turn *last_turn(PowerLog *log)
{
    return &g_array_index(log->turns, Turn, log->turns->len - 1);
}

void power_log_add_key(PowerLog *log, const char *op, const char *scope, const char *key)
{
    Entry *entry = g_new0(Entry, 1);
    entry->scope = g_strdup(scope);
    entry->key = g_strdup(key);
    g_hash_table_replace(log->keys, g_strdup(op), entry);
}

void power_log_forget_keys(PowerLog *log)
{
    g_hash_table_remove_all(log->keys);
}

static gint64 count_checkpoints(SyncdStore *store)
{
    gint64 n;
    g_autoptr(GError) error = NULL;
    syncd_statement_number(syncd_database_statement(syncd_journal_database(store->journal),
                                                    "SELECT count(*) FROM checkpoint"),
                           0, &n, &error);
    g_assert_no_error(error);
    return n;
}

static SyncdHash hash_body(const SyncdBody *body)
{
    SyncdBytes parts[] = {SYNCD_BYTES(body->meta, body->meta_size),
                          SYNCD_BYTES(body->content, body->content_size)};
    return syncd_hash_parts(parts, G_N_ELEMENTS(parts));
}

static Entry *read_entry(PowerLog *log, SyncdStore *store, guint64 pos, GError **error)
{
    g_auto(SyncdEntry) stored = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(store, pos, &stored, error) ||
        !syncd_store_read_body(store, &stored, &body, error))
        return NULL;
    Entry *entry = g_new0(Entry, 1);
    entry->op = syncd_bytes_dup(stored.header.op);
    entry->header = g_strndup(stored.text, stored.size);
    entry->body = hash_body(&body);
    const Entry *keyed = g_hash_table_lookup(log->keys, entry->op);
    if (keyed != NULL) {
        entry->scope = g_strdup(keyed->scope);
        entry->key = g_strdup(keyed->key);
    }
    return entry;
}

void power_log_note_turn(PowerLog *log, SyncdStore *store, size_t begun, size_t acknowledged)
{
    g_autoptr(GError) error = NULL;
    for (guint64 pos = log->entries->len + 1; pos <= syncd_store_sequence(store); pos++) {
        Entry *entry = read_entry(log, store, pos, &error);
        g_assert_no_error(error);
        g_ptr_array_add(log->entries, entry);
    }
    g_hash_table_remove_all(log->keys);
    Turn turn = {.entries = log->entries->len,
                 .checkpoints = count_checkpoints(store),
                 .begun = begun,
                 .acknowledged = acknowledged};
    g_array_append_val(log->turns, turn);
}

void power_log_note_adoption(PowerLog *log)
{
    last_turn(log)->adopts = true;
}

void power_log_settle(PowerLog *log)
{
    for (guint i = 0; i < log->turns->len; i++) {
        Turn *turn = &g_array_index(log->turns, Turn, i);
        turn->begun = turn->acknowledged = 0;
    }
}

void power_log_expect_index(PowerLog *log)
{
    log->expect_index = true;
}

bool power_append(SyncdStore *store, PowerLog *log, guint64 *random, const char *scope, size_t size,
                  bool keyed, GError **error)
{
    g_autofree char *key =
        keyed ? g_strdup_printf("key-%016" G_GINT64_MODIFIER "x", power_random(random)) : NULL;
    g_autofree char *meta =
        keyed ? g_strdup_printf("{\"data_class\":\"internal\",\"idempotency_key\":\"%s\","
                                "\"type\":\"sync.operation.enqueue\"}",
                                key)
              : g_strdup("{\"data_class\":\"internal\",\"type\":\"sync.operation.enqueue\"}");
    g_autofree char *object = g_strdup_printf("object:%" G_GUINT64_FORMAT, power_below(random, 5));
    g_autofree char *content = g_malloc(size + 8);
    for (size_t i = 0; i < size; i += 8) {
        guint64 word = power_random(random);
        memcpy(content + i, &word, sizeof word);
    }
    SyncdDraft draft = {
        .kind = "operation.enqueue",
        .actor = POWER_ACTOR,
        .object = object,
        .decision = "",
        .engine = "",
        .lane = "normal",
        .schema_id = "sourceos.workspace-operation/v1alpha1",
        .schema_version = 1,
        .idempotency_key = key,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES(content, size),
    };
    g_auto(SyncdReceipt) receipt = {0};
    if (!syncd_store_append(store, scope, &draft, &receipt, error))
        return false;
    if (keyed && log != NULL)
        power_log_add_key(log, receipt.op, scope, key);
    return true;
}

/* ---- judging an image ---- */

typedef struct {
    PowerLog *log;
    const char *folder;
    PowerSources sources;
    SyncdStore *store;
    bool rebuilt;
    const Turn *present; /* the last turn that is there */
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

const char *power_log_machine(const PowerLog *log)
{
    for (guint i = 0; i < log->turns->len; i++)
        if (g_array_index(log->turns, Turn, i).adopts)
            return POWER_SECOND_MACHINE;
    return POWER_FIRST_MACHINE;
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

static const Turn *acknowledged_turn(const PowerLog *log, size_t cut)
{
    const Turn *last = &g_array_index(log->turns, Turn, 0);
    for (guint i = 1; i < log->turns->len; i++) {
        const Turn *turn = &g_array_index(log->turns, Turn, i);
        if (turn->acknowledged <= cut)
            last = turn;
    }
    return last;
}

static char *check_turns(Check *check, size_t cut)
{
    const Turn *known = acknowledged_turn(check->log, cut), *next = known + 1;
    guint64 entries = syncd_store_sequence(check->store);
    gint64 checkpoints = count_checkpoints(check->store);
    bool has_next = next <= last_turn(check->log) && next->begun <= cut;
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

static char *check_sound(Check *check)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdVerify) verify = syncd_verify_new(check->store, SYNCD_VERIFY_FULL, NULL, &error);
    bool more = verify != NULL;
    while (more)
        if (!syncd_verify_step(verify, &more, &error))
            break;
    if (error != NULL)
        return wrong("it cannot be verified", error);
    if (syncd_verify_n_findings(verify) > 0) {
        const SyncdFinding *finding = syncd_verify_findings(verify)->pdata[0];
        return g_strdup_printf("verification finds %s: %s", finding->code, finding->detail);
    }
    return syncd_verify_checked(verify) == syncd_store_sequence(check->store)
               ? NULL
               : g_strdup("verification left entries out");
}

static char *check_entry(Check *check, guint64 pos)
{
    g_autoptr(GError) error = NULL;
    const Entry *expected = check->log->entries->pdata[pos - 1];
    Entry *entry = read_entry(check->log, check->store, pos, &error);
    if (entry == NULL)
        return g_strdup_printf("entry %d cannot be read: %s", (int)pos, error->message);
    bool same = strcmp(entry->header, expected->header) == 0 &&
                syncd_hash_equal(&entry->body, &expected->body);
    entry_free(entry);
    return same ? NULL : g_strdup_printf("entry %d is not what was written", (int)pos);
}

/* What a caller does who never got an answer: asks for its key, or for its operation. */
static char *check_retry(Check *check, guint64 pos)
{
    guint64 by_op = 0, by_key = 0;
    g_autoptr(GError) error = NULL;
    const Entry *expected = check->log->entries->pdata[pos - 1];
    guint64 found = pos <= check->present->entries ? pos : 0;
    if (!syncd_store_find_op(check->store, expected->op, &by_op, &error) ||
        (expected->key != NULL && !syncd_store_find_key(check->store, POWER_ACTOR, expected->scope,
                                                        expected->key, &by_key, &error)))
        return wrong("nothing can be looked up", error);
    if (by_op == found && (expected->key == NULL || by_key == found))
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

static char *check_adoption(Check *check)
{
    g_autoptr(GError) error = NULL;
    bool adopted = strcmp(power_log_machine(check->log), POWER_FIRST_MACHINE) == 0;
    for (const Turn *turn = check->present; turn > (Turn *)(void *)check->log->turns->data; turn--)
        adopted = adopted || turn->adopts;
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

static char *check_goes_on(Check *check)
{
    g_autoptr(GError) error = NULL;
    guint64 before = syncd_store_sequence(check->store);
    const char *device = syncd_store_device_id(check->store);
    guint64 random = check->sources.random;
    bool ok = power_append(check->store, NULL, &random, device, 40, true, &error) &&
              syncd_store_commit(check->store, NULL, &error) &&
              syncd_store_settle(check->store, &error);
    if (!ok)
        return wrong("it takes no further entry", error);
    return syncd_store_sequence(check->store) > before ? NULL : g_strdup("it did not grow");
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
    static const char *const queries[] = {
        "SELECT * FROM cursor ORDER BY feed",
        "SELECT * FROM word ORDER BY id",
        "SELECT * FROM entry ORDER BY pos",
        "SELECT * FROM idempotency ORDER BY actor, scope, key",
        "SELECT * FROM tally ORDER BY kind",
        "SELECT * FROM scope ORDER BY id",
        "SELECT * FROM actor ORDER BY id",
        "SELECT * FROM device ORDER BY id",
        "SELECT * FROM decision ORDER BY policy, id",
        "SELECT name, sql FROM sqlite_schema ORDER BY name",
    };
    sqlite3 *handle = syncd_index_database(store->index)->handle;
    GByteArray *all = g_byte_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
        sqlite3_stmt *rows;
        g_assert_cmpint(sqlite3_prepare_v2(handle, queries[i], -1, &rows, NULL), ==, SQLITE_OK);
        while (sqlite3_step(rows) == SQLITE_ROW)
            hash_row(all, rows);
        sqlite3_finalize(rows);
    }
    SyncdHash hash = syncd_hash(all->data, all->len);
    g_byte_array_unref(all);
    return hash;
}

static void remove_index(const char *folder)
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
        remove_index(check->folder);
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
    char *complaint = check_turns(check, cut);
    if (complaint == NULL && check->log->expect_index && check->rebuilt)
        complaint = g_strdup("its index had to be made anew");
    if (complaint == NULL && !syncd_store_settle(check->store, &error))
        complaint = wrong("its index cannot be used", error);
    if (complaint == NULL)
        complaint = check_sound(check);
    if (complaint == NULL)
        complaint = check_entries(check);
    if (complaint == NULL)
        complaint = check_index(check);
    if (complaint == NULL)
        complaint = check_adoption(check);
    if (complaint == NULL)
        complaint = check_goes_on(check);
    return complaint;
}

char *power_log_check(PowerLog *log, const char *folder, size_t cut, guint64 seed)
{
    g_autoptr(GError) error = NULL;
    Check check = {.log = log, .folder = folder};
    power_sources_init(&check.sources, ~seed);
    /* Where something was acknowledged, no start may take the state for none. */
    bool known = acknowledged_turn(log, cut)->entries > 0;
    char *complaint = open_store(&check, known ? SYNCD_STORE_OPEN : SYNCD_STORE_CREATE, &error)
                          ? check_opened(&check, cut)
                          : wrong("it cannot be opened", error);
    g_clear_pointer(&check.store, syncd_store_free);
    return complaint;
}

void power_log_match(PowerLog *log, const char *folder)
{
    g_autoptr(GError) error = NULL;
    Check check = {.log = log, .folder = folder};
    power_sources_init(&check.sources, 0);
    open_store(&check, SYNCD_STORE_CREATE, &error);
    g_assert_no_error(error);
    guint64 entries = syncd_store_sequence(check.store);
    gint64 checkpoints = count_checkpoints(check.store);
    g_clear_pointer(&check.store, syncd_store_free);
    while (last_turn(log)->entries > entries || last_turn(log)->checkpoints > checkpoints)
        g_array_set_size(log->turns, log->turns->len - 1);
    g_ptr_array_set_size(log->entries, (gint)entries);
    g_assert_cmpuint(last_turn(log)->entries, ==, entries);
    g_assert_cmpint(last_turn(log)->checkpoints, ==, checkpoints);
}

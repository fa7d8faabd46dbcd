#include "power-log-private.h"

#include "power-disk.h"

#include "store/store-private.h"

#include <string.h>

void power_entry_free(void *data)
{
    PowerEntry *entry = data;
    g_free(entry->op);
    g_free(entry->header);
    g_free(entry->scope);
    g_free(entry->key);
    g_free(entry);
}

PowerLog *power_log_new(void)
{
    PowerLog *log = g_new0(PowerLog, 1);
    PowerTurn none = {0};
    log->entries = g_ptr_array_new_with_free_func(power_entry_free);
    log->turns = g_array_new(FALSE, FALSE, sizeof(PowerTurn));
    log->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, power_entry_free);
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

PowerTurn *power_log_last_turn(const PowerLog *log)
{
    return &g_array_index(log->turns, PowerTurn, log->turns->len - 1);
}

void power_log_add_key(PowerLog *log, const char *op, const char *scope, const char *key)
{
    PowerEntry *entry = g_new0(PowerEntry, 1);
    entry->scope = g_strdup(scope);
    entry->key = g_strdup(key);
    g_hash_table_replace(log->keys, g_strdup(op), entry);
}

void power_log_forget_keys(PowerLog *log)
{
    g_hash_table_remove_all(log->keys);
}

gint64 power_count_checkpoints(SyncdStore *store)
{
    gint64 n;
    SyncdStatement *rows = syncd_database_statement(syncd_journal_database(store->journal),
                                                    "SELECT count(*) FROM checkpoint");
    return syncd_statement_number(rows, 0, &n, NULL) ? n : -1;
}

static SyncdHash hash_body(const SyncdBody *body)
{
    SyncdBytes parts[] = {SYNCD_BYTES(body->meta, body->meta_size),
                          SYNCD_BYTES(body->content, body->content_size)};
    return syncd_hash_parts(parts, G_N_ELEMENTS(parts));
}

PowerEntry *power_log_read_entry(PowerLog *log, SyncdStore *store, guint64 pos, GError **error)
{
    g_auto(SyncdEntry) stored = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(store, pos, &stored, error) ||
        !syncd_store_read_body(store, &stored, &body, error))
        return NULL;
    PowerEntry *entry = g_new0(PowerEntry, 1);
    entry->op = syncd_bytes_dup(stored.header.op);
    entry->header = g_strndup(stored.text, stored.size);
    entry->body = hash_body(&body);
    const PowerEntry *keyed = g_hash_table_lookup(log->keys, entry->op);
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
        PowerEntry *entry = power_log_read_entry(log, store, pos, &error);
        g_assert_no_error(error);
        g_ptr_array_add(log->entries, entry);
    }
    g_hash_table_remove_all(log->keys);
    PowerTurn turn = {.entries = log->entries->len,
                      .checkpoints = power_count_checkpoints(store),
                      .begun = begun,
                      .acknowledged = acknowledged};
    g_array_append_val(log->turns, turn);
}

void power_log_note_adoption(PowerLog *log)
{
    power_log_last_turn(log)->adopts = true;
}

void power_log_settle(PowerLog *log)
{
    for (guint i = 0; i < log->turns->len; i++) {
        PowerTurn *turn = &g_array_index(log->turns, PowerTurn, i);
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

guint64 power_log_promise(const PowerLog *log, size_t cut)
{
    guint64 begun = 0, acknowledged = 0;
    for (guint i = 0; i < log->turns->len; i++) {
        const PowerTurn *turn = &g_array_index(log->turns, PowerTurn, i);
        begun += turn->begun <= cut;
        acknowledged += turn->acknowledged <= cut;
    }
    return begun << 32 | acknowledged;
}

const char *power_log_machine(const PowerLog *log)
{
    for (guint i = 0; i < log->turns->len; i++)
        if (g_array_index(log->turns, PowerTurn, i).adopts)
            return POWER_SECOND_MACHINE;
    return POWER_FIRST_MACHINE;
}

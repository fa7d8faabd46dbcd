#include "power-log-private.h"

#include "power-disk.h"

#include "store/store-private.h"

#include <string.h>

void power_entry_free(void *data)
{
    PowerEntry *entry = data;
    g_free(entry->op);
    g_free(entry->header);
    power_request_free(entry->request);
    g_free(entry);
}

PowerLog *power_log_new(void)
{
    PowerLog *log = g_new0(PowerLog, 1);
    PowerTurn none = {0};
    log->entries = g_ptr_array_new_with_free_func(power_entry_free);
    log->turns = g_array_new(FALSE, FALSE, sizeof(PowerTurn));
    log->requests =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)power_request_free);
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
    g_hash_table_unref(log->requests);
    g_hash_table_unref(log->indexes);
    syncd_purgeable_free(log->purge);
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

/* ---- what is asked for ---- */

#define SPECIAL_MAX 600u /* larger ones are asked for because they are large */

/* What the index keeps in tables of its own, about a few things that come again: # is a digit. */
static const struct {
    const char *kind, *lane, *content;
} special_requests[] = {
    {"actor.registered", "audit",
     "{\"actor_id\":\"actor-#\",\"actor_type\":\"human\",\"identity_id\":\"uid:#\"}"},
    {"actor.revoked", "audit",
     "{\"actor_id\":\"actor-#\",\"identity_id\":\"uid:#\",\"revoked_at\":\"2026-01-01\"}"},
    {"object.created", "normal",
     "{\"object_id\":\"object:#\",\"state\":\"active\",\"owner_identity\":\"uid:#\"}"},
    {"plan.created", "normal", "{\"plan_id\":\"plan-#\",\"status\":\"planned\"}"},
    {"operation.enqueue", "tombstone", "{\"n\":#,\"m\":#}"},
};

static void make_special(PowerRequest *request, guint64 *random)
{
    size_t i = (size_t)power_below(random, G_N_ELEMENTS(special_requests));
    g_auto(GStrv) parts = g_strsplit(special_requests[i].content, "#", -1);
    const char which[] = {(char)('0' + power_below(random, 5)), '\0'};
    request->kind = special_requests[i].kind;
    request->lane = special_requests[i].lane;
    request->content = g_strjoinv(which, parts);
    request->size = strlen(request->content);
}

static void make_plain(PowerRequest *request, guint64 *random, size_t size)
{
    request->kind = "operation.enqueue";
    request->lane = "normal";
    request->size = size;
    request->content = g_malloc(size + sizeof(guint64));
    for (size_t i = 0; i < size; i += sizeof(guint64)) {
        guint64 word = power_random(random);
        memcpy(request->content + i, &word, sizeof word);
    }
}

PowerRequest *power_request_new(guint64 *random, const char *scope, size_t size, bool keyed)
{
    PowerRequest *request = g_new0(PowerRequest, 1);
    request->scope = g_strdup(scope);
    if (keyed)
        request->key = g_strdup_printf("key-%016" G_GINT64_MODIFIER "x", power_random(random));
    request->object = g_strdup_printf("object:%u", (unsigned)power_below(random, 5));
    if (!keyed && size <= SPECIAL_MAX && power_below(random, 3) == 0)
        make_special(request, random);
    else
        make_plain(request, random, size);
    return request;
}

void power_request_free(PowerRequest *request)
{
    if (request == NULL)
        return;
    g_free(request->scope);
    g_free(request->key);
    g_free(request->object);
    g_free(request->content);
    g_free(request);
}

bool power_request_send(const PowerRequest *request, SyncdStore *store, SyncdReceipt *ret_receipt,
                        GError **error)
{
    g_autofree char *key_member = request->key != NULL
                                      ? g_strdup_printf("\"idempotency_key\":\"%s\",", request->key)
                                      : g_strdup("");
    g_autofree char *meta = g_strdup_printf(
        "{\"data_class\":\"internal\",%s\"type\":\"sync.operation.enqueue\"}", key_member);
    SyncdDraft draft = {
        .kind = request->kind,
        .actor = POWER_ACTOR,
        .object = request->object,
        .decision = "",
        .engine = "",
        .lane = request->lane,
        .schema_id = "sourceos.workspace-operation/v1alpha1",
        .schema_version = 1,
        .idempotency_key = request->key,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES(request->content, request->size),
    };
    return syncd_store_append(store, request->scope, &draft, ret_receipt, error);
}

/* ---- writing it down ---- */

PowerTurn *power_log_last_turn(const PowerLog *log)
{
    return &g_array_index(log->turns, PowerTurn, log->turns->len - 1);
}

void power_log_add_request(PowerLog *log, const char *op, PowerRequest *request)
{
    g_hash_table_replace(log->requests, g_strdup(op), request);
}

void power_log_forget_requests(PowerLog *log)
{
    g_hash_table_remove_all(log->requests);
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

PowerEntry *power_log_read_entry(SyncdStore *store, guint64 pos, GError **error)
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
    return entry;
}

void power_log_note_turn(PowerLog *log, SyncdStore *store, size_t begun, size_t acknowledged)
{
    g_autoptr(GError) error = NULL;
    for (guint64 pos = log->entries->len + 1; pos <= syncd_store_sequence(store); pos++) {
        PowerEntry *entry = power_log_read_entry(store, pos, &error);
        g_assert_no_error(error);
        g_autofree char *op = NULL;
        g_hash_table_steal_extended(log->requests, entry->op, (void **)&op,
                                    (void **)&entry->request);
        g_ptr_array_add(log->entries, entry);
    }
    g_hash_table_remove_all(log->requests);
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

void power_log_note_purge(PowerLog *log, guint64 pos, SyncdPurgeable *purgeable)
{
    for (guint i = 0; i < purgeable->entries->len; i++) {
        const SyncdPurgedEntry *taken = purgeable->entries->pdata[i];
        ((PowerEntry *)log->entries->pdata[taken->pos - 1])->purged_by = pos;
    }
    log->purge = purgeable;
    log->purge_pos = pos;
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

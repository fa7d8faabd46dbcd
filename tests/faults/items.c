/* The numbered items that a session appends: see session.h. */
#include "session.h"

#include <string.h>

#define LARGE (150u * 1024u)
#define INLINE 60000u

static bool is_large(guint n)
{
    return n % 10 == 7;
}

char *item_object(guint n)
{
    return g_strdup_printf("object:%u", n);
}

char *item_key(guint n)
{
    return n % 3 == 0 ? g_strdup_printf("key-%u", n) : NULL;
}

/* Items that the index keeps in tables of their own. Their content names the operation that item 0
 * is, or the scope of the device. */
static const struct {
    guint n;
    const char *kind;
    const char *lane;
    bool of_device;
    const char *content;
} special_items[] = {
    {30, "actor.registered", "normal", true,
     "{\"actor_id\":\"actor-30\",\"actor_type\":\"human\",\"display_name\":\"%s\","
     "\"identity_id\":\"uid:4711\",\"state\":\"active\"}"},
    {31, "task.claimed", "normal", false, "{\"operation_id\":\"%s\"}"},
    {32, "task.completed", "normal", false, "{\"operation_id\":\"%s\"}"},
    {33, "operation.reconcile", "normal", false,
     "{\"reconciled_operation_id\":\"%s\",\"remote_operation_id\":\"remote-1\","
     "\"artifact_reconciliation\":{\"artifact-1\":\"object:9\"}}"},
    {34, "operation.enqueue", "tombstone", true, "{\"why\":\"%s\"}"},
    {35, "deletion.restored", "normal", true, "{\"scope_id\":\"%s\",\"object_id\":\"object:34\"}"},
    {36, "operation.replay", "normal", false, "{\"replayed_operation_id\":\"%s\"}"},
    {83, "schema.registered", "normal", true,
     "{\"schema_id\":\"note/v1\",\"schema_version\":\"1\",\"object_type\":\"%s\"}"},
    {84, "object.created", "normal", true,
     "{\"object_id\":\"note-84\",\"state\":\"active\",\"owner_identity\":\"%s\"}"},
    {85, "plan.created", "normal", true,
     "{\"plan_id\":\"plan-85\",\"status\":\"planned\",\"profile_id\":\"%s\"}"},
};

/* Its place among the special ones, or their number. */
static size_t special_index(guint n)
{
    size_t i = 0;
    while (i < G_N_ELEMENTS(special_items) && special_items[i].n != n)
        i++;
    return i;
}

static char *special_content(const Run *r, size_t i, size_t *ret_size)
{
    char **parts = g_strsplit(special_items[i].content, "%s", 2);
    char *content =
        g_strjoin(special_items[i].of_device ? syncd_store_device_id(r->f.store) : r->first_op,
                  parts[0], parts[1], NULL);
    g_strfreev(parts);
    *ret_size = strlen(content);
    return content;
}

/* All large contents are the same, so that the second finds the chunks of the first. */
char *item_content(const Run *r, guint n, size_t *ret_size)
{
    if (special_index(n) < G_N_ELEMENTS(special_items))
        return special_content(r, special_index(n), ret_size);
    size_t size = is_large(n) ? LARGE : n % 10 == 8 ? INLINE : 40;
    char *content = g_malloc(size + 1);
    int used = snprintf(content, size, "{\"n\":%u,\"fill\":\"", is_large(n) ? 0 : n);
    for (size_t i = (size_t)used; i < size; i++)
        content[i] = (char)('a' + (i * i / 7) % 26);
    memcpy(content + size - 2, "\"}", 3);
    *ret_size = size;
    return content;
}

bool item_append(Run *r, guint n, const char *scope, const char *key, GError **error)
{
    size_t size;
    size_t special = special_index(n);
    bool is_special = special < G_N_ELEMENTS(special_items);
    g_auto(SyncdReceipt) receipt = {0};
    g_autofree char *object = item_object(n), *content = item_content(r, n, &size);
    g_autofree char *meta =
        key != NULL ? g_strdup_printf("{\"idempotency_key\":\"%s\"}", key) : g_strdup("{}");
    SyncdDraft draft = {.kind = is_special ? special_items[special].kind : "operation.enqueue",
                        .actor = "actor-test",
                        .object = object,
                        .decision = "",
                        .engine = "",
                        .lane = is_special ? special_items[special].lane : "normal",
                        .schema_id = "x",
                        .idempotency_key = key,
                        .meta = SYNCD_BYTES_TEXT(meta),
                        .content = {content, size}};
    if (!syncd_store_append(r->f.store, scope, &draft, &receipt, error))
        return false;
    if (n == 0)
        g_strlcpy(r->first_op, receipt.op, sizeof r->first_op);
    return true;
}

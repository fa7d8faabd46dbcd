#include "service/repair-told.h"

#include "base/json-writer.h"
#include "crypto/hash.h"
#include "service/repair-named.h"

#include <string.h>

#define KEY_DIGITS 32

static char *key_of(const char *text)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    SyncdHash hash = syncd_hash(text, strlen(text));
    syncd_hash_to_hex(&hash, digits);
    return g_strndup(digits, KEY_DIGITS);
}

/* As a verification tells one from another: the same part may be found in several ways. */
char *syncd_told_key_of_finding(const SyncdVerifyFinding *finding)
{
    g_autofree char *text =
        g_strdup_printf("%" G_GINT64_FORMAT " %s", finding->pos,
                        finding->part != NULL ? finding->part : finding->detail);
    return key_of(text);
}

static char *key_of_item(const SyncdMendItem *item)
{
    g_autofree char *text =
        g_strdup_printf("%s %s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s", item->what,
                        item->feed, item->seq, item->pos, item->digest != NULL ? item->digest : "");
    return key_of(text);
}

GPtrArray *syncd_told_list_lost(const SyncdMend *mend)
{
    const GPtrArray *items = syncd_mend_items(mend);
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < items->len && keys->len < SYNCD_TOLD_MAX; i++) {
        const SyncdMendItem *item = items->pdata[i];
        if (item->outcome == SYNCD_MEND_LOST)
            g_ptr_array_add(keys, key_of_item(item));
    }
    return keys;
}

static int compare(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

char *syncd_told_write(const GPtrArray *keys, guint64 all)
{
    g_autoptr(GPtrArray) first = g_ptr_array_new();
    for (guint i = 0; i < keys->len && i < SYNCD_TOLD_MAX; i++)
        g_ptr_array_add(first, keys->pdata[i]);
    g_ptr_array_sort(first, compare);
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_strings(&writer, "may_be_lost", first);
    syncd_json_member_uint(&writer, "others", all - MIN(all, first->len));
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

GHashTable *syncd_told_read(const char *told, guint64 *ret_others)
{
    gint64 others = 0;
    SyncdJson root = syncd_json_root(told, strlen(told));
    syncd_json_get_int64(syncd_json_member(root, "others"), &others);
    *ret_others = (guint64)MAX(others, 0);
    return syncd_named_read_set(syncd_json_member(root, "may_be_lost"));
}

bool syncd_told_covers(const char *told, const char *now)
{
    guint64 unnamed, others;
    g_autoptr(GHashTable) named = syncd_told_read(told, &unnamed),
                          lost = syncd_told_read(now, &others);
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, lost);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        others += !g_hash_table_contains(named, key);
    return others <= unnamed;
}

#include "service/repair-named.h"

#include "base/json-writer.h"
#include "crypto/hash.h"

#include <string.h>

static int compare(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void member_digest(SyncdJsonWriter *writer, const GPtrArray *names)
{
    char digest[SYNCD_DIGEST_SIZE];
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(all, "%s\n", (char *)names->pdata[i]);
    SyncdHash hash = syncd_hash(all->str, all->len);
    syncd_hash_to_digest(&hash, digest);
    syncd_json_member_string(writer, "digest", digest);
}

char *syncd_named_write(GPtrArray *names, bool more)
{
    g_autoptr(GPtrArray) first = g_ptr_array_new();
    g_ptr_array_sort(names, compare);
    for (guint i = 0; i < names->len && i < SYNCD_NAMED_MAX; i++)
        g_ptr_array_add(first, names->pdata[i]);
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    member_digest(&writer, names);
    syncd_json_member_strings(&writer, "files", first);
    syncd_json_member_bool(&writer, "more", more || names->len > first->len);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

bool syncd_named_has_more(const char *told)
{
    return syncd_json_member(syncd_json_root(told, strlen(told)), "more").type == SYNCD_JSON_TRUE;
}

bool syncd_named_covers(const char *then, const char *now)
{
    return !syncd_named_has_more(then) || strcmp(then, now) == 0;
}

GHashTable *syncd_named_read_set(SyncdJson words)
{
    SyncdJsonIter iter;
    SyncdJson item;
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    syncd_json_iter_init(&iter, words);
    while (syncd_json_iter_next(&iter, NULL, &item)) {
        char *name = syncd_json_dup_text(item);
        if (name != NULL)
            g_hash_table_add(set, name);
    }
    return set;
}

GHashTable *syncd_named_read(const char *told)
{
    return syncd_named_read_set(syncd_json_member(syncd_json_root(told, strlen(told)), "files"));
}

GHashTable *syncd_named_told(const char *then, GPtrArray *names)
{
    g_autofree char *now = syncd_named_write(names, false);
    if (then != NULL && !(syncd_named_has_more(then) && strcmp(then, now) == 0))
        return syncd_named_read(then);
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < names->len; i++)
        g_hash_table_add(set, g_strdup(names->pdata[i]));
    return set;
}

void syncd_named_tell_left(GPtrArray *preserved, const GPtrArray *left, guint n_left)
{
    guint n = MIN(left->len, SYNCD_NAMED_LEFT_MAX);
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_utf8_make_valid(left->pdata[i], -1);
        g_ptr_array_add(preserved, g_strdup_printf("%s as it is: the plan does not name it, and it "
                                                   "is left for another plan",
                                                   name));
    }
    if (n_left > n)
        g_ptr_array_add(preserved, g_strdup_printf("%u more that the plan does not name, which are "
                                                   "left for another plan",
                                                   n_left - n));
}

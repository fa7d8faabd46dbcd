#include "service/purge-along.h"

#include "base/json-writer.h"
#include "service/repair-private.h"
#include "store/repair-store.h"

#include <string.h>

#define NAMED_AT_ONCE 4u /* in a sentence */

static void along_free(void *data)
{
    SyncdAlong *self = data;
    g_free(self->name);
    g_free(self);
}

static void add(GPtrArray *list, const char *name, size_t size, bool of_repair, guint64 bytes)
{
    g_autofree char *whole = g_strndup(name, size), *text = g_utf8_make_valid(whole, -1);
    for (guint i = 0; i < list->len; i++) {
        SyncdAlong *one = list->pdata[i];
        if (one->of_repair == of_repair && strcmp(one->name, text) == 0) {
            one->bytes += bytes;
            return;
        }
    }
    SyncdAlong *one = g_new(SyncdAlong, 1);
    *one = (SyncdAlong){g_steal_pointer(&text), of_repair, bytes};
    g_ptr_array_add(list, one);
}

static void add_copy(void *data, const char *name, guint64 bytes)
{
    add(data, name, strlen(name), false, bytes);
}

/* "<plan>.<step>", and more behind that. */
static void add_kept(void *data, const char *name, guint64 bytes)
{
    add(data, name, strcspn(name, "."), true, bytes);
}

static int files_first(gconstpointer a, gconstpointer b)
{
    const SyncdAlong *one = *(const SyncdAlong *const *)a, *other = *(const SyncdAlong *const *)b;
    if (one->of_repair != other->of_repair)
        return one->of_repair ? 1 : -1;
    return strcmp(one->name, other->name);
}

GPtrArray *syncd_service_list_along(SyncdService *service)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(along_free);
    syncd_store_each_copy(service->store, add_copy, list);
    syncd_store_each_kept(service->store, add_kept, list);
    g_ptr_array_sort(list, files_first);
    return list;
}

static guint64 bytes_from(const GPtrArray *along, guint first)
{
    guint64 bytes = 0;
    for (guint i = first; i < along->len; i++)
        bytes += ((const SyncdAlong *)along->pdata[i])->bytes;
    return bytes;
}

guint64 syncd_along_bytes(const GPtrArray *along)
{
    return bytes_from(along, 0);
}

/* ---- telling ---- */

static const char *member_of(const SyncdAlong *one)
{
    return one->of_repair ? "plan_id" : "file";
}

/* Of those from there on, if there are any. */
static void write_amount(const GPtrArray *along, guint first, SyncdJsonWriter *writer)
{
    if (along->len <= first)
        return;
    syncd_json_begin_object(writer);
    syncd_json_member_uint(writer, "count", along->len - first);
    syncd_json_member_uint(writer, "bytes", bytes_from(along, first));
    syncd_json_end_object(writer);
}

char *syncd_along_write(const GPtrArray *along)
{
    SyncdJsonWriter writer;
    GString *text = g_string_new(NULL);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < MIN(along->len, SYNCD_ALONG_MAX); i++) {
        const SyncdAlong *one = along->pdata[i];
        syncd_json_begin_object(&writer);
        syncd_json_member_string(&writer, member_of(one), one->name);
        syncd_json_member_uint(&writer, "bytes", one->bytes);
        syncd_json_end_object(&writer);
    }
    write_amount(along, SYNCD_ALONG_MAX, &writer);
    syncd_json_end_array(&writer);
    return g_string_free(text, FALSE);
}

char *syncd_along_write_amount(const GPtrArray *along)
{
    SyncdJsonWriter writer;
    GString *text = g_string_new(NULL);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_array(&writer);
    write_amount(along, 0, &writer);
    syncd_json_end_array(&writer);
    return g_string_free(text, FALSE);
}

char *syncd_along_say(const GPtrArray *along)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < MIN(along->len, NAMED_AT_ONCE); i++) {
        const SyncdAlong *one = along->pdata[i];
        bool last = i + 1 == along->len;
        g_string_append(text, i == 0 ? "" : last ? " and " : ", ");
        g_string_append_printf(text, one->of_repair ? "what the repair %s kept" : "%s", one->name);
    }
    if (along->len > NAMED_AT_ONCE)
        g_string_append_printf(text, " and %u more of that kind", along->len - NAMED_AT_ONCE);
    return g_string_free(text, along->len == 0);
}

static bool is_in(const SyncdAlong *one, SyncdJson shown)
{
    SyncdJsonIter iter;
    SyncdJson item;
    syncd_json_iter_init(&iter, shown);
    while (syncd_json_iter_next(&iter, NULL, &item))
        if (syncd_json_is(syncd_json_member(item, member_of(one)), one->name))
            return true;
    return false;
}

/* Of so many there is no name in it. */
static guint64 count_unnamed(SyncdJson shown)
{
    SyncdJsonIter iter;
    SyncdJson item;
    gint64 n, all = 0;
    syncd_json_iter_init(&iter, shown);
    while (syncd_json_iter_next(&iter, NULL, &item))
        if (syncd_json_get_int64(syncd_json_member(item, "count"), &n) && n > 0)
            all += n;
    return (guint64)all;
}

/* Of those that are not named only how many they are can be held against it. */
bool syncd_along_is_within(const GPtrArray *along, SyncdJson shown)
{
    for (guint i = 0; i < MIN(along->len, SYNCD_ALONG_MAX); i++)
        if (!is_in(along->pdata[i], shown))
            return false;
    return along->len <= SYNCD_ALONG_MAX || along->len - SYNCD_ALONG_MAX <= count_unnamed(shown);
}

/* ---- what must not go ---- */

bool syncd_service_check_no_unproven(const SyncdService *service, const SyncdCaller *caller,
                                     GError **error)
{
    const SyncdRepairPlan *plan = syncd_repair_find_unproven(service);
    if (plan == NULL)
        return true;
    if (caller != NULL && !syncd_service_may_inspect(service, caller)) {
        syncd_set_error_next(error, SYNCD_ERROR_BUSY,
                             "ask who looks after this machine to take that repair back or to "
                             "leave it as it is",
                             "Nothing proves a repair, and a purge would take what it kept: that "
                             "may be the only copy of what was there");
        return false;
    }
    g_autofree char *back =
        syncd_repair_can_be_undone(plan)
            ? g_strdup_printf("take it back with `sourceos-syncd repair rollback %s`, or ",
                              plan->id)
            : g_strdup("");
    g_autofree char *next = g_strdup_printf(
        "%sleave it as it is with `sourceos-syncd repair discard %s`", back, plan->id);
    syncd_set_error_next(error, SYNCD_ERROR_BUSY, next,
                         "Nothing proves the repair %s, and a purge would take what it kept: that "
                         "may be the only copy of what was there",
                         plan->id);
    return false;
}

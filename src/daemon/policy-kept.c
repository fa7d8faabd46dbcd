#include "daemon/policy-kept.h"

#include "base/json-writer.h"
#include "base/timestamp.h"
#include "contract/member.h"
#include "crypto/digested.h"

#define SCHEMA "sourceos.policy-kept/v1"

void syncd_policy_kept_clear(SyncdPolicyKept *kept)
{
    g_clear_pointer(&kept->rules, g_ptr_array_unref);
}

/* ---- writing ---- */

static GString *write_content(SyncdPolicyLevel level, const GPtrArray *sources, guint64 since_ms)
{
    GString *text = g_string_new(NULL);
    char since[SYNCD_TIME_SIZE];
    SyncdJsonWriter writer;
    syncd_time_format_ms(since_ms, since);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "level", syncd_policy_level_name(level));
    syncd_json_member_string(&writer, "since", since);
    syncd_json_name(&writer, "files");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < sources->len; i++) {
        const SyncdPolicySource *source = g_ptr_array_index(sources, i);
        syncd_json_begin_object(&writer);
        syncd_json_member_string(&writer, "name", source->name);
        syncd_json_name(&writer, "text");
        syncd_json_string_sized(&writer, source->text, source->size);
        syncd_json_end_object(&writer);
    }
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
    return text;
}

GString *syncd_policy_kept_write(SyncdPolicyLevel level, const GPtrArray *sources, guint64 since_ms)
{
    g_autoptr(GString) content = write_content(level, sources, since_ms);
    return syncd_digested_write(SCHEMA, content);
}

/* ---- reading ---- */

static bool read_since(SyncdJson kept, guint64 *ret_ms, GError **error)
{
    gint64 usec;
    g_autofree char *since = syncd_json_dup_text(syncd_json_member(kept, "since"));
    if (since != NULL && syncd_time_parse(since, strlen(since), &usec) && usec >= 0) {
        *ret_ms = (guint64)usec / 1000;
        return true;
    }
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/kept/since is no time");
    return false;
}

static GPtrArray *read_sources(SyncdJson files, GError **error)
{
    g_autoptr(GPtrArray) sources = syncd_policy_sources_new();
    SyncdJsonIter iter;
    SyncdJson value;
    syncd_json_iter_init(&iter, files);
    while (syncd_json_iter_next(&iter, NULL, &value)) {
        g_autofree char *path = g_strdup_printf("/kept/files/%u", sources->len);
        SyncdJson name = syncd_json_member(value, "name"), text = syncd_json_member(value, "text");
        if (!syncd_shape_check(SYNCD_SHAPE_ID, name, path, "name", error) ||
            !syncd_shape_check(SYNCD_SHAPE_STRING, text, path, "text", error))
            return NULL;
        SyncdPolicySource *source = g_new0(SyncdPolicySource, 1);
        source->name = syncd_json_dup_text(name);
        source->text = syncd_json_dup_text(text);
        source->size = source->text != NULL ? strlen(source->text) : 0;
        g_ptr_array_add(sources, source);
    }
    return g_steal_pointer(&sources);
}

bool syncd_policy_kept_parse(SyncdPolicyLevel level, SyncdBytes text, SyncdPolicyKept *ret_kept,
                             GError **error)
{
    guint64 since_ms;
    SyncdJson kept;
    if (!syncd_digested_read(text, SCHEMA, &kept, error))
        return false;
    SyncdJson files = syncd_json_member(kept, "files");
    if (files.type != SYNCD_JSON_ARRAY ||
        !syncd_json_is(syncd_json_member(kept, "level"), syncd_policy_level_name(level))) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/kept must hold the level %s and its files",
                        syncd_policy_level_name(level));
        return false;
    }
    if (!read_since(kept, &since_ms, error))
        return false;
    g_autoptr(GPtrArray) sources = read_sources(files, error);
    GPtrArray *rules = sources != NULL ? syncd_policy_sources_parse(level, sources, error) : NULL;
    if (rules == NULL)
        return false;
    *ret_kept = (SyncdPolicyKept){rules, since_ms};
    return true;
}

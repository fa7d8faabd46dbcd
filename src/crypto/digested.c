#include "crypto/digested.h"

#include "base/json-writer.h"

static void digest_of(SyncdJson kept, char ret_digest[SYNCD_DIGEST_SIZE])
{
    SyncdHash hash = syncd_hash_canonical(kept);
    syncd_hash_to_digest(&hash, ret_digest);
}

GString *syncd_digested_write(const char *schema, const GString *kept)
{
    SyncdJson root = syncd_json_root(kept->str, kept->len);
    GString *text = g_string_new(NULL);
    char digest[SYNCD_DIGEST_SIZE];
    SyncdJsonWriter writer;
    digest_of(root, digest);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", schema);
    syncd_json_member_string(&writer, "digest", digest);
    syncd_json_member_value(&writer, "kept", root);
    syncd_json_end_object(&writer);
    return text;
}

bool syncd_digested_read(SyncdBytes text, const char *schema, SyncdJson *ret_kept, GError **error)
{
    if (!syncd_json_check(text.data, text.size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return false;
    SyncdJson root = syncd_json_root(text.data, text.size);
    SyncdJson kept = syncd_json_member(root, "kept");
    if (kept.type == SYNCD_JSON_OBJECT &&
        syncd_json_is(syncd_json_member(root, "schema"), schema)) {
        char digest[SYNCD_DIGEST_SIZE];
        digest_of(kept, digest);
        if (syncd_json_is(syncd_json_member(root, "digest"), digest)) {
            *ret_kept = kept;
            return true;
        }
    }
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/schema and /digest are not those of what was kept");
    return false;
}

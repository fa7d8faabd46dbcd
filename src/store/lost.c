#include "store/lost.h"

#include "base/json-writer.h"
#include "base/json.h"
#include "crypto/tree.h"

#include <string.h>

#define OP_DIGITS 32
/* Every stand-in ends so, and hardly anything else. */
#define ENDING "\"v\":9223372036854775807}"

char *syncd_lost_header(const char *device, const char *scope, guint64 epoch, guint64 seq,
                        const SyncdHash *leaf, size_t *ret_size)
{
    char hex[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(leaf, hex);
    g_autofree char *op = g_strdup_printf("lost-%.*s", OP_DIGITS, hex);
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "device", device);
    syncd_json_member_uint(&writer, "epoch", epoch);
    syncd_json_member_string(&writer, "lost", hex);
    syncd_json_member_string(&writer, "op", op);
    syncd_json_member_string(&writer, "scope", scope);
    syncd_json_member_uint(&writer, "seq", seq);
    syncd_json_member_int(&writer, "v", SYNCD_LOST_VERSION);
    syncd_json_end_object(&writer);
    *ret_size = text->len;
    return g_string_free(text, FALSE);
}

SyncdHash syncd_entry_leaf(const char *text, size_t size)
{
    const size_t ending = strlen(ENDING);
    SyncdJson lost = {0};
    SyncdHash leaf;
    const char *hex;
    size_t digits;
    if (size > ending && memcmp(text + size - ending, ENDING, ending) == 0)
        lost = syncd_json_member(syncd_json_root(text, size), "lost");
    if (lost.type != SYNCD_JSON_NONE && syncd_json_get_plain(lost, &hex, &digits) &&
        syncd_hash_from_hex(hex, digits, &leaf))
        return leaf;
    return syncd_tree_leaf(text, size);
}

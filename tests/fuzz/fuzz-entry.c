/*
 * The header of an entry. It is taken exactly when a second reader, who looks each member up by its
 * name, takes it; both read the same values; and what is written from them is the text again.
 */
#include "fuzz.h"

#include "base/canonical.h"
#include "base/id.h"
#include "base/json.h"
#include "store/entry.h"

/* ---- the second reader ---- */

static bool is_token(SyncdJson value, SyncdBytes read)
{
    g_autofree char *text = syncd_json_dup_text(value);
    return text != NULL && (*text == '\0' || syncd_id_is_token(text, strlen(text))) &&
           (read.data == NULL || syncd_bytes_are(read, text));
}

static bool is_short_text(SyncdJson value)
{
    const char *text;
    size_t size;
    return syncd_json_get_plain(value, &text, &size) && size <= 128;
}

static bool is_count(SyncdJson value)
{
    gint64 number;
    return syncd_json_get_int64(value, &number) && number >= 0;
}

static guint64 count_of(SyncdJson value)
{
    gint64 number = -1;
    syncd_json_get_int64(value, &number);
    return (guint64)number;
}

static bool is_hash(SyncdJson value)
{
    g_autofree char *text = syncd_json_dup_text(value);
    return text != NULL && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static size_t count_members(SyncdJson container)
{
    size_t count = 0;
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, container);
    while (syncd_json_iter_next(&iter, NULL, NULL))
        count++;
    return count;
}

static bool is_clock(SyncdJson value)
{
    SyncdJsonIter iter;
    SyncdJson ms = {0}, counter = {0};
    syncd_json_iter_init(&iter, value);
    syncd_json_iter_next(&iter, NULL, &ms);
    syncd_json_iter_next(&iter, NULL, &counter);
    return value.type == SYNCD_JSON_ARRAY && count_members(value) == 2 && is_count(ms) &&
           is_count(counter) && count_of(counter) <= 65535;
}

static bool are_parents(SyncdJson value)
{
    SyncdJsonIter iter;
    SyncdJson parent;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &parent))
        if (!is_hash(parent))
            return false;
    return value.type == SYNCD_JSON_ARRAY && count_members(value) <= 16;
}

static const char *const tokens[] = {"actor", "decision", "device", "engine", "kind",
                                     "lane",  "object",   "op",     "scope"};

/* What docs/format.md 4.1 says of version 1. */
static bool is_first_version(SyncdJson root)
{
    SyncdJson body = syncd_json_member(root, "body"), schema = syncd_json_member(root, "schema");
    SyncdJson form = syncd_json_member(body, "form"), key = syncd_json_member(root, "key");
    SyncdJson signer = syncd_json_member(root, "signer");
    bool flag;
    for (size_t i = 0; i < G_N_ELEMENTS(tokens); i++)
        if (!is_token(syncd_json_member(root, tokens[i]), (SyncdBytes){0}))
            return false;
    return is_hash(syncd_json_member(body, "digest")) &&
           is_count(syncd_json_member(body, "size")) &&
           (syncd_json_is(form, "whole") || syncd_json_is(form, "list")) &&
           is_count(syncd_json_member(root, "epoch")) && is_clock(syncd_json_member(root, "hlc")) &&
           (syncd_json_is(key, "") || is_hash(key)) &&
           syncd_json_get_bool(syncd_json_member(root, "keyed"), &flag) &&
           are_parents(syncd_json_member(root, "parents")) &&
           is_short_text(syncd_json_member(schema, "id")) &&
           is_count(syncd_json_member(schema, "version")) &&
           is_count(syncd_json_member(root, "seq")) &&
           (signer.type == SYNCD_JSON_NONE || is_token(signer, (SyncdBytes){0}));
}

static bool is_header(const char *text, size_t size, bool *ret_known)
{
    SyncdJsonFlags flags = SYNCD_JSON_MUST_BE_OBJECT | SYNCD_JSON_INTEGERS_ONLY;
    if (size > 16384 || !syncd_json_check(text, size, flags, NULL) ||
        !syncd_canonical_is(text, size))
        return false;
    SyncdJson root = syncd_json_root(text, size);
    gint64 version;
    if (!syncd_json_get_int64(syncd_json_member(root, "v"), &version) || version < 1)
        return false;
    *ret_known = version == 1;
    static const SyncdBytes any = {0};
    return is_token(syncd_json_member(root, "device"), any) &&
           is_token(syncd_json_member(root, "scope"), any) &&
           is_token(syncd_json_member(root, "op"), any) &&
           is_count(syncd_json_member(root, "epoch")) && is_count(syncd_json_member(root, "seq")) &&
           (!*ret_known || is_first_version(root));
}

/* ---- the laws ---- */

static void check_place(const SyncdHeader *header, SyncdJson root)
{
    LAW(is_token(syncd_json_member(root, "device"), header->device));
    LAW(is_token(syncd_json_member(root, "scope"), header->scope));
    LAW(is_token(syncd_json_member(root, "op"), header->op));
    LAW(count_of(syncd_json_member(root, "epoch")) == header->epoch);
    LAW(count_of(syncd_json_member(root, "seq")) == header->seq);
}

static void check_values(const SyncdHeader *header, SyncdJson root)
{
    SyncdJson body = syncd_json_member(root, "body");
    char digest[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&header->body_digest, digest);
    LAW(syncd_json_is(syncd_json_member(body, "digest"), digest));
    LAW(count_of(syncd_json_member(body, "size")) == header->body_size);
    LAW(syncd_json_is(syncd_json_member(body, "form"), "list") == header->body_is_list);
    LAW(is_token(syncd_json_member(root, "actor"), header->actor));
    LAW(is_token(syncd_json_member(root, "kind"), header->kind));
    LAW(is_token(syncd_json_member(root, "object"), header->object));
    LAW(is_token(syncd_json_member(root, "key"), header->key));
    LAW(count_members(syncd_json_member(root, "parents")) == header->n_parents);
}

/* Members that this version does not know, and a signer that is nobody, are not written again. */
static bool is_all_known(SyncdJson root)
{
    SyncdJson signer = syncd_json_member(root, "signer");
    bool has_signer = signer.type != SYNCD_JSON_NONE;
    return count_members(root) == (has_signer ? 19u : 18u) && !syncd_json_is(signer, "") &&
           count_members(syncd_json_member(root, "body")) == 3 &&
           count_members(syncd_json_member(root, "schema")) == 2;
}

static void check_writing(const SyncdHeader *header, const char *text, size_t size)
{
    g_autoptr(GString) written = g_string_new(NULL);
    syncd_header_write(header, written);
    if (is_all_known(syncd_json_root(text, size)))
        LAW(written->len == size && memcmp(written->str, text, size) == 0);

    SyncdHeader again;
    g_autoptr(GString) twice = g_string_new(NULL);
    LAW(syncd_header_parse(written->str, written->len, &again, NULL));
    syncd_header_write(&again, twice);
    LAW(g_string_equal(written, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    bool known = false;
    SyncdHeader header;
    g_autoptr(GError) error = NULL;
    bool good = syncd_header_parse(text, size, &header, &error);
    LAW(good == (error == NULL));
    LAW(good == is_header(text, size, &known));
    if (!good)
        return 0;

    LAW(header.known == known);
    check_place(&header, syncd_json_root(text, size));
    if (known) {
        check_values(&header, syncd_json_root(text, size));
        check_writing(&header, text, size);
    }
    const char *fault;
    if (!syncd_header_obeys(&header, &fault))
        LAW(fault != NULL);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return 0;
}

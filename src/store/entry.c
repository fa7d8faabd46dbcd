#include "store/entry-private.h"

#include "base/canonical.h"
#include "base/id.h"
#include "base/json.h"
#include "contract/vocabulary.h"
#include "crypto/sign.h"
#include "store/lost.h"

#include <stddef.h>

/* How one member is read into the struct. A reader returns false when the value is not of its kind.
 */
typedef bool (*ReadFunc)(SyncdJson value, SyncdHeader *header, size_t offset);

#define FIELD(header, offset, type) ((type *)(void *)((char *)(header) + (offset)))

static bool read_token(SyncdJson value, SyncdHeader *header, size_t offset)
{
    const char *text;
    size_t size;
    /* Tokens are never escaped, so the view is the value. Empty means none. */
    if (!syncd_json_get_plain(value, &text, &size) || (size > 0 && !syncd_id_is_token(text, size)))
        return false;
    *FIELD(header, offset, SyncdBytes) = SYNCD_BYTES(text, size);
    return true;
}

/* A schema id may hold a slash, which a token may not. */
static bool read_plain(SyncdJson value, SyncdHeader *header, size_t offset)
{
    const char *text;
    size_t size;
    if (!syncd_json_get_plain(value, &text, &size) || size > SYNCD_ID_TOKEN_MAX)
        return false;
    *FIELD(header, offset, SyncdBytes) = SYNCD_BYTES(text, size);
    return true;
}

/* The id of a key, which is a hash, or nothing. */
static bool read_key(SyncdJson value, SyncdHeader *header, size_t offset)
{
    SyncdHash id;
    const char *text;
    size_t size;
    if (!syncd_json_get_plain(value, &text, &size) ||
        (size > 0 && !syncd_hash_from_hex(text, size, &id)))
        return false;
    *FIELD(header, offset, SyncdBytes) = SYNCD_BYTES(text, size);
    return true;
}

static bool read_count(SyncdJson value, SyncdHeader *header, size_t offset)
{
    gint64 number;
    if (!syncd_json_get_int64(value, &number) || number < 0)
        return false;
    *FIELD(header, offset, guint64) = (guint64)number;
    return true;
}

static bool read_flag(SyncdJson value, SyncdHeader *header, size_t offset)
{
    return syncd_json_get_bool(value, FIELD(header, offset, bool));
}

static bool read_hash(SyncdJson value, SyncdHeader *header, size_t offset)
{
    const char *text;
    size_t size;
    return syncd_json_get_plain(value, &text, &size) &&
           syncd_hash_from_hex(text, size, FIELD(header, offset, SyncdHash));
}

static bool read_form(SyncdJson value, SyncdHeader *header, size_t offset)
{
    *FIELD(header, offset, bool) = syncd_json_is(value, "list");
    return *FIELD(header, offset, bool) || syncd_json_is(value, "whole");
}

static bool read_hlc(SyncdJson value, SyncdHeader *header, size_t offset)
{
    SyncdJsonIter iter;
    SyncdJson element;
    gint64 parts[2];
    unsigned n = 0;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        if (n == 2 || !syncd_json_get_int64(element, &parts[n]) || parts[n] < 0)
            return false;
        n++;
    }
    if (value.type != SYNCD_JSON_ARRAY || n != 2 || parts[1] > (gint64)SYNCD_HLC_COUNTER_MAX)
        return false;
    *FIELD(header, offset, SyncdHlc) = (SyncdHlc){(guint64)parts[0], (guint32)parts[1]};
    return true;
}

static bool read_parents(SyncdJson value, SyncdHeader *header, size_t offset)
{
    SyncdJsonIter iter;
    SyncdJson element;
    if (value.type != SYNCD_JSON_ARRAY)
        return false;
    header->n_parents = 0;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        size_t at = offset + header->n_parents * sizeof(SyncdHash);
        if (header->n_parents == SYNCD_HEADER_MAX_PARENTS || !read_hash(element, header, at))
            return false;
        header->n_parents++;
    }
    return true;
}

static bool read_body(SyncdJson value, SyncdHeader *header, size_t offset);
static bool read_schema(SyncdJson value, SyncdHeader *header, size_t offset);

typedef struct {
    const char *name;
    ReadFunc read;
    size_t offset;
    bool required; /* also of versions this program does not know */
    bool optional; /* of version 1 */
} Member;

#define MEMBER(name, read, field) name, read, offsetof(SyncdHeader, field)

/* In the order of the canonical spelling, so that one walk over both finds everything. */
static const Member members[] = {
    {MEMBER("actor", read_token, actor)},
    {MEMBER("body", read_body, body_digest)},
    {MEMBER("decision", read_token, decision)},
    {MEMBER("device", read_token, device), .required = true},
    {MEMBER("engine", read_token, engine)},
    {MEMBER("epoch", read_count, epoch), .required = true},
    {MEMBER("hlc", read_hlc, hlc)},
    {MEMBER("key", read_key, key)},
    {MEMBER("keyed", read_flag, keyed)},
    {MEMBER("kind", read_token, kind)},
    {MEMBER("lane", read_token, lane)},
    {MEMBER("object", read_token, object)},
    {MEMBER("op", read_token, op), .required = true},
    {MEMBER("parents", read_parents, parents)},
    {MEMBER("schema", read_schema, schema_id)},
    {MEMBER("scope", read_token, scope), .required = true},
    {MEMBER("seq", read_count, seq), .required = true},
    {MEMBER("signer", read_token, signer), .optional = true},
};
static const Member body_members[] = {
    {MEMBER("digest", read_hash, body_digest)},
    {MEMBER("form", read_form, body_is_list)},
    {MEMBER("size", read_count, body_size)},
};
static const Member schema_members[] = {
    {MEMBER("id", read_plain, schema_id)},
    {MEMBER("version", read_count, schema_version)},
};

static int compare_name(const char *name, const char *text, size_t size)
{
    int order = strncmp(name, text, size);
    return order != 0 ? order : name[size] != '\0';
}

/* Reads the members of an object by a sorted table; `ret_fault` names the member that is missing or
 * wrong. */
static bool read_members(SyncdJson object, const Member *table, size_t n_table, bool known,
                         SyncdHeader *header, const char **ret_fault)
{
    const Member *at = table, *end = table + n_table;
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        const char *text;
        size_t size;
        if (!syncd_json_get_plain(name, &text, &size))
            continue;
        int order = -1;
        for (; at < end && (order = compare_name(at->name, text, size)) < 0; at++)
            if (!at->optional && (known || at->required))
                break;
        if (at == end || order > 0)
            continue; /* a member this program does not know */
        *ret_fault = at->name;
        if (order < 0 || (!at->read(value, header, at->offset) && (known || at->required)))
            return false;
        at++;
    }
    for (; at < end; at++) {
        *ret_fault = at->name;
        if (!at->optional && (known || at->required))
            return false;
    }
    return object.type == SYNCD_JSON_OBJECT;
}

static bool read_body(SyncdJson value, SyncdHeader *header, size_t offset)
{
    const char *fault;
    return read_members(value, body_members, G_N_ELEMENTS(body_members), true, header, &fault);
}

static bool read_schema(SyncdJson value, SyncdHeader *header, size_t offset)
{
    const char *fault;
    return read_members(value, schema_members, G_N_ELEMENTS(schema_members), true, header, &fault);
}

static bool take_apart(const char *text, size_t size, SyncdHeader *ret_header,
                       const char **ret_fault)
{
    SyncdHeader header = {0};
    SyncdJson root = syncd_json_root(text, size);
    gint64 version = 0;
    *ret_fault = "v";
    if (!syncd_json_get_int64(syncd_json_member(root, "v"), &version) || version < 1)
        return false;
    header.known = version == SYNCD_HEADER_VERSION;
    header.lost = version == SYNCD_LOST_VERSION;
    if (!read_members(root, members, G_N_ELEMENTS(members), header.known, &header, ret_fault))
        return false;
    *ret_header = header;
    return true;
}

bool syncd_header_parse(const char *text, size_t size, SyncdHeader *ret_header, GError **error)
{
    if (size > SYNCD_HEADER_MAX_SIZE) {
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE,
                        "A header of %" G_GSIZE_FORMAT " bytes is larger than %d", size,
                        SYNCD_HEADER_MAX_SIZE);
        return false;
    }
    if (syncd_header_read(text, size, ret_header))
        return true;
    if (!syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT | SYNCD_JSON_INTEGERS_ONLY, error))
        return false;
    if (!syncd_canonical_is(text, size)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ENCODING, "The header is not canonical JSON");
        return false;
    }
    const char *fault;
    if (!take_apart(text, size, ret_header, &fault)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "The header's member '%s' is missing or wrong", fault);
        return false;
    }
    return true;
}

bool syncd_header_obeys(const SyncdHeader *header, const char **ret_fault)
{
    SyncdPublicKey signer;
    bool opens = syncd_bytes_are(header->kind, "feed.open");
    const struct {
        const char *name;
        bool good;
    } rules[] = {
        {"epoch", header->epoch >= 1},
        {"lane", !header->known || syncd_vocabulary_find(SYNCD_WORDS_LANE, header->lane) != NULL},
        {"signer",
         !header->known || (opens ? syncd_hex_decode(header->signer.data, header->signer.size,
                                                     signer.bytes, sizeof signer.bytes)
                                  : header->signer.size == 0)},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        *ret_fault = rules[i].name;
        if (!rules[i].good)
            return false;
    }
    return true;
}

#include "store/entry-private.h"

#include "base/id.h"

#include <stddef.h>

/* The canonical text of version 1 is always the same pieces with values between them. One table of
 * both writes it, and reads it back without looking for names, types or spaces: a text that is
 * these pieces with these values is canonical, and has every member once and of its type. */

/* A reader ends past its value, or gives NULL when there is none that the writer could have made.
 */
typedef const char *(*ReadFunc)(const char *at, const char *end, void *field);
typedef void (*WriteFunc)(GString *out, const void *field);

static void put(GString *out, const char *text)
{
    g_string_append(out, text);
}

static inline const char *skip_bytes(const char *at, const char *end, const char *text, size_t size)
{
    return (size_t)(end - at) >= size && memcmp(at, text, size) == 0 ? at + size : NULL;
}

static inline const char *skip(const char *at, const char *end, const char *text)
{
    return skip_bytes(at, end, text, strlen(text));
}

/* ---- text between quotes; none of it needs an escape ---- */

static const char *take(const char *at, size_t size, void *field)
{
    *(SyncdBytes *)field = SYNCD_BYTES(at, size);
    return size <= SYNCD_ID_TOKEN_MAX ? at + size : NULL;
}

/* Empty means none. */
static const char *read_token(const char *at, const char *end, void *field)
{
    size_t size = syncd_id_token_span(at, (size_t)(end - at));
    return size == 0 || g_ascii_isalnum(*at) ? take(at, size, field) : NULL;
}

/* A schema's id, which may hold a slash and other things. */
static const char *read_plain(const char *at, const char *end, void *field)
{
    const char *past = at;
    for (;; past++) {
        past += syncd_id_token_span(past, (size_t)(end - past));
        if (past == end || *past < 0x20 || *past >= 0x7f || *past == '"' || *past == '\\')
            break;
    }
    return take(at, (size_t)(past - at), field);
}

/* The id of a key, which is a hash, or nothing. */
static const char *read_key(const char *at, const char *end, void *field)
{
    SyncdHash hash;
    SyncdBytes *key = field;
    at = read_token(at, end, field);
    return at != NULL && (key->size == 0 || syncd_hash_from_hex(key->data, key->size, &hash))
               ? at
               : NULL;
}

static void write_bytes(GString *out, const void *field)
{
    const SyncdBytes *bytes = field;
    g_string_append_len(out, bytes->data, (gssize)bytes->size);
}

static const char *read_hash(const char *at, const char *end, void *field)
{
    const size_t size = SYNCD_HASH_HEX_SIZE - 1;
    return (size_t)(end - at) >= size && syncd_hash_from_hex(at, size, field) ? at + size : NULL;
}

static void write_hash(GString *out, const void *field)
{
    char hex[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(field, hex);
    put(out, hex);
}

/* ---- numbers and words ---- */

/* As many digits as fit any number that a header can hold; longer ones are left to the general
 * reader. */
#define DIGITS_MAX 18

static const char *read_count(const char *at, const char *end, void *field)
{
    guint64 number = 0;
    const char *start = at;
    for (; at != end && (guint8)(*at - '0') <= 9; at++)
        number = number * 10 + (guint64)(*at - '0');
    if (at == start || at - start > DIGITS_MAX || (*start == '0' && at - start > 1))
        return NULL;
    *(guint64 *)field = number;
    return at;
}

static void write_count(GString *out, const void *field)
{
    char digits[20], *at = digits + sizeof digits;
    guint64 left = *(const guint64 *)field;
    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    g_string_append_len(out, at, digits + sizeof digits - at);
}

static const char *read_counter(const char *at, const char *end, void *field)
{
    guint64 counter;
    at = read_count(at, end, &counter);
    if (at == NULL || counter > SYNCD_HLC_COUNTER_MAX)
        return NULL;
    *(guint32 *)field = (guint32)counter;
    return at;
}

static void write_counter(GString *out, const void *field)
{
    guint64 counter = *(const guint32 *)field;
    write_count(out, &counter);
}

static const char *read_either(const char *at, const char *end, const char *no, const char *yes,
                               void *field)
{
    const char *past = skip(at, end, yes);
    *(bool *)field = past != NULL;
    return past != NULL ? past : skip(at, end, no);
}

static const char *read_form(const char *at, const char *end, void *field)
{
    return read_either(at, end, "whole", "list", field);
}

static void write_form(GString *out, const void *field)
{
    put(out, *(const bool *)field ? "list" : "whole");
}

static const char *read_flag(const char *at, const char *end, void *field)
{
    return read_either(at, end, "false", "true", field);
}

static void write_flag(GString *out, const void *field)
{
    put(out, *(const bool *)field ? "true" : "false");
}

/* ---- members that are not always there ---- */

static const char *read_parents(const char *at, const char *end, void *field)
{
    SyncdHeader *header = field;
    for (header->n_parents = 0; at != NULL && at != end && *at != ']'; header->n_parents++) {
        if (header->n_parents == SYNCD_HEADER_MAX_PARENTS)
            return NULL;
        at = skip(at, end, header->n_parents == 0 ? "\"" : ",\"");
        if (at != NULL)
            at = read_hash(at, end, &header->parents[header->n_parents]);
        if (at != NULL)
            at = skip(at, end, "\"");
    }
    return at;
}

static void write_parents(GString *out, const void *field)
{
    const SyncdHeader *header = field;
    for (unsigned i = 0; i < header->n_parents; i++) {
        put(out, i > 0 ? ",\"" : "\"");
        write_hash(out, &header->parents[i]);
        put(out, "\"");
    }
}

#define SIGNER ",\"signer\":\""

static const char *read_signer(const char *at, const char *end, void *field)
{
    SyncdBytes *signer = field;
    const char *past = skip(at, end, SIGNER);
    *signer = (SyncdBytes){0};
    if (past == NULL)
        return at;
    past = read_token(past, end, field);
    return past != NULL && signer->size > 0 ? skip(past, end, "\"") : NULL;
}

static void write_signer(GString *out, const void *field)
{
    const SyncdBytes *signer = field;
    if (signer->size == 0)
        return;
    put(out, SIGNER);
    write_bytes(out, signer);
    put(out, "\"");
}

/* ---- the pieces ---- */

static const struct {
    const char *before;
    size_t before_size;
    ReadFunc read;
    WriteFunc write;
    size_t offset;
} parts[] = {
#define PART_AT(before, read, write, offset)                                                       \
    {                                                                                              \
        before, sizeof before - 1, read, write, offset                                             \
    }
#define PART(before, read, write, field) PART_AT(before, read, write, offsetof(SyncdHeader, field))
    PART("{\"actor\":\"", read_token, write_bytes, actor),
    PART("\",\"body\":{\"digest\":\"", read_hash, write_hash, body_digest),
    PART("\",\"form\":\"", read_form, write_form, body_is_list),
    PART("\",\"size\":", read_count, write_count, body_size),
    PART("},\"decision\":\"", read_token, write_bytes, decision),
    PART("\",\"device\":\"", read_token, write_bytes, device),
    PART("\",\"engine\":\"", read_token, write_bytes, engine),
    PART("\",\"epoch\":", read_count, write_count, epoch),
    PART(",\"hlc\":[", read_count, write_count, hlc.ms),
    PART(",", read_counter, write_counter, hlc.counter),
    PART("],\"key\":\"", read_key, write_bytes, key),
    PART("\",\"keyed\":", read_flag, write_flag, keyed),
    PART(",\"kind\":\"", read_token, write_bytes, kind),
    PART("\",\"lane\":\"", read_token, write_bytes, lane),
    PART("\",\"object\":\"", read_token, write_bytes, object),
    PART("\",\"op\":\"", read_token, write_bytes, op),
    PART_AT("\",\"parents\":[", read_parents, write_parents, 0),
    PART("],\"schema\":{\"id\":\"", read_plain, write_bytes, schema_id),
    PART("\",\"version\":", read_count, write_count, schema_version),
    PART("},\"scope\":\"", read_token, write_bytes, scope),
    PART("\",\"seq\":", read_count, write_count, seq),
    PART("", read_signer, write_signer, signer),
#undef PART
#undef PART_AT
};
static const char last[] = ",\"v\":1}";

bool syncd_header_read(const char *text, size_t size, SyncdHeader *ret_header)
{
    SyncdHeader header;
    const char *at = text, *end = text + size;
    for (size_t i = 0; i < G_N_ELEMENTS(parts) && at != NULL; i++) {
        at = skip_bytes(at, end, parts[i].before, parts[i].before_size);
        if (at != NULL)
            at = parts[i].read(at, end, (char *)&header + parts[i].offset);
    }
    if (at == NULL || skip(at, end, last) != end)
        return false;
    header.known = true;
    *ret_header = header;
    return true;
}

void syncd_header_write(const SyncdHeader *header, GString *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        put(out, parts[i].before);
        parts[i].write(out, (const char *)header + parts[i].offset);
    }
    put(out, last);
}

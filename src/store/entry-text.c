#include "store/entry-private.h"

#include "base/id-scan.h"
#include "base/id.h"

/* The canonical text of version 1 is always the same pieces with values between them. One list of
 * both writes it, and reads it back without looking for names, types or spaces: a text that is
 * these pieces with these values is canonical, and has every member once and of its type.
 *
 * A reader ends past its value, or gives NULL when there is none that the writer could have made.
 */

static inline void put(GString *out, const char *text)
{
    g_string_append_len(out, text, (gssize)strlen(text));
}

/* Compares the first so many bytes of the pieces, and the last, which may overlap: the compiler
 * makes one instruction of comparing these, and a call of comparing three. */
#define COMPARE_ENDS(a, b, size, part)                                                             \
    (memcmp((a), (b), (part)) == 0 &&                                                              \
     memcmp((a) + (size) - (part), (b) + (size) - (part), (part)) == 0)

#define WORD 8u

G_ALWAYS_INLINE static inline bool is_same(const char *a, const char *b, size_t size)
{
    for (; size > 2 * WORD; a += WORD, b += WORD, size -= WORD)
        if (memcmp(a, b, WORD) != 0)
            return false;
    if (size >= WORD)
        return COMPARE_ENDS(a, b, size, WORD);
    if (size >= WORD / 2)
        return COMPARE_ENDS(a, b, size, WORD / 2);
    return size < 2 ? size == 0 || *a == *b : COMPARE_ENDS(a, b, size, 2);
}

/* Of a literal the size is known here and now, which makes this a compare or two. */
G_ALWAYS_INLINE static inline const char *skip(const char *at, const char *end, const char *text)
{
    size_t size = strlen(text);
    return (size_t)(end - at) >= size && is_same(at, text, size) ? at + size : NULL;
}

/* ---- text between quotes; none of it needs an escape ---- */

static inline const char *take(const char *at, size_t size, SyncdBytes *value)
{
    *value = SYNCD_BYTES(at, size);
    return size <= SYNCD_ID_TOKEN_MAX ? at + size : NULL;
}

/* Empty means none. */
G_ALWAYS_INLINE static inline const char *read_token(const char *at, const char *end,
                                                     SyncdBytes *value)
{
    size_t size = syncd_id_token_span(at, (size_t)(end - at));
    return size == 0 || g_ascii_isalnum(*at) ? take(at, size, value) : NULL;
}

/* A schema's id, which may hold a slash and other things. */
static const char *read_plain(const char *at, const char *end, SyncdBytes *value)
{
    const char *past = at;
    for (;; past++) {
        past += syncd_id_token_span(past, (size_t)(end - past));
        if (past == end || *past < 0x20 || *past >= 0x7f || *past == '"' || *past == '\\')
            break;
    }
    return take(at, (size_t)(past - at), value);
}

static const char *read_hash(const char *at, const char *end, SyncdHash *value)
{
    const size_t size = SYNCD_HASH_HEX_SIZE - 1;
    return (size_t)(end - at) >= size && syncd_hash_from_hex(at, size, value) ? at + size : NULL;
}

/* The id of a key, which is a hash, or nothing. */
static const char *read_key(const char *at, const char *end, SyncdBytes *value)
{
    SyncdHash hash;
    const char *past = at != end && *at == '"' ? at : read_hash(at, end, &hash);
    *value = SYNCD_BYTES(at, past != NULL ? (size_t)(past - at) : 0);
    return past;
}

static void write_token(GString *out, const SyncdBytes *value)
{
    g_string_append_len(out, value->data, (gssize)value->size);
}

#define write_plain write_token
#define write_key write_token

static void write_hash(GString *out, const SyncdHash *value)
{
    char hex[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(value, hex);
    put(out, hex);
}

/* ---- numbers and words ---- */

/* As many digits as fit any number that a header can hold; longer ones are left to the general
 * reader. */
#define DIGITS_MAX 18

static const char *read_count(const char *at, const char *end, guint64 *value)
{
    guint64 number = 0;
    const char *start = at;
    for (; at != end && (guint8)(*at - '0') <= 9; at++)
        number = number * 10 + (guint64)(*at - '0');
    if (at == start || at - start > DIGITS_MAX || (*start == '0' && at - start > 1))
        return NULL;
    *value = number;
    return at;
}

static void write_count(GString *out, const guint64 *value)
{
    char digits[20], *at = digits + sizeof digits;
    guint64 left = *value;
    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    g_string_append_len(out, at, digits + sizeof digits - at);
}

static const char *read_counter(const char *at, const char *end, guint32 *value)
{
    guint64 counter;
    at = read_count(at, end, &counter);
    if (at == NULL || counter > SYNCD_HLC_COUNTER_MAX)
        return NULL;
    *value = (guint32)counter;
    return at;
}

static void write_counter(GString *out, const guint32 *value)
{
    guint64 counter = *value;
    write_count(out, &counter);
}

G_ALWAYS_INLINE static inline const char *read_either(const char *at, const char *end,
                                                      const char *no, const char *yes, bool *value)
{
    const char *past = skip(at, end, yes);
    *value = past != NULL;
    return past != NULL ? past : skip(at, end, no);
}

static const char *read_form(const char *at, const char *end, bool *value)
{
    return read_either(at, end, "whole", "list", value);
}

static void write_form(GString *out, const bool *value)
{
    put(out, *value ? "list" : "whole");
}

static const char *read_flag(const char *at, const char *end, bool *value)
{
    return read_either(at, end, "false", "true", value);
}

static void write_flag(GString *out, const bool *value)
{
    put(out, *value ? "true" : "false");
}

/* ---- members that are not always there ---- */

static const char *read_parents(const char *at, const char *end, SyncdHeader *header)
{
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

static void write_parents(GString *out, const SyncdHeader *header)
{
    for (unsigned i = 0; i < header->n_parents; i++) {
        put(out, i > 0 ? ",\"" : "\"");
        write_hash(out, &header->parents[i]);
        put(out, "\"");
    }
}

#define SIGNER ",\"signer\":\""

static const char *read_signer(const char *at, const char *end, SyncdBytes *signer)
{
    const char *past = skip(at, end, SIGNER);
    *signer = (SyncdBytes){0};
    if (past == NULL)
        return at;
    past = read_token(past, end, signer);
    return past != NULL && signer->size > 0 ? skip(past, end, "\"") : NULL;
}

static void write_signer(GString *out, const SyncdBytes *signer)
{
    if (signer->size == 0)
        return;
    put(out, SIGNER);
    write_token(out, signer);
    put(out, "\"");
}

/* ---- the pieces ---- */

#define PIECES(PIECE)                                                                              \
    PIECE("{\"actor\":\"", token, .actor)                                                          \
    PIECE("\",\"body\":{\"digest\":\"", hash, .body_digest)                                        \
    PIECE("\",\"form\":\"", form, .body_is_list)                                                   \
    PIECE("\",\"size\":", count, .body_size)                                                       \
    PIECE("},\"decision\":\"", token, .decision)                                                   \
    PIECE("\",\"device\":\"", token, .device)                                                      \
    PIECE("\",\"engine\":\"", token, .engine)                                                      \
    PIECE("\",\"epoch\":", count, .epoch)                                                          \
    PIECE(",\"hlc\":[", count, .hlc.ms)                                                            \
    PIECE(",", counter, .hlc.counter)                                                              \
    PIECE("],\"key\":\"", key, .key)                                                               \
    PIECE("\",\"keyed\":", flag, .keyed)                                                           \
    PIECE(",\"kind\":\"", token, .kind)                                                            \
    PIECE("\",\"lane\":\"", token, .lane)                                                          \
    PIECE("\",\"object\":\"", token, .object)                                                      \
    PIECE("\",\"op\":\"", token, .op)                                                              \
    PIECE("\",\"parents\":[", parents, )                                                           \
    PIECE("],\"schema\":{\"id\":\"", plain, .schema_id)                                            \
    PIECE("\",\"version\":", count, .schema_version)                                               \
    PIECE("},\"scope\":\"", token, .scope)                                                         \
    PIECE("\",\"seq\":", count, .seq)                                                              \
    PIECE("", signer, .signer)
#define LAST ",\"v\":1}"

bool syncd_header_read(const char *text, size_t size, SyncdHeader *ret_header)
{
    SyncdHeader header;
    const char *at = text, *end = text + size;
#define READ(before, form, field)                                                                  \
    if ((at = skip(at, end, before)) == NULL ||                                                    \
        (at = read_##form(at, end, &header field)) == NULL)                                        \
        return false;
    PIECES(READ)
#undef READ
    if (skip(at, end, LAST) != end)
        return false;
    header.known = true;
    header.lost = false;
    *ret_header = header;
    return true;
}

void syncd_header_write(const SyncdHeader *header, GString *out)
{
#define WRITE(before, form, field)                                                                 \
    put(out, before);                                                                              \
    write_##form(out, &(*header)field);
    PIECES(WRITE)
#undef WRITE
    put(out, LAST);
}

/*
 * Small things about bytes: views, a hash for tables in memory, and hexadecimal text.
 *
 * A SyncdBytes is a borrowed view: it owns nothing and is valid as long as what it points into.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <string.h>

typedef struct {
    const void *data;
    size_t size;
} SyncdBytes;

#define SYNCD_BYTES(data, size) ((SyncdBytes){(data), (size)})
#define SYNCD_BYTES_TEXT(text) ((SyncdBytes){(text), strlen(text)})

/* What the kernel copies files to begins like this: where it begins a little beyond a page, as what
 * malloc() maps does, each read follows a write whose address looks alike, which makes copying four
 * times as slow. */
#define SYNCD_READ_ALIGNMENT 64u

/* Whether they are exactly this text. */
static inline bool syncd_bytes_are(SyncdBytes bytes, const char *text)
{
    if (bytes.size == 0 || *(const char *)bytes.data != *text)
        return bytes.size == 0 && *text == '\0'; /* most texts of a table, without a call */
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

static inline bool syncd_bytes_equal(SyncdBytes one, SyncdBytes other)
{
    return one.size == other.size && (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
}

/* For tables in memory: the same for the same bytes, and spread over all of its bits. Who chooses
 * the texts can have them collide: a table has to bear that. */
static inline guint32 syncd_bytes_hash(SyncdBytes bytes)
{
    const guint8 *at = bytes.data;
    size_t left = bytes.size;
    guint64 hash = left, word = 0;
    for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    for (word = 0; left > 0; left--)
        word = word << 8 | *at++;
    hash = (hash ^ word) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    return (guint32)(hash >> 32);
}

/* Writes 2 * size lower-case digits and a NUL. */
void syncd_hex_encode(const void *bytes, size_t size, char *ret_text);
/* True only for exactly 2 * size lower-case digits. */
bool syncd_hex_decode(const char *text, size_t text_size, void *ret_bytes, size_t size);

/* As g_string_append_len(), which costs several times what the few bytes of most appends do. */
static inline void syncd_text_append(GString *out, SyncdBytes bytes)
{
    if (out->allocated_len - out->len <= bytes.size) {
        g_string_append_len(out, bytes.data, (gssize)bytes.size);
        return;
    }
    memcpy(out->str + out->len, bytes.data, bytes.size);
    out->len += bytes.size;
    out->str[out->len] = '\0';
}

static inline void syncd_put_be64(guint8 out[8], guint64 value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        out[i] = (guint8)value;
}

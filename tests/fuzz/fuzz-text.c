/*
 * Small things that callers and files write as text: times, ids, hashes, digests, scopes. What is
 * taken is written again as the same, or means the same.
 */
#include "fuzz.h"

#include "base/error.h"
#include "base/id.h"
#include "base/timestamp.h"
#include "cli/text.h"
#include "cli/when.h"
#include "crypto/hash.h"
#include "crypto/seal.h"
#include "service/internal.h"

#define NOW_USEC G_GUINT64_CONSTANT(1777939200000000)

static void check_time(const char *text, size_t size)
{
    gint64 usec, again;
    if (!syncd_time_parse(text, size, &usec))
        return;
    LAW(usec >= G_GINT64_CONSTANT(-62135683200000000)); /* the year 1, and a day for the zone */
    LAW(usec < G_GINT64_CONSTANT(253402387200000000));
    if (usec < 0)
        return;
    char written[SYNCD_TIME_SIZE];
    syncd_time_format_ms((guint64)usec / 1000, written);
    LAW(syncd_time_parse(written, strlen(written), &again));
    LAW(again == usec / 1000 * 1000 || usec >= G_GINT64_CONSTANT(253402300800000000));
}

static void check_when(const char *text)
{
    guint64 usec;
    if (syncd_when_parse(text, NOW_USEC, &usec))
        LAW(usec <= (guint64)G_MAXINT64);
    g_autofree char *local = syncd_when_local(text);
    LAW(local != NULL);
}

static void check_hash(const char *text, size_t size)
{
    SyncdHash hash;
    char hex[SYNCD_HASH_HEX_SIZE];
    if (syncd_hash_from_hex(text, size, &hash)) {
        syncd_hash_to_hex(&hash, hex);
        LAW(strlen(hex) == size && memcmp(hex, text, size) == 0);
    }
}

static void check_token(const char *text, size_t size)
{
    bool token = size >= 1 && size <= 128 && g_ascii_isalnum(text[0]);
    for (size_t i = 0; i < size && token; i++)
        token = g_ascii_isalnum(text[i]) || text[i] == '.' || text[i] == '_' || text[i] == ':' ||
                text[i] == '-';
    LAW(syncd_id_is_token(text, size) == token);
}

static void check_scope(const char *text)
{
    const char *class, *name;
    if (!syncd_scope_parse(text, &class, &name, NULL))
        return;
    g_autofree char *again = *name != '\0' ? g_strconcat(class, ":", name, NULL) : g_strdup(class);
    LAW(strcmp(again, text) == 0);
}

static void check_message(const char *text)
{
    g_autofree char *sentence = NULL;
    g_autofree char *next = NULL;
    syncd_error_split(text, &sentence, &next);
    LAW(sentence != NULL && g_str_has_prefix(text, sentence));
    LAW(next == NULL || strstr(text, next) != NULL);
}

/* Text for a terminal: nothing that moves a cursor comes through, and it is UTF-8. */
static void check_safe(const char *text)
{
    g_autofree char *safe = syncd_text_safe(text);
    LAW(g_utf8_validate(safe, -1, NULL));
    for (const char *at = safe; *at != '\0'; at = g_utf8_next_char(at))
        LAW(!g_unichar_iscntrl(g_utf8_get_char(at)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = size > 0 ? (const char *)data : "";
    check_time(bytes, size);
    check_hash(bytes, size);
    check_token(bytes, size);
    g_autofree char *text = fuzz_text(data, size);
    if (text == NULL)
        return 0;
    check_scope(text);
    check_safe(text);
    if (g_utf8_validate(text, -1, NULL)) {
        check_when(text);
        check_message(text);
    }
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    g_setenv("TZ", "UTC", TRUE);
    LAW(syncd_crypto_init(NULL));
    return 0;
}

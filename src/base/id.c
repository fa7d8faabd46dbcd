#include "base/id.h"

#include "base/id-scan.h"

#define TIME_DIGITS 10
#define RANDOM_DIGITS 16

static const char crockford[] = "0123456789abcdefghjkmnpqrstvwxyz";

char *syncd_id_new(const SyncdSources *sources, const char *prefix)
{
    char digits[TIME_DIGITS + RANDOM_DIGITS + 1];
    guint64 ms = syncd_sources_realtime_usec(sources) / 1000;
    for (int i = TIME_DIGITS - 1; i >= 0; i--, ms >>= 5)
        digits[i] = crockford[ms & 31];

    guint8 chance[RANDOM_DIGITS];
    syncd_sources_random(sources, chance, sizeof chance);
    for (int i = 0; i < RANDOM_DIGITS; i++)
        digits[TIME_DIGITS + i] = crockford[chance[i] & 31];
    digits[sizeof digits - 1] = '\0';

    return g_strconcat(prefix, "-", digits, NULL);
}

bool syncd_id_is_token(const char *text, size_t size)
{
    return size > 0 && size <= SYNCD_ID_TOKEN_MAX && g_ascii_isalnum(text[0]) &&
           syncd_id_token_span(text, size) == size;
}

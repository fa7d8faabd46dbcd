#include "store/generation.h"

#include "crypto/hash.h"

#include <string.h>

#define DOMAIN "sourceos-generation-v1"
#define CHECK_DIGITS 10

char *syncd_generation_describe(const char *device, guint64 generation)
{
    char hex[SYNCD_HASH_HEX_SIZE];
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, generation);
    SyncdBytes parts[] = {SYNCD_BYTES_TEXT(DOMAIN), SYNCD_BYTES_TEXT(device),
                          SYNCD_BYTES_TEXT(number)};
    SyncdHash hash = syncd_hash_parts(parts, G_N_ELEMENTS(parts));
    syncd_hash_to_hex(&hash, hex);
    return g_strdup_printf("%s-%.*s", number, CHECK_DIGITS, hex);
}

bool syncd_generation_parse(const char *device, const char *described, guint64 *ret_generation)
{
    *ret_generation = 1;
    if (described == NULL)
        return true;
    guint64 number = g_ascii_strtoull(described, NULL, 10);
    g_autofree char *wanted = syncd_generation_describe(device, number);
    if (number < 2 || strcmp(wanted, described) != 0)
        return false;
    *ret_generation = number;
    return true;
}

#include "crypto/short.h"

#include <sodium.h>
#include <string.h>

static const guint8 *key(void)
{
    static gsize once;
    static guint8 bytes[crypto_shorthash_KEYBYTES];
    if (g_once_init_enter(&once)) {
        crypto_shorthash_keygen(bytes);
        g_once_init_leave(&once, 1);
    }
    return bytes;
}

guint syncd_short_hash(guint64 seed, SyncdBytes bytes)
{
    guint8 seeded[crypto_shorthash_KEYBYTES];
    guint64 hash;
    memcpy(seeded, key(), sizeof seeded);
    for (size_t i = 0; i < sizeof seed; i++)
        seeded[i] ^= (guint8)(seed >> 8 * i);
    crypto_shorthash((guint8 *)&hash, bytes.data, bytes.size, seeded);
    return (guint)(hash ^ hash >> 32);
}

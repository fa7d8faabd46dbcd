/*
 * What the choice of SHA-256 rests on: the same inputs through syncd_hash(), through libsodium and
 * through libcrypto's older, deprecated interface. 65 bytes is a node of the Merkle tree.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/seal.h"

#include <openssl/sha.h>
#include <sodium.h>

#define LARGEST (1024 * 1024)
#define BYTES_A_RUN (16 * 1024 * 1024)
#define CALL_COST 200 /* in bytes, so that runs over small inputs are not much longer */
#define RUNS 5

typedef SyncdHash (*HashFunc)(const void *data, size_t size);

static SyncdHash by_libsodium(const void *data, size_t size)
{
    SyncdHash hash;
    crypto_hash_sha256(hash.bytes, data, size);
    return hash;
}

static SyncdHash by_older_libcrypto(const void *data, size_t size)
{
    SyncdHash hash;
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, data, size);
    SHA256_Final(hash.bytes, &context);
    return hash;
}

/* The best of some runs, in nanoseconds a call. */
static double measure(HashFunc hash, guint8 *data, size_t size)
{
    size_t calls = 1 + BYTES_A_RUN / (size + CALL_COST);
    double best = G_MAXDOUBLE;
    for (int run = 0; run < RUNS; run++) {
        gint64 begin = g_get_monotonic_time();
        for (size_t i = 0; i < calls; i++)
            data[0] ^= hash(data, size).bytes[0]; /* each call needs the one before */
        gint64 usec = g_get_monotonic_time() - begin;
        best = MIN(best, 1000.0 * (double)usec / (double)calls);
    }
    return best;
}

int main(void)
{
    static const struct {
        const char *name;
        HashFunc hash;
    } ways[] = {
        {"syncd_hash", syncd_hash},
        {"libsodium", by_libsodium},
        {"libcrypto SHA256_*", by_older_libcrypto},
    };
    static const size_t sizes[] = {65, 600, 4096, LARGEST};
    g_autofree guint8 *data = g_malloc0(LARGEST);
    g_autoptr(GError) error = NULL;
    if (!syncd_crypto_init(&error)) {
        g_printerr("%s\n", error->message);
        return 1;
    }

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(ways); j++) {
            double nsec = measure(ways[j].hash, data, sizes[i]);
            g_print("%8zu bytes  %-18s  %11.1f ns  %5.2f GB/s\n", sizes[i], ways[j].name, nsec,
                    (double)sizes[i] / nsec);
        }
    }
    return 0;
}

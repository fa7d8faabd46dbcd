#include "crypto/secret.h"

#include "base/log.h"

#include <errno.h>
#include <sodium.h>

static void warn_unlocked_once(int errnum)
{
    static gint warned;
    if (g_atomic_int_compare_and_exchange(&warned, 0, 1))
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE,
                  "Secret keys cannot be locked into memory (%s) and may reach swap; raise "
                  "LimitMEMLOCK= or encrypt the swap device.",
                  g_strerror(errnum));
}

void *syncd_secret_new(size_t size, GError **error)
{
    /* sodium_malloc() needs the page size and canary that initialising sets up. */
    void *secret = sodium_init() < 0 ? NULL : sodium_malloc(size);
    if (secret == NULL) {
        syncd_set_error_next(error, SYNCD_ERROR_FAILED,
                             "free memory or raise its limit, then repeat",
                             "There is no memory for a secret key");
        return NULL;
    }
    /* sodium_malloc() tries to lock and forgets the outcome; locks do not nest, so asking again
     * only reveals it. */
    if (sodium_mlock(secret, size) != 0)
        warn_unlocked_once(errno);
    return secret;
}

void syncd_secret_free(void *secret)
{
    sodium_free(secret);
}

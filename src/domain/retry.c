#include "domain/retry.h"

#define MINUTE_MS (60u * G_GUINT64_CONSTANT(1000))

const SyncdRetryPolicy syncd_retry_policy = {
    .max_attempts = 8,
    .first_ms = 1000,
    .most_ms = 5 * MINUTE_MS,
    .asked_ms = 24 * 60 * MINUTE_MS,
};

bool syncd_retry_again(guint attempts)
{
    return attempts < syncd_retry_policy.max_attempts;
}

guint64 syncd_retry_delay_ms(guint attempts, guint64 asked_ms)
{
    guint64 delay_ms = syncd_retry_policy.first_ms;
    for (guint i = 1; i < attempts && delay_ms < syncd_retry_policy.most_ms; i++)
        delay_ms *= 2;
    delay_ms = MIN(delay_ms, syncd_retry_policy.most_ms);
    return MAX(delay_ms, MIN(asked_ms, syncd_retry_policy.asked_ms));
}

/*
 * Waiting for a job.
 *
 * In the user instance the end of a job is a signal: it is subscribed to first and the state read
 * afterwards, so that an end between the two is not missed. The system instance tells jobs only to
 * those who may ask, so there the job is asked, less and less often. Whoever is interrupted while
 * waiting takes the job back: nobody would read its result.
 */
#pragma once

#include "client/client.h"

#include <glib.h>
#include <stdbool.h>

/* Told from time to time; `progress` is 0 to 1. */
typedef void (*SyncdProgressFunc)(void *data, double progress);

/* The result of the job, one JSON document; NULL when it failed or was cancelled. */
char *syncd_client_wait_job(SyncdClient *client, const char *path, const struct pollfd *stop,
                            SyncdProgressFunc progress, void *data, GError **error);

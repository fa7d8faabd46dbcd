/*
 * A connection to one instance of the daemon, for our own programs.
 *
 * Calls are synchronous and limited in time. Text that comes back has passed the strict JSON check,
 * so views may be made over it. A client that only shows a state says `auto_start = false`: looking
 * must not start a daemon.
 *
 * A SyncdClient is owned by whoever connected it and used by one thread.
 */
#pragma once

#include "base/error.h"
#include "client/address.h"

#include <glib.h>
#include <poll.h>
#include <stdbool.h>

typedef struct {
    SyncdClientInstance instance;
    bool auto_start;      /* a call may start the daemon by bus activation */
    bool interactive;     /* a call may make polkit ask a person */
    guint64 timeout_usec; /* of one call, and of reaching the bus */
} SyncdClientOptions;

typedef struct SyncdClient SyncdClient;

SyncdClient *syncd_client_connect(const SyncdClientOptions *options, GError **error);
void syncd_client_free(SyncdClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdClient, syncd_client_free)

SyncdClientInstance syncd_client_instance(const SyncdClient *client);

/* ---- following ---- */

typedef enum {
    SYNCD_CHANGE_EVENTS = 1 << 0, /* entries were committed */
    SYNCD_CHANGE_STATE = 1 << 1,  /* a property of Manager changed */
    SYNCD_CHANGE_OWNER = 1 << 2,  /* the daemon came or went */
    SYNCD_CHANGE_JOB = 1 << 3,    /* the job that is waited for ended */
    SYNCD_CHANGE_LOST = 1 << 4,   /* the connection to the bus is gone for good */
} SyncdChange;

/* Subscribes to the first three. */
bool syncd_client_watch(SyncdClient *client, GError **error);
/* What changed since the last call. */
unsigned syncd_client_take_changes(SyncdClient *client);

#define SYNCD_CLIENT_FOREVER G_MAXUINT64
/* Returns when one of the clients has a change, when time is over, or when something happens to
 * `stop` (NULL: nothing to look at); the last is Interrupted. */
bool syncd_clients_wait(SyncdClient *const *clients, size_t n_clients, guint64 timeout_usec,
                        const struct pollfd *stop, GError **error);

/*
 * What changes in folders that are watched.
 *
 * inotify tells it as it happens, and forgets what is not taken in time; so everything is taken as
 * soon as there is a moment, and kept here until it can be told. Meanwhile several changes of one
 * name become one: the last thing that happened to it stands. What is kept is bounded: beyond that,
 * as when the kernel's own queue ran over, it is told that events were lost.
 *
 * A folder has the number that it was last added with.
 */
#pragma once

#include "reader/wire.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_WATCH_KEPT_MAX 65536u

typedef struct SyncdWatch SyncdWatch;

/* Where the kernel has no more inotify to give, nothing can be added. */
SyncdWatch *syncd_watch_new(void);
void syncd_watch_free(SyncdWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdWatch, syncd_watch_free)
int syncd_watch_fd(const SyncdWatch *watch); /* to poll for input; -1 for none */

/* Watches an open folder from now on; what happened before is told under its earlier number. False
 * if it cannot be watched: then no folder has this number. */
bool syncd_watch_add(SyncdWatch *watch, int folder, guint64 number);
void syncd_watch_forget(SyncdWatch *watch, guint64 number);

/* Takes what the kernel has. Never waits. */
void syncd_watch_take(SyncdWatch *watch);
/* The same with these bytes, which are such as read(2) gives from inotify. */
void syncd_watch_take_bytes(SyncdWatch *watch, SyncdBytes bytes);
/* The next message to tell, EVENT or LOST, whose name is good until the next call; false when there
 * is none. */
bool syncd_watch_next(SyncdWatch *watch, SyncdWireMessage *ret_message);

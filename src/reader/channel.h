/*
 * The reader's end of the socket: requests in, answers out.
 *
 * Answers are collected into packets. Sending waits for the daemon to take what was sent before;
 * meanwhile, and whenever the reader attends, requests are put in line and events are taken from
 * inotify, so that neither end waits for the other for ever and no event is lost for that.
 *
 * A CANCEL counts as it comes in, and so do DATA, whatever else waits in line.
 *
 * Every function that returns bool is false once there is nobody left to answer to: the daemon is
 * gone, or it said what is no message.
 */
#pragma once

#include "reader/place.h"
#include "reader/watch.h"
#include "reader/wire.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdChannel SyncdChannel;

/* Both are borrowed. */
SyncdChannel *syncd_channel_new(int fd, SyncdWatch *watch, SyncdStaging *staging);
void syncd_channel_free(SyncdChannel *channel); /* the descriptor stays open */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdChannel, syncd_channel_free)

/* Takes what came in, without waiting. */
bool syncd_channel_attend(SyncdChannel *channel);
/* Waits until something came in, and takes it. Events alone not before some time has passed since
 * they were last waited for: many that follow each other are told together. */
bool syncd_channel_wait(SyncdChannel *channel);
/* The next request in line, which is then the present one; NULL for none. Good until the next call.
 */
const SyncdWireMessage *syncd_channel_next(SyncdChannel *channel);
bool syncd_channel_is_cancelled(const SyncdChannel *channel); /* the present one */

bool syncd_channel_say(SyncdChannel *channel, const SyncdWireMessage *message);
bool syncd_channel_flush(SyncdChannel *channel);

/* Why it ended, when it is the daemon's fault; NULL otherwise. */
GError *syncd_channel_steal_error(SyncdChannel *channel);

/*
 * Whose call is served next.
 *
 * A connection hands over calls in the order in which the bus passed them on: whoever sends the
 * most would make everybody else wait for all of it. So calls are taken in ahead, which is cheap,
 * and wait here in a line for each user; next is the user who had the least of the time that
 * serving took. While nothing else waits a call is served where it arrives, and the queue costs one
 * look at the socket.
 *
 * What is taken in ahead is bounded. A user whose line is full, in calls (bus/limits.h) or in
 * bytes, is refused the next call, and is told when its turn would have come; when all lines
 * together hold too many bytes, or many calls came in since the last one was served, serving comes
 * before reading. The calls of one user keep their order.
 *
 * What is answered is bounded as well: while an answer waits to be sent nothing is served, and the
 * kernel is given a small buffer. Whoever calls next would wait until the bus has read all that.
 *
 * A call that takes long is served in pieces. Between two of them it stands at the head of its
 * user's line, which is charged for each: others come first when they had less, and no further call
 * of the same user is begun before it is done. So of every user at most one call is in pieces.
 *
 * After a piece that was long all the same, reading goes on until the bus pauses or another user's
 * call is found: the kernel holds few large messages, and that call may lie behind many.
 */
#pragma once

#include "bus/callers.h"
#include "bus/limits.h"

#include <glib.h>
#include <systemd/sd-bus.h>

typedef struct SyncdQueue SyncdQueue;

/* Everything is borrowed and outlives the queue; the connection has an event loop. */
SyncdQueue *syncd_queue_new(sd_bus *connection, SyncdLimits *limits, SyncdCallers *callers,
                            GError **error);
/* Whoever waits is answered with Cancelled. */
void syncd_queue_free(SyncdQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdQueue, syncd_queue_free)

/* Lets a call through that came earlier and goes on now: it has waited. Gives a negative errno. */
int syncd_queue_pass(SyncdQueue *queue, sd_bus_message *message);

/* The next piece of a call of this user, called once when its turn has come, or with `stopping`
 * when none comes any more. It may ask for a further one. */
typedef void (*SyncdPieceFunc)(void *data, bool stopping);
void syncd_queue_go_on(SyncdQueue *queue, uid_t uid, SyncdPieceFunc func, void *data);

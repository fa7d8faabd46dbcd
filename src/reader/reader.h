/*
 * The reader of a workspace: a process that alone touches its files, for a daemon that must not
 * wait for a disk, a network or a hostile file system.
 *
 * It answers one request after the other, and while it reads it listens: to what changes, so that
 * no event is lost, and to the daemon, which may no longer want the answer. It says what
 * reader/wire.h describes, keeps nothing, and writes nothing but what it is told to place
 * (reader/place.h). When nothing happens it sleeps.
 *
 * The names of a folder are told between files, after what was told of them before: see wire.h.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

/* Answers on the socket until the daemon closes it. False when it said what is no message. */
bool syncd_reader_run(int fd, GError **error);

/* Makes this process the reader that a daemon began: the socket at `fd` is a SOCK_SEQPACKET one
 * (or Usage), nothing else of the daemon's stays open, it dies with the daemon, gains no rights,
 * shows its memory to nobody, and lets everybody else go first. */
bool syncd_reader_confine(int fd, GError **error);

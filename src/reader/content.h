/*
 * The digest of what is in an open file.
 *
 * It is that of the bytes the file had at one moment, or there is none: size, times and inode are
 * compared before and after, and the reading begins in a later tick (reader/tick.h). (A change
 * through a mapping of the file that its system has not noticed yet cannot be seen.)
 *
 * Large files are read in pieces. Every SYNCD_CONTENT_PAUSE bytes, counted over all files, a
 * function is called, which may say that it is to end. Somebody may take the bytes that are read:
 * they are what the digest is of, if there is one in the end.
 */
#pragma once

#include "base/bytes.h"
#include "crypto/hash.h"
#include "domain/file.h"
#include "reader/pause.h"

#include <glib.h>
#include <stdbool.h>

/* A larger file, most of it a hole perhaps, would keep all others waiting. */
#define SYNCD_CONTENT_MAX (G_GUINT64_CONSTANT(256) * 1024 * 1024 * 1024)
#define SYNCD_CONTENT_PAUSE (4u * 1024u * 1024u)

typedef struct SyncdContent SyncdContent;

/* What is read, in its order; at 0 it begins anew. False: it is to end. */
typedef bool (*SyncdContentSink)(void *data, guint64 offset, SyncdBytes bytes);

/* `buffer` is how much is read at a time, 0 for what is best. */
SyncdContent *syncd_content_new(SyncdPauseFunc pause, void *data, size_t buffer);
void syncd_content_free(SyncdContent *content);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdContent, syncd_content_free)

/* For those that read or write something else in between. An errno, or 0. */
guint32 syncd_content_pause(SyncdContent *content, size_t size);
/* Asks at once. */
bool syncd_content_goes_on(SyncdContent *content);
/* Of a regular file, opened just now, which is as `stat` says. An errno, or 0; EAGAIN when it was
 * changed meanwhile. `sink`, which gets the data of `pause`, may be NULL. */
guint32 syncd_content_hash(SyncdContent *content, int fd, const SyncdFileStat *stat,
                           SyncdContentSink sink, SyncdHash *ret_hash);

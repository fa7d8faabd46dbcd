/*
 * A file of the state directory that comes in pieces, and is published whole.
 *
 * Each piece is written as it comes, and synced now and then, so that no call waits for a disk that
 * has to take all of it at once. Until it is published it has another name (".part" behind its
 * own), which a crash leaves: whoever begins it again, or removes what has that name, takes care of
 * it.
 */
#pragma once

#include "store/directory.h"

#define SYNCD_WRITING_SUFFIX ".part"

typedef struct SyncdWriting SyncdWriting;

/* Borrows the directory. The folder in front of the name is there. */
SyncdWriting *syncd_writing_new(SyncdDirectory *directory, const char *name, GError **error);
void syncd_writing_free(SyncdWriting *writing); /* what was not published is removed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdWriting, syncd_writing_free)
/* After an error the same piece may be tried again. */
bool syncd_writing_add(SyncdWriting *writing, SyncdBytes piece, GError **error);
bool syncd_writing_publish(SyncdWriting *writing, GError **error);

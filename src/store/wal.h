/*
 * Where SQLite ends to take frames of a WAL, and what lies behind that. A frame that is not as it
 * was written ends it, whatever follows, and SQLite writes over that without a word.
 *
 * Each commit is durable before the next transaction writes its first frame. So a crash leaves one
 * transaction at most behind the end, that nobody was told of; where there are ends of two, the
 * WAL was damaged later, and what it lost was acknowledged. Frames of an earlier use of the file
 * have other salts, and all of them are in the database.
 */
#pragma once

#include "store/directory.h"

typedef struct {
    guint64 size;    /* of the file; 0: there is none */
    guint64 end;     /* so much of it SQLite takes */
    guint64 commits; /* ends of transactions, of the same use, that lie behind */
} SyncdWalEnd;

bool syncd_wal_look(SyncdDirectory *directory, const char *name, SyncdWalEnd *ret_end,
                    GError **error);
/* Whether it lost what was acknowledged. */
bool syncd_wal_is_cut(const SyncdWalEnd *end);
/* Whether anything is behind the end, of whatever use; false when it cannot be read. */
bool syncd_wal_has_more(SyncdDirectory *directory, const char *name);

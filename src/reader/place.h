/*
 * Putting one file where it was: the only thing that a reader ever writes, and only when it is told
 * to (PLACE).
 *
 * The bytes come beforehand (DATA) and are staged in memory without a name. They are put into a new
 * file in the folder, synced, and only then given its name: in one step, and only if what has the
 * name is what it was said to be. What was there is removed when the new file is durable. So at any
 * moment the name has the old file, or the new one; what a crash may leave beside it is in
 * reader/leftover.h.
 *
 * Like reading, it stays beneath the root and on its file system, and follows no symlink.
 */
#pragma once

#include "reader/look.h"
#include "reader/open.h"

typedef struct {
    int fd; /* -1: nothing is staged */
    guint64 size;
    guint32 problem; /* an errno: why what came cannot be placed */
} SyncdStaging;

void syncd_staging_init(SyncdStaging *staging);
/* Data at 0 begins anew. */
void syncd_staging_add(SyncdStaging *staging, guint64 offset, SyncdBytes bytes);
void syncd_staging_clear(SyncdStaging *staging);

/* Places what is staged in an open folder. An errno, or 0: EEXIST when what has the name is not
 * what it was said to be; EBADMSG when what is staged is not. `ret_placed`: it has the name, which
 * it may with an error too, when that came last; then what was there is still beside it. */
guint32 syncd_place(SyncdContent *content, int folder, const SyncdWireMessage *request,
                    const SyncdStaging *staging, SyncdFileStat *ret_stat, bool *ret_placed);
/* Opens a folder beneath the root for that. */
SyncdOpened syncd_place_open_folder(const SyncdLook *look, int root, SyncdBytes path);
/* Makes one in an open folder, of the request's mode. An errno, or 0. */
guint32 syncd_place_make_folder(const SyncdLook *look, int folder, const SyncdWireMessage *request,
                                SyncdFileStat *ret_stat);

/*
 * Opening what lies beneath the root of a workspace, and nothing else.
 *
 * Whoever may write to the workspace can put a symlink, a mount or a pipe wherever there was a
 * folder or a file, at any moment. So nothing is opened by what was known of it before: the kernel
 * is told to stay beneath the root, to follow no link and to enter no other file system, and what
 * was opened is asked what it is. Opening waits for nobody, and makes no terminal ours.
 *
 * What the file system answers is a result here: a descriptor, or an errno.
 */
#pragma once

#include "base/bytes.h"
#include "domain/file.h"

#include <dirent.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

typedef struct {
    int fd;        /* -1: none */
    guint32 error; /* of when there is none */
} SyncdOpened;

/* The root of a workspace, by an absolute path without a symlink on the way: it lies where the
 * registry says that it does. */
SyncdOpened syncd_open_root(SyncdBytes path);
/* The folder at a path beneath (no path: the root itself), however long the path is; `flags` are
 * those of open(2): O_RDONLY to list it, O_PATH to open what is in it. */
SyncdOpened syncd_open_folder(int root, SyncdBytes path, int flags);
/* What has a name in a folder, which may be a symlink with O_PATH only. */
SyncdOpened syncd_open_in(int folder, const char *name, int flags);
void syncd_opened_close(SyncdOpened *opened);

/* What an open file is, or what has a name in a folder. An errno, or 0. `ret_mounted`: it is the
 * root of a mount. */
guint32 syncd_stat_of(int fd, SyncdFileStat *ret_stat);
guint32 syncd_stat_in(int folder, const char *name, SyncdFileStat *ret_stat, bool *ret_mounted);

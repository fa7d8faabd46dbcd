/*
 * What a file of a workspace is, apart from where it is and what is in it.
 *
 * Plain data that the reader of a workspace, the index and the documents share. Times are
 * nanoseconds since 1970, as the file system states them.
 *
 * An inode number is given to another file once the first is deleted: together with the time of its
 * making it names one file for ever, where the file system keeps that. The number of a device says
 * little, as another one is given at the next start: 0 is that of the workspace's own folder.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    SYNCD_FILE_REGULAR = 1,
    SYNCD_FILE_FOLDER,
    SYNCD_FILE_SYMLINK,
    SYNCD_FILE_SPECIAL, /* a device, a pipe, a socket: said, and never opened */
} SyncdFileKind;

#define SYNCD_FILE_MODE_BITS 07777u

typedef struct {
    SyncdFileKind kind;
    guint32 mode; /* SYNCD_FILE_MODE_BITS of it */
    guint32 uid;
    guint32 links;
    guint64 device, inode;
    guint64 size;
    gint64 mtime, ctime;
    gint64 born; /* when it was made; 0: the file system does not say */
} SyncdFileStat;

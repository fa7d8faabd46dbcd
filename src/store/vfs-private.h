/*
 * What the files of our VFS have in common: each has that of the system's VFS behind it, and what
 * it does not do itself it leaves to that one. Private to vfs.c, read-ahead.c and gather.c.
 */
#pragma once

#include "base/bytes.h"
#include "store/vfs.h"

#include <glib.h>
#include <sqlite3.h>

#define SYNCD_FILE_BUFFER (64 * 1024)

/* The file of the VFS below lies behind it. */
typedef struct {
    sqlite3_file file;
    void *memory;  /* NULL: not needed yet, or not to be had; else … */
    guint8 *bytes; /* … within it SYNCD_FILE_BUFFER of them */
    sqlite3_int64 begin;
    sqlite3_int64 end; /* which bytes of the file they are; not greater than `begin` for none */
    SyncdReadFunc watch;
    void *watcher;
    SyncdVfsPages *salvaged; /* what stands in for pages; NULL: nothing does */
    bool unlocked;           /* only read, and open elsewhere in this process */
    union {
        struct {
            sqlite3_int64 next; /* where the last read ended */
            unsigned forwards;  /* reads that went on from the one before */
            unsigned lent;      /* pages of `bytes` that SQLite is looking at */
        } ahead;
        struct {
            sqlite3_int64 hole; /* what was written from here on is lost; -1: nothing is */
            int why;            /* the error that lost it */
            gboolean commits;   /* the frame that comes ends a transaction */
        } gather;
    };
} SyncdFile;

G_STATIC_ASSERT(sizeof(SyncdFile) % 8 == 0);

static inline sqlite3_file *syncd_file_below(sqlite3_file *file)
{
    return (sqlite3_file *)((SyncdFile *)file + 1);
}

/* Whether there is memory for the bytes now. */
gboolean syncd_file_has_buffer(SyncdFile *file);

extern const sqlite3_io_methods syncd_read_ahead_methods; /* of databases */
extern const sqlite3_io_methods syncd_gather_methods;     /* of their WALs */

/* Whoever watches its reads lets this one be. */
gboolean syncd_file_may_read(const SyncdFile *file);

/* What is left to the file below. */
int syncd_file_close(sqlite3_file *file);
int syncd_file_sync(sqlite3_file *file, int flags);
int syncd_file_size(sqlite3_file *file, sqlite3_int64 *ret_size);
int syncd_file_lock(sqlite3_file *file, int level);
int syncd_file_unlock(sqlite3_file *file, int level);
int syncd_file_check_lock(sqlite3_file *file, int *ret_locked);
int syncd_file_control(sqlite3_file *file, int operation, void *argument);
int syncd_file_sector_size(sqlite3_file *file);
int syncd_file_characteristics(sqlite3_file *file);

/*
 * What lies between SQLite and the files of the system: fewer system calls, the same bytes.
 *
 * A database is read ahead while it is walked forwards (read-ahead.c), and the frames of a
 * transaction leave for the WAL together (gather.c). All else is what SQLite's default VFS does:
 * nothing is locked, synced or promised otherwise.
 *
 * A database has one connection, and nobody else writes its files while the directory's lock is
 * held (store/directory.h): what is held in memory cannot grow old.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

/* Its name, for sqlite3_open_v2(). NULL (the default VFS) when it cannot be had. */
const char *syncd_vfs(void);

/* What stands in for pages of a database, counted from 0; the first page is the first of them. */
#define SYNCD_VFS_PAGE 4096
#define SYNCD_VFS_PAGES_MAX 8
typedef struct SyncdVfsPages {
    unsigned n;
    struct {
        unsigned number;
        unsigned char bytes[SYNCD_VFS_PAGE];
    } pages[SYNCD_VFS_PAGES_MAX];
} SyncdVfsPages;

/* The bytes of that page; NULL: nothing stands in for it. */
const unsigned char *syncd_vfs_page(const SyncdVfsPages *pages, sqlite3_int64 number);
/* From then on what is read of a database's own file is what a salvaged copy of it would hold
 * (store/salvage.h): these in their places, and zeros where the disk gives nothing. Before anything
 * is asked of `handle`, which is only looked at. False: for want of memory. */
bool syncd_vfs_salvage(sqlite3 *handle, const SyncdVfsPages *pages);

/* From then on nothing locks a database's own file: this process has it open, and its lock. Before
 * anything is asked of `handle`. */
void syncd_vfs_leave_unlocked(sqlite3 *handle);

/* Asked before each page that is read of a database's own file, or of its WAL, whether it may be.
 */
typedef bool (*SyncdReadFunc)(void *data);
/* Of `handle`, which was opened with it. `func` NULL: nobody is asked any more. */
void syncd_vfs_watch_reads(sqlite3 *handle, SyncdReadFunc func, void *data);

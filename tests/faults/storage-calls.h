/*
 * The storage calls of this very process, one by one: what the disk is asked to do.
 *
 * A test program that links storage-calls.c, storage-libc.c and storage-names.c and exports its
 * symbols (meson: `export_dynamic: true`) takes the place of libc for open, close, read, write,
 * truncate, allocate, sync, syncfs, rename, link, unlink, mkdir, rmdir, chmod, chown and their
 * variants, and for the one system call that has no function (openat2). GLib and SQLite call these
 * by name, so theirs come by here as well as our own, all in one order.
 *
 * A call is a storage call when it is about the watched folder or something below it. Each is
 * numbered from 1, shown to `decide`, done as that says, and shown to `observe` with its outcome.
 * Everything else, and all that the two callbacks do themselves, goes straight to libc. A process
 * that never watches notices nothing.
 *
 * Files that were opened before the watch began are not seen, nor are duplicates of descriptors,
 * mmap and stdio, which the store does not use. One thread. A fork inherits the watch.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    STORAGE_OPEN,
    STORAGE_CLOSE,
    STORAGE_READ,
    STORAGE_WRITE,
    STORAGE_TRUNCATE,
    STORAGE_ALLOCATE,
    STORAGE_SYNC,
    STORAGE_SYNC_ALL,   /* syncfs(2) */
    STORAGE_SYNC_RANGE, /* sync_file_range(2): promises nothing after a power cut */
    STORAGE_RENAME,
    STORAGE_LINK,
    STORAGE_UNLINK,
    STORAGE_MKDIR,
    STORAGE_RMDIR,
    STORAGE_MODE,
    STORAGE_OWNER,
    STORAGE_N_KINDS
} StorageKind;

typedef struct {
    guint64 number; /* 1, 2, 3 … since the watch began */
    StorageKind kind;
    const char *function; /* the symbol that was called: "pwrite64" */
    const char *path;     /* below the watched folder, "" for itself; of a descriptor, the name that
                             it was opened by */
    const char *to;       /* the new name of a rename or a link */
    int fd;               /* -1 where the call names a path */
    int flags;            /* of open, fallocate, renameat2 */
    gint64 offset;        /* of a read, a write, an allocation; the new size of a truncation */
    size_t size;          /* asked for */
    const void *bytes;    /* of a write */
} StorageCall;

typedef enum {
    STORAGE_PASS,
    STORAGE_FAIL,    /* nothing is done (but a close), `problem` is the errno */
    STORAGE_SHORT,   /* reads, writes: at most `size` bytes; any other call passes */
    STORAGE_PRETEND, /* nothing is done and success is told: only for syncs */
    STORAGE_KILL,    /* SIGKILL before it is done */
    STORAGE_KILL_AFTER,
} StorageAct;

typedef struct {
    StorageAct act;
    int problem;
    size_t size;
} StorageVerdict;

typedef StorageVerdict (*StorageDecide)(void *data, const StorageCall *call);
/* `result` as the system call gives it; `problem` is the errno of a failed one. */
typedef void (*StorageObserve)(void *data, const StorageCall *call, gint64 result, int problem);

/* Begins to count anew. Either callback may be NULL. The folder must exist. */
void storage_watch(const char *folder, StorageDecide decide, StorageObserve observe, void *data);
void storage_unwatch(void);
guint64 storage_count(void); /* storage calls since the watch began */

const char *storage_kind_name(StorageKind kind); /* "write" */
/* One line about a call, for messages. */
char *storage_describe(const StorageCall *call);

/*
 * Between the functions that take the place of libc's: libc's own, and what became of a call. Each
 * file that includes it speaks of them by their own names, neither checked nor renamed by the
 * headers.
 */
#pragma once

#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS

#include "storage-calls-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

G_STATIC_ASSERT(sizeof(off_t) == sizeof(off64_t));

typedef struct {
    __typeof__(openat) *openat;
    __typeof__(close) *close;
    __typeof__(read) *read;
    __typeof__(pread) *pread;
    __typeof__(write) *write;
    __typeof__(pwrite) *pwrite;
    __typeof__(ftruncate) *ftruncate;
    __typeof__(fallocate) *fallocate;
    __typeof__(posix_fallocate) *posix_fallocate;
    __typeof__(fsync) *fsync;
    __typeof__(syncfs) *syncfs;
    __typeof__(sync_file_range) *sync_file_range;
    __typeof__(renameat2) *renameat2;
    __typeof__(linkat) *linkat;
    __typeof__(unlinkat) *unlinkat;
    __typeof__(fchmodat) *fchmodat;
    __typeof__(fchmod) *fchmod;
    __typeof__(fchownat) *fchownat;
    __typeof__(fchown) *fchown;
    __typeof__(syscall) *syscall;
    __typeof__(mkdirat) *mkdirat;
} StorageLibc;

/* Found before anything else is done: other libraries open files before main() begins. */
const StorageLibc *storage_libc(void);

static inline bool is_made(StorageVerdict verdict)
{
    return verdict.act != STORAGE_FAIL && verdict.act != STORAGE_PRETEND;
}

/* The outcome of a call that was not made. */
static inline gint64 unmade(StorageCall *call, StorageVerdict verdict)
{
    bool fails = verdict.act == STORAGE_FAIL;
    return storage_leave(call, verdict, fails ? -1 : 0, fails ? verdict.problem : 0);
}

static inline gint64 made(StorageCall *call, StorageVerdict verdict, gint64 result)
{
    return storage_leave(call, verdict, result, result < 0 ? errno : 0);
}

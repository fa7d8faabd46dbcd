/* What the replaced functions of libc share with the watch. */
#pragma once

#include "storage-calls.h"

/* Whether a call is a storage call; fills in its place. Names are as libc takes them: relative to
 * `at`, which may be AT_FDCWD. The strings belong to the call until storage_leave(). */
bool storage_is_name(StorageCall *call, int at, const char *name);
bool storage_is_to(StorageCall *call, int at, const char *name);
bool storage_is_fd(StorageCall *call, int fd);

/* Around the real call, which is made unless the verdict is FAIL or PRETEND. */
StorageVerdict storage_enter(StorageCall *call);
/* Sets errno to `problem` when the result is a failure, and gives the result back. */
gint64 storage_leave(StorageCall *call, StorageVerdict verdict, gint64 result, int problem);

void storage_opened(int fd, const char *path); /* path below the folder */
void storage_closed(int fd);

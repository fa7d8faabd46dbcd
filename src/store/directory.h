/*
 * The state directory: who may use it, and how files get into it.
 *
 * Exactly one process holds a state directory, by an flock on `lock`; a second one is refused with
 * an error that names the first's pid and bus address, as the file says, and how to end it where
 * the kernel says that it is the holder. The directory must be the caller's own, mode 0700, and not
 * on a network file system, where neither locks nor fsync keep their promises.
 *
 * Files are published whole: a temporary file, fsync, rename, fsync of the directory. After a crash
 * a name holds either the old bytes or the new ones. The directory may be reached by symbolic
 * links; below it none is followed.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdDirectory SyncdDirectory;

typedef enum {
    SYNCD_DIRECTORY_EXISTING, /* NotInitialized when there is no state; creates nothing */
    SYNCD_DIRECTORY_CREATE,   /* makes what is missing */
} SyncdDirectoryMode;

/* Opens and locks. Busy names the holder. */
SyncdDirectory *syncd_directory_open(const char *path, SyncdDirectoryMode mode, GError **error);
void syncd_directory_free(SyncdDirectory *directory); /* releases the lock */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdDirectory, syncd_directory_free)

/* Lets the holder say where it can be reached. */
bool syncd_directory_announce(SyncdDirectory *directory, const char *address, GError **error);

const char *syncd_directory_path(const SyncdDirectory *directory);
char *syncd_directory_file(const SyncdDirectory *directory, const char *name); /* absolute path */
bool syncd_directory_has(const SyncdDirectory *directory, const char *name);
/* Whether both are there, as two names of one file. */
bool syncd_directory_is_same(const SyncdDirectory *directory, const char *name, const char *other);

/* `name` may have one folder in front, which is made when missing. */
bool syncd_directory_publish(SyncdDirectory *directory, const char *name, SyncdBytes bytes,
                             GError **error);
/* Whether it is refused for what it is, or whose, which no trying again changes. */
bool syncd_directory_refuses(SyncdDirectory *directory, const char *name);
/* NotFound when it is not there; TooLarge beyond `max`; the result ends in a NUL that is not
 * counted. */
char *syncd_directory_read(SyncdDirectory *directory, const char *name, size_t max,
                           size_t *ret_size, GError **error);
/* Nothing but a regular file, or nothing, is there: all else may be without an end, may keep
 * whoever opens it waiting for ever, or lead elsewhere. */
bool syncd_directory_require_file(SyncdDirectory *directory, const char *name, GError **error);
/* Makes a file that is there already, and its name, durable. */
bool syncd_directory_sync_file(SyncdDirectory *directory, const char *name, GError **error);
bool syncd_directory_sync(SyncdDirectory *directory, GError **error);
/* What is set aside is read by nobody else, whatever became of it before; a file that has another
 * name yet, and may be in use by that, stays as it is. That it is not possible is told by who looks
 * at all files. */
void syncd_directory_make_private(SyncdDirectory *directory, const char *name);
/* A private copy of a file, durable before it has that name. */
bool syncd_directory_copy(SyncdDirectory *directory, const char *name, const char *other,
                          GError **error);
/* A second name for a file, durably; what had that name before is gone. Its mode stays. */
bool syncd_directory_link(SyncdDirectory *directory, const char *name, const char *other,
                          GError **error);
/* Puts one file in the place of another. It is durable once the directory is synced. */
bool syncd_directory_rename(SyncdDirectory *directory, const char *name, const char *other,
                            GError **error);
/* Removes a file and makes that durable; one that is not there is no error, as whoever removed it
 * may have failed to. */
bool syncd_directory_remove(SyncdDirectory *directory, const char *name, GError **error);
/* The same of many in one folder (char *), which is synced once: `max` of those that are there. */
bool syncd_directory_remove_some(SyncdDirectory *directory, const char *folder,
                                 const GPtrArray *names, guint max, bool *ret_more, GError **error);
/* Renames a file, over one of that name if there is one, and makes that durable; one that is not
 * there is no error, for the same reason. Both names may have a folder in front; that of `to` is
 * made when missing, and what comes into it is made private. */
bool syncd_directory_move(SyncdDirectory *directory, const char *from, const char *to,
                          GError **error);
/* Names (char *) in a folder that are wanted, sorted; none when there is no such folder.
 * LimitsExceeded when there are more than `max`. */
bool syncd_directory_list(SyncdDirectory *directory, const char *folder,
                          bool (*is_wanted)(const char *name), guint max, GPtrArray **ret_names,
                          GError **error);
/* Writes a file's bytes over themselves and syncs them; one that is not there is no error. After a
 * sync that failed, what is read is what the page cache has and calls clean, and not what the disk
 * has: who goes on with such a file makes sure of it first. */
bool syncd_directory_rewrite(SyncdDirectory *directory, const char *name, GError **error);

/* Space set aside so that repair runs on a full disk: all of it or, on failure, none. Setting it
 * aside again is cheap. */
bool syncd_directory_reserve(SyncdDirectory *directory, guint64 bytes, GError **error);
/* False when there was none. */
bool syncd_directory_release_reserve(SyncdDirectory *directory);
/* How many bytes can be written beside a reserve of that size, were all of it there. */
bool syncd_directory_room(SyncdDirectory *directory, guint64 reserve, guint64 *ret_bytes,
                          GError **error);

/* Of statfs(2): whether a file system of this type is reached over a network. */
bool syncd_filesystem_is_remote(long type);

/*
 * The files of workspaces, as the log has them.
 *
 * A file is known by a number: the place in the log that made it. It keeps that for as long as the
 * log is, whatever it is called and whether it still exists. Documents and callers name it by an id
 * (domain/file-changes.h), which says the same.
 *
 * Beside them the index keeps what the file system showed when a file was read last
 * (SyncdFileSeen). That is this machine's own, is in no log, and may be lost: then a scan reads
 * again what it could have passed over.
 */
#pragma once

#include "domain/file-changes.h"
#include "store/store.h"

typedef struct {
    guint64 device, inode, size;
    gint64 mtime, ctime, born;
} SyncdFileSeen;

/* What was found in a file that nothing said had changed, and is not what is recorded. */
typedef struct {
    guint64 place; /* what said so */
    guint64 size;
    gint64 mtime;
    SyncdHash hash;
} SyncdFileMismatch;

typedef struct {
    guint64 id;
    guint64 folder; /* 0: it is the workspace's own */
    char name[SYNCD_FILE_NAME_MAX + 1];
    size_t name_size;
    SyncdFileKind kind;
    guint32 mode;
    guint64 size;
    gint64 mtime;
    bool hashed;
    SyncdHash hash;
    guint64 version;
    guint64 changed; /* the newest place that is about it */
    bool live;
    bool kept;    /* its content is, of this version */
    bool ignored; /* … and may exist: it comes back as what it was */
    bool seen;
    SyncdFileSeen at_sight;
    bool mismatched;
    SyncdFileMismatch mismatch;
} SyncdFileRow;

/* The entry of a place. */
guint64 syncd_file_place_pos(guint64 place);
guint64 syncd_file_place(guint64 pos, guint number);

/* All of these know committed entries only, and bring the index up to them. */

/* The folder that is the workspace of the scope. */
bool syncd_store_find_workspace_folder(SyncdStore *store, const char *scope_id,
                                       SyncdFileRow *ret_row, bool *ret_found, GError **error);
bool syncd_store_find_file(SyncdStore *store, guint64 id, SyncdFileRow *ret_row, bool *ret_found,
                           GError **error);
/* By its name in a folder; only what exists. */
bool syncd_store_find_file_in(SyncdStore *store, guint64 folder, SyncdBytes name,
                              SyncdFileRow *ret_row, bool *ret_found, GError **error);
/* The same two of what is ignored. */
bool syncd_store_find_ignored_in(SyncdStore *store, guint64 folder, SyncdBytes name,
                                 SyncdFileRow *ret_row, bool *ret_found, GError **error);
bool syncd_store_walk_ignored(SyncdStore *store, guint64 folder,
                              bool (*take)(void *data, const SyncdFileRow *row), void *data,
                              GError **error);
/* What exists in a folder, in the order of the bytes of its name, until `take` returns false. */
bool syncd_store_walk_folder(SyncdStore *store, guint64 folder,
                             bool (*take)(void *data, const SyncdFileRow *row), void *data,
                             GError **error);

/* The first that exists in a folder behind a name, in the same order. */
bool syncd_store_next_file_in(SyncdStore *store, guint64 folder, SyncdBytes after,
                              SyncdFileRow *ret_row, bool *ret_found, GError **error);

/* What an entry did to a file after it was made. */
typedef struct {
    guint64 place;
    guint64 version; /* which it was then */
    bool kept;       /* its content is, now */
} SyncdFileStep;

/* The newest that is older than the place `before`, and left it no newer version than that. */
bool syncd_store_find_file_step(SyncdStore *store, guint64 file, guint64 before, guint64 version,
                                SyncdFileStep *ret_step, bool *ret_found, GError **error);

/* What exists besides the folder that is the workspace. */
typedef struct {
    guint64 files, folders, symlinks;
    guint64 size;       /* of the files */
    guint64 mismatched; /* of the files: SyncdFileMismatch */
} SyncdFileCounts;

/* Of every workspace that has any, by the id of its scope: looks at all of them. */
bool syncd_store_count_files(SyncdStore *store, GHashTable **ret_counts, GError **error);

/* Those that exist in the scope and were that inode when they were read last, until `take` returns
 * false. */
bool syncd_store_walk_seen(SyncdStore *store, const char *scope_id, guint64 device, guint64 inode,
                           bool (*take)(void *data, const SyncdFileRow *row), void *data,
                           GError **error);
/* Those in the scope that exist and are not what is recorded, behind the number `after`, until
 * `take` returns false. */
bool syncd_store_walk_mismatched(SyncdStore *store, const char *scope_id, guint64 after,
                                 bool (*take)(void *data, const SyncdFileRow *row), void *data,
                                 GError **error);
/* How many that is, but no more than `max`. */
bool syncd_store_count_mismatched(SyncdStore *store, const char *scope_id, guint64 max,
                                  guint64 *ret_n, GError **error);
/* The bytes of the regular files that exist in the scope. */
bool syncd_store_sum_files(SyncdStore *store, const char *scope_id, guint64 *ret_size,
                           GError **error);
/* Those of that name in the scope that were deleted, the newest first; not very many. */
bool syncd_store_walk_deleted(SyncdStore *store, const char *scope_id, SyncdBytes name,
                              bool (*take)(void *data, const SyncdFileRow *row), void *data,
                              GError **error);
/* Whether more than `max` exist in the scope. */
bool syncd_store_has_more_files(SyncdStore *store, const char *scope_id, guint64 max, bool *ret_has,
                                GError **error);

/* The id of a file, from its number and back; the number is 0 for an id that names none. */
bool syncd_store_file_id(SyncdStore *store, guint64 id, char ret_id[SYNCD_FILE_ID_SIZE],
                         GError **error);
bool syncd_store_find_file_id(SyncdStore *store, const char *id, guint64 *ret_file, GError **error);

/* What a file looked like when it was read. It counts from the commit of the entry `pos` on, and
 * not at all when that is taken back. */
void syncd_store_see_file(SyncdStore *store, guint64 file, guint64 pos, const SyncdFileSeen *seen);
/* Has what was seen count from now on, which else it does when there is time. */
bool syncd_store_settle_seen(SyncdStore *store, GError **error);

/*
 * Which file has a path within a workspace, and which path a file has: one walk down the tree of
 * what is recorded, and one up.
 */
#pragma once

#include "service/file-path.h"
#include "store/files.h"

/* From the folder `row` down to what exists by that path. */
bool syncd_file_follow(SyncdStore *store, SyncdBytes path, SyncdFileRow *row, bool *found,
                       GError **error);
/* The same, and if nothing exists there, what is ignored now, or was deleted last, of what had the
 * path; `row` is the workspace's folder in that scope. */
bool syncd_file_follow_past(SyncdStore *store, const char *scope_id, SyncdBytes path,
                            SyncdFileRow *row, bool *found, GError **error);
/* Of the newest that were deleted in the scope and had that last name, the newest that had the
 * path: the folders above it by the names that they have now, or had last. */
bool syncd_file_find_deleted(SyncdStore *store, const char *scope_id, SyncdBytes path,
                             SyncdFileRow *ret_row, bool *ret_found, GError **error);
/* The path that it has, or had: "" for a workspace's own folder, which is `ret_top`. False in
 * `ret_whole` where it is longer than paths are. */
bool syncd_file_read_path(SyncdStore *store, const SyncdFileRow *file, GString *path,
                          guint64 *ret_top, bool *ret_whole, GError **error);

/*
 * What the index is asked about files: the inside of store/files.h.
 */
#pragma once

#include "store/chunks.h"
#include "store/files.h"
#include "store/index.h"

bool syncd_index_find_workspace_folder(SyncdIndex *index, const char *scope_id,
                                       SyncdFileRow *ret_row, bool *ret_found, GError **error);
bool syncd_index_find_file(SyncdIndex *index, guint64 id, SyncdFileRow *ret_row, bool *ret_found,
                           GError **error);
bool syncd_index_find_file_in(SyncdIndex *index, guint64 folder, SyncdBytes name,
                              SyncdFileRow *ret_row, bool *ret_found, GError **error);
bool syncd_index_find_ignored_in(SyncdIndex *index, guint64 folder, SyncdBytes name,
                                 SyncdFileRow *ret_row, bool *ret_found, GError **error);
bool syncd_index_walk_ignored(SyncdIndex *index, guint64 folder,
                              bool (*take)(void *data, const SyncdFileRow *row), void *data,
                              GError **error);
bool syncd_index_walk_folder(SyncdIndex *index, guint64 folder,
                             bool (*take)(void *data, const SyncdFileRow *row), void *data,
                             GError **error);
bool syncd_index_next_file_in(SyncdIndex *index, guint64 folder, SyncdBytes after,
                              SyncdFileRow *ret_row, bool *ret_found, GError **error);
bool syncd_index_find_file_step(SyncdIndex *index, guint64 file, guint64 before, guint64 version,
                                SyncdFileStep *ret_step, bool *ret_found, GError **error);
/* Scope's id: SyncdFileCounts. */
bool syncd_index_count_files(SyncdIndex *index, GHashTable *counts, GError **error);
bool syncd_index_sum_files(SyncdIndex *index, const char *scope_id, guint64 *ret_size,
                           GError **error);
bool syncd_index_walk_seen(SyncdIndex *index, const char *scope_id, guint64 device, guint64 inode,
                           bool (*take)(void *data, const SyncdFileRow *row), void *data,
                           GError **error);
bool syncd_index_walk_mismatched(SyncdIndex *index, const char *scope_id, guint64 after,
                                 bool (*take)(void *data, const SyncdFileRow *row), void *data,
                                 GError **error);
bool syncd_index_count_mismatched(SyncdIndex *index, const char *scope_id, guint64 max,
                                  guint64 *ret_n, GError **error);
bool syncd_index_walk_deleted(SyncdIndex *index, const char *scope_id, SyncdBytes name,
                              bool (*take)(void *data, const SyncdFileRow *row), void *data,
                              GError **error);
/* Whether there are more than `max` that exist. */
bool syncd_index_has_more_files(SyncdIndex *index, const char *scope_id, guint64 max, bool *ret_has,
                                GError **error);
bool syncd_index_see_file(SyncdIndex *index, guint64 file, const SyncdFileSeen *seen,
                          GError **error);
bool syncd_index_find_content(SyncdIndex *index, guint64 file, guint64 version, guint newer,
                              SyncdContentRow *ret_row, bool *ret_found, GError **error);
/* A chunk that was needed by a version that was dropped. */
typedef struct {
    SyncdHash name;
    bool small; /* a row of the journal */
} SyncdDroppedChunk;

/* The first ones; `*ret_last` names the last of them. */
/* The next file of which a version is kept; 0: there is none. */
bool syncd_index_next_kept(SyncdIndex *index, guint64 after, guint64 *ret_file, GError **error);
bool syncd_index_list_dropped(SyncdIndex *index, guint max, GArray *chunks, gint64 *ret_last,
                              GError **error);
/* The next file behind that one whose present version has the chunk; 0: there is none. */
bool syncd_index_next_with_chunk(SyncdIndex *index, const SyncdHash *name, guint64 after,
                                 guint64 *ret_file, GError **error);
/* Adds SyncdChunkUser. */
bool syncd_index_list_chunk_users(SyncdIndex *index, const SyncdHash *name, GArray *users,
                                  GError **error);
bool syncd_index_needs_chunk(SyncdIndex *index, const SyncdHash *name, bool *ret_needs,
                             GError **error);
/* Those up to the last one, and that anybody ever needed these (SyncdDroppedChunk). */
bool syncd_index_forget_dropped(SyncdIndex *index, gint64 last, const GArray *dropped,
                                GError **error);
/* Copies sightings into one that is made to take its place, `max` from the file `*at` on, which
 * follows them. `*ret_more` false: there are no others. */
bool syncd_index_carry_seen(SyncdIndex *index, SyncdIndex *to, guint64 *at, guint max,
                            bool *ret_more, GError **error);
/* The place that a file's id names; 0 when there is none. */
bool syncd_index_find_file_place(SyncdIndex *index, SyncdBytes object, guint64 *ret_place,
                                 GError **error);

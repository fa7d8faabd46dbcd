/*
 * The index: what can be looked up quickly, derived from the journal alone.
 *
 * Entries are projected in the order of pos, several in one transaction together with the cursor
 * that says how far that is. An index that does not fit the journal (missing, damaged, of another
 * version, ahead of it or of another log) is not mended but made anew: syncd_index_open() then
 * reports it stale, and the store projects everything into another file beside it, which takes its
 * place once it is whole.
 */
#pragma once

#include "store/database.h"
#include "store/directory.h"
#include "store/entry.h"
#include "store/journal.h"
#include "store/search.h"
#include "store/store.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdIndex SyncdIndex;

/* Opens index.db as it is. NULL with `error` when it is not there or not usable: then it must be
 * made anew. */
SyncdIndex *syncd_index_open(SyncdDirectory *directory, GError **error);
/* The same, to ask it only: no byte of it changes. */
SyncdIndex *syncd_index_look(SyncdDirectory *directory, GError **error);
/* Begins that file beside it; one that was left behind is removed first. It cannot be asked
 * anything, and gets its rows first. */
SyncdIndex *syncd_index_begin_new(SyncdDirectory *directory, GError **error);
/* Then the lookups that a new file lacks: from rows that are sorted they are soonest made. A step,
 * after which nothing but another one may be asked of it while `*ret_more`. */
bool syncd_index_add_lookup(SyncdIndex *index, SyncdStepLength length, bool *ret_more,
                            GError **error);
/* Makes durable what is in it so far, so that finishing need not wait for all of it. */
bool syncd_index_sync_new(SyncdIndex *index, SyncdDirectory *directory, GError **error);
/* Finishes the new file, puts it in the place of index.db (which must be closed) and opens it.
 * Frees `index`, and on failure the new file is not kept. */
SyncdIndex *syncd_index_finish_new(SyncdIndex *index, SyncdDirectory *directory, GError **error);
void syncd_index_free(SyncdIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdIndex, syncd_index_free)

/* Frees one that was begun, NULL for one that another process did, and removes its file. */
void syncd_index_discard_new(SyncdIndex *index, SyncdDirectory *directory);
bool syncd_index_is_new(const SyncdIndex *index); /* made by begin_new and not finished */
SyncdDatabase *syncd_index_database(SyncdIndex *index);
bool syncd_index_bytes(SyncdIndex *index, guint64 *ret_bytes, GError **error); /* of its pages */

/* ---- finding by words ---- */

/* The newest that have all of them, below an id: their ids (guint64). */
bool syncd_index_search(SyncdIndex *index, const GPtrArray *words, guint64 below, guint limit,
                        GArray *ids, GError **error);
/* Which record or object that is, unless it is a file. */
bool syncd_index_search_hit(SyncdIndex *index, guint64 id, SyncdHit *ret_hit, bool *ret_found,
                            GError **error);

/* ---- projecting ---- */

/* Whether such an entry says something to a registry. */
bool syncd_index_is_registry_kind(SyncdBytes kind);
/* Whether the content of such an entry is projected, not only its header and meta line. */
bool syncd_index_keeps_content(SyncdBytes kind);
/* Whether anything of its body is. */
bool syncd_index_needs_body(const SyncdHeader *header);
bool syncd_index_begin(SyncdIndex *index, GError **error);
/* `body` is NULL where nothing of it is needed, and where it cannot be had (purged, damaged, no
 * key): such an entry has no part in the registries and moves nothing. */
bool syncd_index_project(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                         const SyncdBody *body, GError **error);
bool syncd_index_set_cursor(SyncdIndex *index, gint64 feed, guint64 size, const SyncdHash *root,
                            GError **error);
bool syncd_index_commit(SyncdIndex *index, GError **error);
void syncd_index_rollback(SyncdIndex *index);

/* Size 0 for a feed that the index has not seen. */
bool syncd_index_cursor(SyncdIndex *index, gint64 feed, guint64 *ret_size, SyncdHash *ret_root,
                        GError **error);
/* How many there are, and the sum of their sizes. */
bool syncd_index_cursors(SyncdIndex *index, guint64 *ret_n, guint64 *ret_sum, GError **error);
bool syncd_index_projected(SyncdIndex *index, guint64 *ret_pos,
                           GError **error); /* pos of the newest row */

/* ---- words: short numbers for texts that repeat ---- */

/* 0 when the text has no number yet. */
bool syncd_index_word(SyncdIndex *index, SyncdBytes text, gint64 *ret_word, GError **error);
bool syncd_index_add_word(SyncdIndex *index, SyncdBytes text, gint64 *ret_word, GError **error);
bool syncd_index_word_text(SyncdIndex *index, gint64 word, const char **ret_text, GError **error);

/* ---- asking ---- */

/* NULL and 0 for an entry that it does not have. */
bool syncd_index_entry_at(SyncdIndex *index, guint64 pos, char **ret_op, guint64 *ret_ms,
                          GError **error);

/* The scope's id of an entry; NULL for one that it does not have. */
bool syncd_index_scope_of(SyncdIndex *index, guint64 pos, char **ret_scope, GError **error);
bool syncd_index_find_op(SyncdIndex *index, const char *op, guint64 *ret_pos, GError **error);
bool syncd_index_find_key(SyncdIndex *index, const char *actor, const char *scope, const char *key,
                          guint64 *ret_pos, GError **error);
bool syncd_index_count_kind(SyncdIndex *index, const char *kind, guint64 *ret_count,
                            GError **error);
bool syncd_index_find_record(SyncdIndex *index, const SyncdFamily *family, const char *id,
                             SyncdRecordRow *ret_row, bool *ret_found, GError **error);
/* The best of those that are not to be skipped. */
bool syncd_index_find_identity(SyncdIndex *index, const char *identity, SyncdRecordRow *ret_row,
                               bool (*skip)(void *data, const SyncdRecordRow *row), void *data,
                               bool *ret_found, GError **error);
bool syncd_index_list_records(SyncdIndex *index, const SyncdRecordQuery *query, GPtrArray *rows,
                              char **ret_cursor, GError **error);
bool syncd_index_has_decision(SyncdIndex *index, const char *policy, const char *id, bool *ret_has,
                              GError **error);
/* All of them: SyncdScope. */
bool syncd_index_scopes(SyncdIndex *index, GPtrArray *scopes, GError **error);
bool syncd_index_query(SyncdIndex *index, const SyncdQuery *query, guint64 newest,
                       GArray **ret_positions, char **ret_cursor, GError **error);

/* ---- tasks ---- */

bool syncd_index_find_task(SyncdIndex *index, const char *op, SyncdTask *ret_task, bool *ret_found,
                           GError **error);
bool syncd_index_find_task_at(SyncdIndex *index, guint64 pos, SyncdTask *ret_task, bool *ret_found,
                              GError **error);
/* `*ret_pos` 0 for a name that nobody took; `scope` NULL: in any. */
bool syncd_index_find_name(SyncdIndex *index, const char *family, const char *name,
                           const char *scope, guint64 *ret_pos, GError **error);
bool syncd_index_lane_counts(SyncdIndex *index, gint64 counts[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS],
                             GError **error);
/* How many entries of the kind are at or after `since_ms`, and how many of them the actor's; stops
 * at `max`. */
bool syncd_index_count_recent(SyncdIndex *index, const char *kind, const char *actor,
                              guint64 since_ms, guint max, guint *ret_all, guint *ret_actor,
                              GError **error);
bool syncd_index_count_object_tasks(SyncdIndex *index, const char *object,
                                    SyncdObjectTasks *ret_tasks, GError **error);
bool syncd_index_walk_tasks(SyncdIndex *index, const SyncdTaskQuery *query, SyncdTaskFunc func,
                            void *data, GError **error);
bool syncd_index_next_delay(SyncdIndex *index, guint64 after_ms, guint64 *ret_ms, GError **error);
bool syncd_index_list_name(SyncdIndex *index, const char *family, const char *name,
                           GArray *positions, GError **error);
bool syncd_index_find_decision(SyncdIndex *index, const char *id, guint64 *ret_pos, GError **error);
/* The first entry after that one that moved one that is in that state; `*ret_pos` 0 when none did.
 */
bool syncd_index_find_deletion_in(SyncdIndex *index, SyncdDeletionState state, guint64 after,
                                  guint64 *ret_pos, GError **error);
/* The first one after that entry that is hidden; `*ret_pos` 0, and no texts, when none is. */
bool syncd_index_next_hidden(SyncdIndex *index, guint64 after, guint64 *ret_pos,
                             char **ret_scope_id, char **ret_object, GError **error);
bool syncd_index_find_purged_record(SyncdIndex *index, const char *object,
                                    SyncdDeletion *ret_deletion, bool *ret_found, GError **error);
bool syncd_index_find_deletion(SyncdIndex *index, const char *scope_id, const char *object,
                               SyncdDeletion *ret_deletion, bool *ret_found, GError **error);

/*
 * Content of files that is kept (docs/format.md 6.2).
 *
 * A version's content lies in chunks that its document names: one that is as small as
 * SYNCD_CONTENT_ROW_MAX in a row of the journal, written with the entry, so that many small files
 * cost no more than their bytes; larger content in files of blobs/, durable before the entry. Equal
 * content of a scope is one chunk. A version that is dropped needs its chunks no more, and what no
 * version needs is removed once that is durable: see syncd_store_clear_content().
 *
 * A chunk's file is pinned from when it was put until somebody says that its entry is committed, or
 * will not come: meanwhile it is not removed, as no entry that is known needs it yet.
 *
 * Content is second to the log: it is not kept where little room is left.
 */
#pragma once

#include "domain/file-content.h"
#include "store/store.h"

#define SYNCD_CONTENT_ROW_MAX (64u * 1024u)
/* It is not kept where less than this would be left. */
#define SYNCD_CONTENT_ROOM (64u * 1024u * 1024u)

/* False: the disk is too full, and content is not to be kept now. */
bool syncd_store_has_content_room(SyncdStore *store, guint64 bytes);
/* Seals one chunk. `row`: small content, which is handed out to be given with the draft of its
 * entry; else it is put into a file, durably, and is pinned. NoSpace. */
bool syncd_store_put_chunk(SyncdStore *store, const char *scope_id, SyncdBytes part, bool row,
                           SyncdHash *ret_name, GBytes **ret_row, GError **error);
/* One that is not pinned any more and that nobody needs is removed at some time. */
void syncd_store_unpin_chunk(SyncdStore *store, const SyncdHash *name);
/* The part of the content that it holds, which was `size` bytes. NotFound; JournalCorrupt for one
 * that is not what was kept. */
GBytes *syncd_store_get_chunk(SyncdStore *store, const char *scope_id, const SyncdHash *name,
                              size_t size, bool row, GError **error);

/* Whether the stored bytes are those of its name, which needs no key. */
bool syncd_store_chunk_is_whole(SyncdStore *store, const SyncdHash *name, bool row);

typedef struct {
    guint64 version, place, size;
    GBytes *chunks; /* names */
} SyncdContentRow;

void syncd_content_row_clear(SyncdContentRow *row);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdContentRow, syncd_content_row_clear)

/* Committed versions of a file whose content is kept: the newest one that is not newer than
 * `version`. */
bool syncd_store_find_content(SyncdStore *store, guint64 file, guint64 version,
                              SyncdContentRow *ret_row, bool *ret_found, GError **error);
/* The same behind so many newer ones of those. */
bool syncd_store_find_content_behind(SyncdStore *store, guint64 file, guint64 version, guint newer,
                                     SyncdContentRow *ret_row, bool *ret_found, GError **error);
/* The next file behind that one of which a committed version is kept; 0: there is none. */
bool syncd_store_next_kept(SyncdStore *store, guint64 after, guint64 *ret_file, GError **error);
typedef struct {
    guint64 file, version;
} SyncdChunkUser;

/* Adds which committed versions need it, the newest of a file first; of more than
 * SYNCD_CHUNK_USERS_MAX some. */
#define SYNCD_CHUNK_USERS_MAX 1000u
bool syncd_store_list_chunk_users(SyncdStore *store, const SyncdHash *name, GArray *users,
                                  GError **error);
/* The next file behind that one whose present version has it; 0: there is none. */
bool syncd_store_next_with_chunk(SyncdStore *store, const SyncdHash *name, guint64 after,
                                 guint64 *ret_file, GError **error);
/* Whether a committed version needs it. */
bool syncd_store_needs_chunk(SyncdStore *store, const SyncdHash *name, bool *ret_needs,
                             GError **error);
/* The id of the file whose content the chunk is part of, as the document in that entry says; NULL
 * when it says nothing of it, or cannot be read. */
char *syncd_store_file_of_chunk(SyncdStore *store, guint64 pos, const SyncdHash *chunk);
/* Removes some of what no version needs any more. There must be no open turn. `*ret_more` false:
 * there is no more. */
bool syncd_store_clear_content(SyncdStore *store, bool *ret_more, GError **error);

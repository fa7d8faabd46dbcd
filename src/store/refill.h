/*
 * Chunks of content that entries name and that are gone, or are not what was stored: which they
 * are, and bringing them back.
 *
 * A chunk is named by the hash of what is stored of it, so nothing depends on where bytes come
 * from: those that hash to a name are the chunk, and no others are taken. Stored bytes are had from
 * each SyncdSource that has some of that name. Plain bytes are offered by whoever can read them, a
 * workspace whose file still has them: sealing the same bytes in the same scope gives the same
 * chunk (store/blobs.h).
 *
 * What is there before is kept in the ledger of repairs first, with a list of all that is wrong: so
 * whoever was killed goes on from there, and undoing puts back what was there.
 */
#pragma once

#include "store/blobs.h"
#include "store/store.h"

typedef struct SyncdRefill SyncdRefill;

typedef enum {
    SYNCD_CHUNK_UNSEEN,
    SYNCD_CHUNK_SOUND,
    SYNCD_CHUNK_DAMAGED,
    SYNCD_CHUNK_MISSING,
} SyncdChunkWas;

typedef struct {
    SyncdHash name;
    SyncdChunkOf of;
    bool small;  /* a row of the journal, and no file of blobs/ */
    guint64 pos; /* of an entry that names it */
    SyncdChunkWas was;
    bool kept; /* what is there is, or nothing is there */
    bool back;
    bool stays;        /* nothing else has it: it was not taken back */
    char *source;      /* where it came from, once it is back; NULL: nobody said */
    GError *unwritten; /* why it is not back, though its bytes were offered; NULL: they were not */
} SyncdWrongChunk;

/* Borrows the store. Names of what it keeps begin with `snapshot`. */
SyncdRefill *syncd_refill_new(SyncdStore *store, const char *snapshot);
void syncd_refill_free(SyncdRefill *refill);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdRefill, syncd_refill_free)

/* What was listed before; `*ret_found` false: nothing was. */
bool syncd_refill_load(SyncdRefill *refill, bool *ret_found, GError **error);
/* All that the entry names is looked at: of one that is damaged, nothing. StorageFailed. */
bool syncd_refill_add(SyncdRefill *refill, guint64 pos, GError **error);
/* Looks at some of it. When it is through, what is wrong is in the list, durably. */
bool syncd_refill_look(SyncdRefill *refill, bool *ret_more, GError **error);
/* SyncdWrongChunk: those that are wrong, when it is through. */
const GPtrArray *syncd_refill_chunks(const SyncdRefill *refill);
/* Keeps what is there in its place. */
bool syncd_refill_keep(SyncdRefill *refill, SyncdWrongChunk *chunk, GError **error);
/* Whether it is what was stored by now, whoever saw to that. */
bool syncd_refill_is_back(SyncdRefill *refill, SyncdWrongChunk *chunk);
/* Takes it from the first source that has it, if one has. It is kept by then. There must be no open
 * turn. */
bool syncd_refill_from_sources(SyncdRefill *refill, SyncdWrongChunk *chunk, GError **error);
/* From here on what is offered is taken, of the chunks that are kept. */
void syncd_refill_take_offers(SyncdRefill *refill);
/* The next file behind that one whose present version has the chunk; 0: there is none. */
bool syncd_refill_next_file(SyncdRefill *refill, const SyncdWrongChunk *chunk, guint64 after,
                            guint64 *ret_file, GError **error);
/* Of one that is not back: what was there is in its place, also where it could not be copied and
 * had to be moved, and is not kept any more. */
bool syncd_refill_let_be(SyncdRefill *refill, const SyncdWrongChunk *chunk, GError **error);
/* The list of those that are back: of the others there is nothing to undo. */
bool syncd_refill_conclude(SyncdRefill *refill, GError **error);

/* Puts back what was there, some of it; where nothing was, nothing is. A chunk that nothing else
 * has by now stays, and so does one of which what was there is in `lost` (store/snapshot.h). What
 * was kept stays until it is released. There must be no open turn. */
bool syncd_refill_undo(SyncdRefill *refill, const GPtrArray *lost, bool *ret_more, GError **error);
bool syncd_refill_release(SyncdRefill *refill, bool *ret_more, GError **error);

/* Some bytes of a file of that scope, a chunk's worth: they are taken if a chunk that is wrong is
 * made of them, and `small` like it. */
bool syncd_store_offer_part(SyncdStore *store, const char *scope_id, SyncdBytes part, bool small,
                            GError **error);

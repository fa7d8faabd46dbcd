/*
 * The content of the file that is being read, on its way into the store.
 *
 * The reader sends what it hashes in small pieces; they are gathered into chunks, which are stored
 * as they become full (store/chunks.h), so that no more than one of them is in memory however large
 * the file is. A file that is read again begins again. What comes out can be named in a document;
 * whoever does not free it before its entry is appended gives it away by that.
 *
 * A full disk is no failure here: then the content is not kept, and it is said why.
 */
#pragma once

#include "domain/file-changes.h"
#include "reader/wire.h"
#include "service/files.h"

typedef struct SyncdKeeping SyncdKeeping;

/* What is kept of one file, or why nothing is. */
typedef struct {
    SyncdStore *store;
    GByteArray *chunks; /* their names; NULL: it is not kept … */
    const char *unkept; /* … as SYNCD_UNKEPT_SIZE and so on say */
    GBytes *row;        /* of content that is small; NULL: it lies in files */
} SyncdKept;

/* Chunks that are in no entry by then are removed at some time. NULL is legal. */
void syncd_kept_free(SyncdKept *kept);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdKept, syncd_kept_free)
size_t syncd_kept_weight(const SyncdKept *kept); /* bytes in memory */
/* What a document says of it; borrowed. NULL: nothing. */
SyncdFileContent syncd_kept_content(const SyncdKept *kept);
/* What goes into the log with the document, if anything of it does; borrowed. */
bool syncd_kept_row(const SyncdKept *kept, SyncdDraftRow *ret_row);

/* Borrows both. */
SyncdKeeping *syncd_keeping_new(SyncdStore *store, const SyncdRoot *root);
void syncd_keeping_free(SyncdKeeping *keeping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdKeeping, syncd_keeping_free)

/* Whether the content of such a file is to be kept, and can be. */
bool syncd_keeping_wants(const SyncdKeeping *keeping, guint64 size);
/* BYTES. InvalidEncoding for what does not follow what came before. */
bool syncd_keeping_take(SyncdKeeping *keeping, const SyncdWireMessage *bytes, GError **error);
/* FOUND, of which bytes may have come. `*ret_kept` NULL: nothing is to be said of its content. */
bool syncd_keeping_end(SyncdKeeping *keeping, const SyncdWireMessage *found, SyncdKept **ret_kept,
                       GError **error);

/*
 * What a document about files says of their content (docs/format.md 6.2): where that of a version
 * is kept, or why it is not, and which older versions are dropped.
 *
 * Content is kept in chunks that are named by digests. All but the last one of a file hold
 * SYNCD_FILE_CHUNK bytes; a file without bytes has none.
 */
#pragma once

#include "base/json-writer.h"
#include "crypto/hash.h"
#include "domain/file.h"

#define SYNCD_FILE_CHUNK (1024u * 1024u - 40u)
#define SYNCD_FILE_KEPT_MAX (256u * 1024u * 1024u) /* bytes of a file of which content is kept */
#define SYNCD_FILE_VERSIONS_MAX 1000u      /* that are kept of a file, beside the present one */
#define SYNCD_FILE_DELETED_DAYS 30u        /* that content stays after a deletion … */
#define SYNCD_FILE_DELETED_DAYS_MAX 36500u /* … or as many as the record says, up to this */
/* Why content is not kept where the workspace's rule is that it is. */
#define SYNCD_UNKEPT_SIZE "size"
#define SYNCD_UNKEPT_SPACE "space"

typedef struct {
    bool kept;
    SyncdBytes chunks;     /* their names one after the other: SYNCD_HASH_SIZE bytes each */
    const char *unkept;    /* for writing; NULL: nothing is said */
    const GArray *dropped; /* SyncdFileDropped; NULL for none */
} SyncdFileContent;

typedef struct {
    guint64 version;
    GBytes *chunks; /* as above */
} SyncdFileDropped;

GArray *syncd_file_dropped_new(void);
/* Copies the names. */
void syncd_file_dropped_add(GArray *dropped, guint64 version, SyncdBytes chunks);

/* The members "chunks", "unkept" and "dropped". */
void syncd_file_content_write(const SyncdFileContent *content, SyncdJsonWriter *writer);
/* Appends the names. False for what is no list of names. */
bool syncd_file_chunks_read(SyncdJson value, GByteArray *chunks);
bool syncd_file_dropped_read(SyncdJson value, GArray *dropped);
/* How many chunks the content of such a file takes. */
guint64 syncd_file_chunk_count(guint64 size);
/* Whether that can be the content of such a file. */
bool syncd_file_content_fits(const SyncdFileContent *content, SyncdFileKind kind, guint64 size,
                             bool hashed);

/*
 * The document that says what became of files of a workspace (docs/format.md 6).
 *
 * It is the content of an `object.created`, `object.changed`, `object.deleted`, `object.ignored` or
 * `object.checked` whose schema is SYNCD_FILES_SCHEMA: any number of files that were found
 * together. One that is made or changed is there as a whole, as it was afterwards; of one that is
 * deleted or ignored only its id. One that was checked was read although nothing said that it had
 * changed, and has other bytes than were recorded, or has those again: its id, and what was found.
 * The id of a file is that of the operation that made it and its number there, so that it names the
 * place where it begins and nothing else.
 *
 * Names are bytes; those that are no UTF-8 are written in base64.
 */
#pragma once

#include "base/json-writer.h"
#include "crypto/hash.h"
#include "domain/file-content.h"
#include "domain/file.h"

#define SYNCD_FILES_SCHEMA "sourceos.file-changes/v1"
#define SYNCD_FILES_IGNORED "object.ignored"
#define SYNCD_FILES_CHECKED "object.checked"
#define SYNCD_FILES_MAX 4096u /* in one document */
#define SYNCD_FILE_ID_SIZE 48
#define SYNCD_FILE_NAME_MAX 255u

typedef struct {
    SyncdBytes object; /* its id; without data: this document makes it */
    SyncdBytes folder; /* the id of the folder it is in; empty: it is the workspace's own */
    SyncdBytes name;   /* empty for the workspace's own folder */
    SyncdFileKind kind;
    guint32 mode;
    guint64 size;
    gint64 mtime;
    bool hashed;
    SyncdHash hash;    /* of its bytes; of a symlink, of its target */
    SyncdBytes target; /* of a symlink */
    SyncdFileContent content;
    SyncdBytes restored_from; /* for writing: the file whose … */
    guint64 restored_version; /* … version it is; 0: it is none that was brought back */
} SyncdFileChange;

typedef struct {
    SyncdJsonWriter writer;
    guint n;
} SyncdFileChangesWriter;

/* `found` says how it is known: SYNCD_FOUND_SCAN and so on. */
#define SYNCD_FOUND_SCAN "scan"
#define SYNCD_FOUND_WATCH "watch"
#define SYNCD_FOUND_RESTORE "restore"
#define SYNCD_FOUND_RETENTION "retention" /* it was time, and nothing was found */

void syncd_file_changes_begin(SyncdFileChangesWriter *writer, GString *out, const char *found);
void syncd_file_changes_add(SyncdFileChangesWriter *writer, const SyncdFileChange *change);
/* Of one that is no more, or is ignored. */
void syncd_file_changes_add_deleted(SyncdFileChangesWriter *writer, const char *object);
/* Of an `object.changed`: versions of one, which is as it is, are kept no longer. */
void syncd_file_changes_add_dropped(SyncdFileChangesWriter *writer, const char *object,
                                    const GArray *dropped);
/* What was found of one that nothing said had changed. */
void syncd_file_changes_add_checked(SyncdFileChangesWriter *writer, const char *object,
                                    guint64 size, gint64 mtime, const SyncdHash *hash);
void syncd_file_changes_end(SyncdFileChangesWriter *writer);
/* The same, of what was done by nobody knows whom. */
void syncd_file_changes_end_unknown(SyncdFileChangesWriter *writer);
/* A member that is bytes: `name` where they are text, `name_base64` where they are not. */
void syncd_file_bytes_write(SyncdJsonWriter *writer, const char *name, const char *name_base64,
                            SyncdBytes bytes);
/* As in its documents: "file", "folder", "symlink"; NULL for what is never recorded. */
const char *syncd_file_kind_name(SyncdFileKind kind);

typedef struct {
    SyncdJsonIter iter;
    guint number; /* of the one that was read last, from 0 */
    guint next;
    char *name, *target; /* what has to be owned of it */
    GByteArray *chunks;
    GArray *dropped;
} SyncdFileChangesReader;

/* The content was checked as JSON. */
void syncd_file_changes_read(SyncdFileChangesReader *reader, SyncdJson content);
/* The next one that is whole: the texts are valid until the one after. False at the end. Those that
 * no version of this program would write are passed over, but counted. */
bool syncd_file_changes_next(SyncdFileChangesReader *reader, SyncdFileChange *ret_change);
void syncd_file_changes_reader_clear(SyncdFileChangesReader *reader);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdFileChangesReader, syncd_file_changes_reader_clear)

/* The id of the file with that number of the operation's document. */
void syncd_file_id(SyncdBytes operation, guint number, char ret_id[SYNCD_FILE_ID_SIZE]);
/* The operation's id and the number; false for what is no file's id. */
bool syncd_file_id_parse(SyncdBytes id, char ret_operation[SYNCD_FILE_ID_SIZE], guint *ret_number);

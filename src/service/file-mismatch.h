/*
 * Files that have other bytes than are recorded, though nobody changed them: what is said of one,
 * which there are, and agreeing that what is there is what shall be recorded. The other way out is
 * service/restore.h.
 */
#pragma once

#include "service/file-document.h"
#include "service/file-reading.h"
#include "service/files.h"

#define SYNCD_FOUND_ACCEPT "accept"

/* Members of a file's document, when it is one: `stale_state`, a StaleStateRecord, and `found`. */
bool syncd_file_mismatch_write(SyncdFileEntries *entries, const SyncdFileRow *row,
                               SyncdJsonWriter *writer, GError **error);

/* A page of those in the listing's path: the documents, without the brackets. */
bool syncd_file_mismatched_list(SyncdService *service, const SyncdFileListing *listing,
                                GString *out, char **ret_cursor, GError **error);
/* What came of accepting one; the texts are owned. */
typedef struct {
    char *file;
    char *operation; /* NULL: that is what is recorded already */
    guint64 version;
    SyncdHash hash;
} SyncdAccepted;

void syncd_accepted_clear(SyncdAccepted *accepted);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdAccepted, syncd_accepted_clear)

/* The bytes that were found, whose digest is `sha256`, become a new version, as whoever asks says
 * so, with their content where that is kept: a job of the workspace, whose result is that of
 * syncd_service_describe_accepted(). `*ret_job` NULL: they are that already, and `ret_accepted`
 * says so. NotFound; StaleDigest when something else was found or recorded, which is also the job's
 * error when other bytes are in the file by then; EngineDisabled while the workspace is paused,
 * Busy while it has something to look at. */
bool syncd_service_accept_file(SyncdService *service, const SyncdCaller *caller,
                               const char *workspace, SyncdBytes path, const char *sha256,
                               SyncdAccepted *ret_accepted, SyncdJob **ret_job, GError **error);
/* The same of a file that was looked up, in a workspace. */
bool syncd_file_accept(SyncdService *service, const SyncdRoot *root, const SyncdCaller *caller,
                       const SyncdFileRow *row, const SyncdHash *wanted, SyncdJob **ret_job,
                       GError **error);
/* What is there is known: EngineDisabled, Busy. */
bool syncd_file_check_rest(SyncdService *service, const SyncdRoot *root, GError **error);
/* A JSON object. */
char *syncd_service_describe_accepted(const SyncdAccepted *accepted);

/*
 * What is recorded of the files of workspaces, for those who ask.
 *
 * What is found in a directory is recorded as the doing of whoever the instance is: he reads it,
 * and who may see what others did. For all others there is nothing. What an open turn holds is not
 * there yet.
 *
 * A path is bytes: names with "/" between them, relative to the workspace, "" for the workspace
 * itself (service/file-path.h). One that is no UTF-8 is `path_base64` in a document, as names are
 * in those of the log (docs/format.md 6.1).
 */
#pragma once

#include "service/service.h"

#define SYNCD_LIST_FILES_MAX 1000u

bool syncd_service_may_read_files(SyncdService *service, const SyncdCaller *caller, bool *ret_may,
                                  GError **error);

/* A JSON array: of each workspace that is a directory here its directory and its state, why it is
 * paused, how much is recorded of it, and how it stands with what is not recorded yet. */
char *syncd_service_list_workspaces(SyncdService *service, const SyncdCaller *caller,
                                    GError **error);

typedef struct {
    const char *workspace; /* "workspace:notes" */
    SyncdBytes path;       /* of a file, or of a folder with all that is in it */
    const char *cursor;    /* NULL or "": from the first on */
    guint32 limit;         /* 0: as many as a page may have */
    bool mismatched;       /* only files that are not what is recorded: file-mismatch.h */
} SyncdFileListing;

/* A page: a JSON array of files, a folder before what is in it, in the order of the bytes of names.
 * The cursor is "" at the end. What was recorded, moved or deleted meanwhile is in a later page, or
 * in none, as its path wants it. NotFound for a workspace of which nothing is recorded. */
char *syncd_service_list_files(SyncdService *service, const SyncdCaller *caller,
                               const SyncdFileListing *listing, char **ret_cursor, GError **error);
/* A page of what was recorded of one file, deleted or not, the newest first: `file` is its id. A
 * JSON array of what it was, how that differs from before, and of the entry. NotFound. */
char *syncd_service_file_history(SyncdService *service, const SyncdCaller *caller, const char *file,
                                 const char *cursor, guint32 limit, char **ret_cursor,
                                 GError **error);
/* A JSON object: path, ignored, and where a rule says so or the opposite its source ("shared", or
 * the path of a file), line, pattern and what it matched. A path that ends with "/" is a folder;
 * there need not be anything. NotFound; EngineDisabled for a workspace that is not looked after. */
char *syncd_service_check_ignored(SyncdService *service, const SyncdCaller *caller,
                                  const char *workspace, SyncdBytes path, GError **error);

typedef struct {
    const char *workspace; /* "workspace:notes" */
    SyncdBytes path;
    bool past; /* where nothing exists now: what is ignored, or else was deleted there last */
} SyncdFileAsked;

/* One of them; "gone" says how it is gone. NotFound. */
char *syncd_service_get_file(SyncdService *service, const SyncdCaller *caller,
                             const SyncdFileAsked *asked, GError **error);

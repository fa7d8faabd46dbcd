/*
 * Files of policy rules, read from directories so that only who may write rules has written them.
 *
 * A directory's files are those named *.json; a missing directory has none. Each has to be a
 * regular file of the right owner that nobody else can write, and so does the directory: for the
 * machine the owner is root, for the user the user or root. Links are not followed. Files are read
 * in the order of their names; one of a later directory takes the place of one of the same name.
 */
#pragma once

#include "domain/policy-set.h"

#define SYNCD_POLICY_FILES_MAX 512u /* of one directory */

typedef struct {
    const char *path; /* NULL ends a list */
    SyncdPolicyLevel level;
    bool own; /* files of this process' user count too, whatever the level */
} SyncdPolicyDirectory;

/* The rules of one level, SyncdPolicyRule. The message begins with the file's name, or that of the
 * directory. */
GPtrArray *syncd_policy_files_read(const SyncdPolicyDirectory *directories, SyncdPolicyLevel level,
                                   GError **error);

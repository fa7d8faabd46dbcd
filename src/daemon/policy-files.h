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
#define SYNCD_POLICY_LEVEL_SIZE_MAX (8u * 1024u * 1024u)

typedef struct {
    const char *path; /* NULL ends a list */
    SyncdPolicyLevel level;
    bool own; /* files of this process' user count too, whatever the level */
} SyncdPolicyDirectory;

/* A file as it was read. */
typedef struct {
    char *name;
    char *text; /* not ended by a NUL */
    size_t size;
    char *path; /* NULL of one that was kept from before */
} SyncdPolicySource;

GPtrArray *syncd_policy_sources_new(void); /* of SyncdPolicySource, which it owns */
/* The rules of all of them, SyncdPolicyRule. The message begins with the file's name; what to do
 * next names its path, and the line. */
GPtrArray *syncd_policy_sources_parse(SyncdPolicyLevel level, const GPtrArray *sources,
                                      GError **error);
/* The files of one level. The message begins with the file's name, or that of the directory. */
GPtrArray *syncd_policy_files_read(const SyncdPolicyDirectory *directories, SyncdPolicyLevel level,
                                   GError **error);

/*
 * Which content of a workspace's files is kept, as it is said with --keep, --keep-size and
 * --keep-deleted.
 */
#pragma once

#include "base/json-writer.h"
#include "cli/cli.h"

typedef struct {
    bool says_versions, says_max, says_days; /* the user; else as for a new workspace */
    bool keeps;                              /* false: only hashes are recorded */
    guint64 versions, max_bytes, deleted_days;
} SyncdCliKeep;

/* Usage for what is no such rule. */
bool syncd_cli_take_keep(const SyncdCli *cli, SyncdCliKeep *ret_keep, GError **error);
/* What nobody says stays as it is in the record; false: nobody says anything. */
bool syncd_cli_keep_over(SyncdCliKeep *keep, SyncdJson record);
/* The member of a root's record; none when nothing is kept. */
void syncd_cli_write_keep(const SyncdCliKeep *keep, SyncdJsonWriter *writer);
/* Whether the record says another one. */
bool syncd_cli_keeps_otherwise(const SyncdCliKeep *keep, SyncdJson record);
/* The record of a root with that one. */
char *syncd_cli_record_with_keep(const SyncdCliKeep *keep, SyncdJson record);
/* One sentence that says it. */
char *syncd_cli_keep_sentence(const SyncdCliKeep *keep);

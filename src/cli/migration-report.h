/*
 * Reports of migrations (sourceos.migration-report/v1), for people and for programs.
 */
#pragma once

#include "cli/cli.h"

/* All pages of one migration: what each object becomes, or why it stays as it is; who may read and
 * write what afterwards. With --json {digest, reports, entries}; `digest` and `entries` (char *, of
 * what was done) may be NULL. The exit code is 2 when an object stays. */
void syncd_migration_reports_show(SyncdCli *cli, const GPtrArray *reports, const char *digest,
                                  const GPtrArray *entries);
/* For people: how to take back what these entries, char *, have done. */
void syncd_migration_entries_show(SyncdCli *cli, const GPtrArray *entries);
/* How many objects of all pages become another document, and how many do not. */
void syncd_migration_reports_count(const GPtrArray *reports, guint *ret_objects,
                                   guint *ret_failures);

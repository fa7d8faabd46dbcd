/*
 * The numbered SQL files of the two databases, embedded. A file creates or changes the schema and
 * ends by setting user_version to its own number.
 */
#pragma once

#include <stddef.h>

typedef struct {
    unsigned number;
    const char *sql;
} SyncdMigration;

typedef struct {
    const SyncdMigration *steps; /* numbered 1, 2, 3 … */
    size_t n_steps;
} SyncdMigrations;

extern const SyncdMigrations syncd_journal_migrations;
extern const SyncdMigrations syncd_index_migrations;

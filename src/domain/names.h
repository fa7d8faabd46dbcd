/*
 * Names that entries take: the first entry that takes one keeps it.
 *
 * A name belongs to a family and lies within a scope. Index and overlay ask the same question of
 * the same record, and so agree: which names does an entry of this kind take?
 */
#pragma once

#include "base/bytes.h"
#include "base/json.h"

#include <glib.h>

#define SYNCD_FAMILY_REPLAY "replay" /* operation, line feed, key: syncd_name_of_replay() */
#define SYNCD_FAMILY_LOCAL "local"   /* an operation that was reconciled */
#define SYNCD_FAMILY_REMOTE "remote" /* what it is called elsewhere */
#define SYNCD_FAMILY_PROVISIONAL "provisional" /* an artifact of it, before … */
#define SYNCD_FAMILY_FINAL "final"             /* … and after */

/* `record` is the entry's content. */
typedef void (*SyncdNameFunc)(void *data, const char *family, const char *name);
void syncd_names_each(SyncdBytes kind, SyncdJson record, SyncdNameFunc func, void *data);

char *syncd_name_of_replay(const char *operation, const char *key);

/*
 * Which names of a workspace are ignored: rules as gitignore(5) has them, from several sources.
 *
 * A source is a file SYNCD_IGNORE_FILE in any folder, which is about what is in that folder, or the
 * shared rules of the workspace, which are about all of it. A deeper file goes before a shallower
 * one, every file before the shared rules, and in one source a later line before an earlier one.
 * What is in an ignored folder is ignored, and nothing in it can be taken back. A file that has
 * rules is never ignored by its name, so that a change of them is always seen.
 *
 * Paths are bytes, beneath the workspace, with a "/" between two names. Reader and daemon both hold
 * such rules, and say the same. All of it is bounded: a source that is over a limit has no rules at
 * all, as the half of them may say the opposite, and what takes more steps than SYNCD_IGNORE_STEPS
 * is not ignored.
 */
#pragma once

#include "base/bytes.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_IGNORE_FILE ".syncignore"
#define SYNCD_IGNORE_TEXT_MAX (16u * 1024u)         /* of one source */
#define SYNCD_IGNORE_RULES_MAX 2048u                /* of one source */
#define SYNCD_IGNORE_PATTERN_MAX 1024u              /* bytes of one line */
#define SYNCD_IGNORE_SOURCES_MAX 4096u              /* files of a workspace */
#define SYNCD_IGNORE_TOTAL_MAX (4u * 1024u * 1024u) /* bytes of all sources */
#define SYNCD_IGNORE_STEPS (1u << 14)               /* to judge one name */

typedef struct SyncdIgnore SyncdIgnore;

SyncdIgnore *syncd_ignore_new(void);
void syncd_ignore_free(SyncdIgnore *ignore);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdIgnore, syncd_ignore_free)

typedef enum {
    SYNCD_IGNORE_SAME,    /* it had these rules already */
    SYNCD_IGNORE_CHANGED, /* … or others */
    SYNCD_IGNORE_REFUSED, /* over a limit: it has none now */
} SyncdIgnoreResult;

/* The rules of the file in this folder ("" for the workspace's own); an empty text: there are none.
 */
SyncdIgnoreResult syncd_ignore_set(SyncdIgnore *ignore, SyncdBytes folder, SyncdBytes text);
SyncdIgnoreResult syncd_ignore_set_shared(SyncdIgnore *ignore, SyncdBytes text);
/* The files in a folder and in all beneath it: the folder has another path, which had none. */
void syncd_ignore_move(SyncdIgnore *ignore, SyncdBytes folder, SyncdBytes to);
/* Whether there is any rule. */
bool syncd_ignore_is_empty(const SyncdIgnore *ignore);

typedef struct {
    bool ignored;
    bool by_rule; /* a rule said so or the opposite; the rest is valid as long as its source is */
    bool shared;
    SyncdBytes folder;  /* with the file that the rule is in */
    guint line;         /* from 1 */
    SyncdBytes pattern; /* as it stands there */
    SyncdBytes path;    /* what it matched: the path, or a folder above it */
} SyncdIgnoreVerdict;

/* Of a path, with the folders above it. */
SyncdIgnoreVerdict syncd_ignore_judge(const SyncdIgnore *ignore, SyncdBytes path, bool is_folder);
/* Of one name in a folder that is itself not ignored. */
bool syncd_ignore_has(const SyncdIgnore *ignore, SyncdBytes folder, SyncdBytes name,
                      bool is_folder);

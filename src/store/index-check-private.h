/* The inside of checking an index: a walk through the rows of a table, some at a time. */
#pragma once

#include "store/index-check.h"
#include "store/index-private.h"
#include "store/store-private.h"
#include "store/structure.h"

#define SYNCD_CHECK_ROWS 2000u   /* of a step … */
#define SYNCD_CHECK_LIMIT "2000" /* … and the same for SQL */
#define SYNCD_CHECK_KEYS 3u

/* Behind which row the next step begins. */
typedef struct {
    gint64 numbers[SYNCD_CHECK_KEYS];
    GString *texts[SYNCD_CHECK_KEYS];
} SyncdCheckCursor;

struct SyncdIndexCheck {
    SyncdStore *store;
    SyncdIndex *index; /* that is asked, and which one it is; another one is asked from the start */
    guint64 generation;
    size_t next; /* question */
    bool begun;  /* it was, with the cursor where it is */
    SyncdCheckCursor cursor;
    guint64 wrong; /* so far */
    GArray *faults;
    SyncdStructure *structure; /* while it is checked … */
    GPtrArray *lines;          /* … char *: what is said of it */
    /* index-check-counts.c */
    gint64 last;       /* the last entry that is counted … */
    gint64 said;       /* … and how many there are said to be */
    guint64 counted;   /* so many there are */
    GHashTable *kinds; /* by number, as pointers: how many there are, less those that are said */
    SyncdIndexCount lanes;
    SyncdCounted table;
    gint64 chunks; /* that rows of content name, less the rows that there are */
    guint64 changes;
    unsigned again; /* how often that was begun anew */
};

typedef struct {
    /* The rows behind a key, by it: a number, and the key, whose columns are of the types in
     * `keys`: i or t. Bound as :a, :b, :c. */
    const char *sql, *keys;
} SyncdCheckWalk;

void syncd_check_rewind(SyncdIndexCheck *check);
/* `*ret_more` false: these were the last ones. */
bool syncd_check_walk(SyncdIndexCheck *check, const SyncdCheckWalk *walk,
                      void (*take)(SyncdIndexCheck *check, SyncdStatement *row), bool *ret_more,
                      GError **error);
void syncd_check_fault(SyncdIndexCheck *check, const char *what, guint64 rows);

/* Questions that are more than a walk. */
bool syncd_check_structure(SyncdIndexCheck *check, bool *ret_more, GError **error);
bool syncd_check_entries(SyncdIndexCheck *check, bool *ret_more, GError **error);
bool syncd_check_log(SyncdIndexCheck *check, bool *ret_more, GError **error);
bool syncd_check_lanes(SyncdIndexCheck *check, bool *ret_more, GError **error);
bool syncd_check_chunks(SyncdIndexCheck *check, bool *ret_more, GError **error);
/* Nothing follows what is counted any more; that index is there still. */
void syncd_check_end_counting(SyncdIndexCheck *check);

/* The index's inside, shared by the files that make it up. */
#pragma once

#include "domain/file-changes.h"
#include "domain/lane.h"
#include "store/index-file.h"
#include "store/rows.h"

/* What has a part in the counts of lanes by its state. */
typedef enum {
    SYNCD_COUNTED_TASKS,   /* by task.pos */
    SYNCD_COUNTED_FILES,   /* by file.id */
    SYNCD_COUNTED_OBJECTS, /* by object.scope and object.object */
    SYNCD_N_COUNTED,
} SyncdCounted;

typedef struct {
    SyncdCounted table;
    gint64 number;
    SyncdBytes text; /* of objects */
} SyncdCountedRow;

typedef struct {
    bool all;
    gint64 number;
    GString *text; /* NULL: there is none */
} SyncdCountedUntil;

/* Somebody counts all the rows anew, some at a time: what becomes of those that he is through with
 * is added to what he has. */
typedef struct {
    SyncdCountedUntil until[SYNCD_N_COUNTED];
    gint64 lanes[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS];
    bool broken; /* a transaction was taken back: none of it is right */
} SyncdIndexCount;

struct SyncdIndex {
    SyncdDatabase *db;
    bool making;            /* a new file, not in its place yet */
    unsigned version;       /* of its schema, while it is made */
    GHashTable *words;      /* SyncdBytes * -> number as pointer; what was looked up so far */
    GHashTable *word_texts; /* number as pointer -> char * (owned by words) */
    gint64 next_word;       /* 0: not known yet */
    GHashTable *tally; /* kind's number as pointer -> entries projected in the open transaction */
    char file_operation[SYNCD_FILE_ID_SIZE]; /* whose place was looked up last (index-file.c) */
    guint64 file_pos;
    struct SyncdPendingRows *pending;  /* not written yet (index-pending.c) */
    bool none_deleted;                 /* seen to be so, and true until one is (index-deletion.c) */
    struct SyncdSearchKnown *search;   /* what need not be looked up again (index-search.c) */
    struct SyncdKnownObjects *objects; /* so (index-object.c) */
    gint64 lanes[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS]; /* by rank: changes of its counts in it */
    SyncdIndexCount *counting;                          /* borrowed; NULL: nobody counts */
    guint64 content_changes;                            /* how often rows of content came or went */
};

extern const SyncdDatabaseKind syncd_index_kind;

/* index-words.c: the tables of words in memory. */
void syncd_index_init_words(SyncdIndex *index);
void syncd_index_clear_words(SyncdIndex *index);
void syncd_index_forget_words(SyncdIndex *index);

/* index-pending.c: rows of entries and tasks that the open transaction has yet to write. */
typedef struct {
    gint64 kind, actor, scope;
} SyncdEntryWords;

struct SyncdPendingRows *syncd_index_pending_new(void);
void syncd_index_pending_free(struct SyncdPendingRows *pending);
/* After a rollback. */
void syncd_index_forget_pending(SyncdIndex *index);
bool syncd_index_put_entry(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                           const SyncdEntryWords *words, GError **error);
/* Of the entry that was put last. */
void syncd_index_put_task(SyncdIndex *index, const SyncdTask *task);
bool syncd_index_write_pending(SyncdIndex *index, GError **error);
/* 0: no entry in line is that one. Then it may have been written. */
guint64 syncd_index_pending_op(const SyncdIndex *index, const char *op);
/* Borrowed, to be moved there; NULL: no entry in line has one. */
SyncdTask *syncd_index_pending_task(const SyncdIndex *index, guint64 pos);

/* The registries' part of projecting an entry (index-registry.c). */
bool syncd_index_project_registry(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                                  const SyncdBody *body, GError **error);
bool syncd_index_project_key(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                             const SyncdBody *body, GError **error);
/* Rows of records (index-record.c). */
bool syncd_index_project_record(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                                const SyncdBody *body, GError **error);
/* Files (index-file.c). */
bool syncd_index_project_files(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                               SyncdJson content, GError **error);
/* The content of a file that the change was projected of (index-content.c). */
bool syncd_index_drop_content(SyncdIndex *index, guint64 file, const GArray *dropped,
                              GError **error);
bool syncd_index_project_content(SyncdIndex *index, guint64 file, guint64 place,
                                 const SyncdFileChange *change, GError **error);

/* index-object.c: what an entry is about. */
struct SyncdKnownObjects *syncd_index_known_objects_new(void);
void syncd_index_known_objects_free(struct SyncdKnownObjects *known);
/* After a rollback. */
void syncd_index_forget_objects(SyncdIndex *index);
/* `*ret_adds`: nothing was about it before. */
bool syncd_index_project_object(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                                bool *ret_adds, GError **error);
/* One of which there is a deletion was asked for, so it is there. */
bool syncd_index_count_deletion(SyncdIndex *index, gint64 scope, const char *object,
                                SyncdDeletionState before, SyncdDeletionState after,
                                GError **error);

/* index-task.c: what an entry does to operations and lanes; `adds` as above, `body` NULL when it
 * cannot be had. */
bool syncd_index_project_task(SyncdIndex *index, guint64 pos, const SyncdHeader *header, bool adds,
                              const SyncdBody *body, GError **error);
/* As a row, in the order of the table's columns. */
#define SYNCD_INDEX_TASK_COLUMNS 13u
void syncd_index_add_task_row(SyncdRows *rows, const SyncdTask *task);
/* A row of the columns that its statements have in common, from the column `first` on. */
void syncd_index_read_task(SyncdStatement *row, int first, SyncdTask *task);
/* index-object.c: which counter an object has a part in. */
SyncdLaneCounter syncd_index_object_counter(SyncdDeletionState state);
/* index-lane.c: a row that is or was in that state. */
void syncd_index_count_lane(SyncdIndex *index, const SyncdCountedRow *row, unsigned rank,
                            unsigned counter, gint64 change);
/* The counts of lanes, as part of the transaction. */
bool syncd_index_write_lanes(SyncdIndex *index, GError **error);
/* index-deletion.c: what an entry does to what was deleted. */
bool syncd_index_project_deletion(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                                  const SyncdBody *body, GError **error);
/* index-names.c: the first entry that takes a name keeps it. */
bool syncd_index_add_name(SyncdIndex *index, const char *family, const char *name, SyncdBytes scope,
                          guint64 pos, GError **error);

/* index-search.c: what is found by its words; `words` are those of domain/search.h. */
struct SyncdSearchKnown *syncd_index_search_known_new(void);
void syncd_index_search_known_free(struct SyncdSearchKnown *known);
/* After a rollback, and when a scope is opened. */
void syncd_index_forget_search(SyncdIndex *index);
bool syncd_index_add_search(SyncdIndex *index, guint64 id, const char *words, GError **error);
/* Exactly the words that were added. */
bool syncd_index_remove_search(SyncdIndex *index, guint64 id, const char *words, GError **error);
/* Whether what an entry of this header says may be found; `data_class` NULL: not said. */
bool syncd_index_may_search(SyncdIndex *index, const SyncdHeader *header, const char *data_class,
                            bool *ret_may, GError **error);
/* A record as it is now. */
bool syncd_index_search_record(SyncdIndex *index, const SyncdRecordRow *row,
                               const SyncdHeader *header, SyncdJson record, GError **error);
/* The object that an operation is about, once. */
bool syncd_index_search_object(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                               GError **error);

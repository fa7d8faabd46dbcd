/*
 * The store: the durable log and what is derived from it, behind one door.
 *
 * Writing happens in turns. syncd_store_append() adds an entry to the open turn and answers at once
 * with its place; syncd_store_commit() makes the whole turn durable with one fsync, or none of it.
 * Nobody may be told that an entry exists before its commit has succeeded. A failed commit takes
 * back overlay, tree and numbers of the turn; after an I/O error the store refuses to write until
 * it is opened again, because nobody knows what the disk holds (StorageFailed: outcome unknown, a
 * retry with the same idempotency key is safe). A full disk is NoSpace and is not sticky.
 *
 * Decisions read the index and an overlay of what is not projected yet. Reads that need the index
 * bring it up to date first, so a caller always reads its own writes.
 *
 * A store knows no callers, no policy and no bus. One thread.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/sources.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "crypto/tree.h"
#include "domain/deletion.h"
#include "domain/family.h"
#include "domain/lane.h"
#include "domain/lifecycle.h"
#include "store/entry.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_STORE_INLINE_MAX (64u * 1024u)          /* larger content goes to blobs/ */
#define SYNCD_STORE_CONTENT_MAX (16u * 1024u * 1024u) /* of one entry */
#define SYNCD_STORE_META_MAX 4096u
#define SYNCD_STORE_KEY_MAX 256u /* idempotency key */
#define SYNCD_STORE_SCOPES_MAX 1024u
#define SYNCD_STORE_TURN_ENTRIES 512u
#define SYNCD_STORE_TURN_BYTES (4u * 1024u * 1024u)

typedef struct SyncdStore SyncdStore;

typedef enum {
    SYNCD_STORE_OPEN,    /* NotInitialized when there is no state */
    SYNCD_STORE_CREATE,  /* makes state where there is none */
    SYNCD_STORE_INSPECT, /* for verification without a daemon: changes no byte */
} SyncdStoreMode;

typedef struct {
    const char *directory;
    SyncdStoreMode mode;
    const SyncdSources *sources;
    const char
        *machine; /* machine id; NULL when there is none: the state is then bound to no machine */
    SyncdBytes credential; /* wraps the key files; empty when there is none */
    guint64 reserve_bytes; /* 0: none */
    const char *address;   /* where the holder of the lock can be reached, NULL when unknown */
    bool elsewhere;        /* not where a command looks by itself: it has to name the directory */
    bool holds_index;      /* one that is of no use is not made anew: repair-store.h */
    bool
        stands_in; /* a journal that cannot be opened is no error, and nothing is there: rescue.h */
} SyncdStoreOptions;

SyncdStore *syncd_store_open(const SyncdStoreOptions *options, GError **error);
void syncd_store_free(SyncdStore *store); /* an open turn is discarded */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdStore, syncd_store_free)

typedef enum {
    SYNCD_STORE_WRITABLE,
    SYNCD_STORE_MACHINE_CHANGED, /* state of another machine: `store adopt` */
    SYNCD_STORE_FAILED,          /* an I/O error; sticky until opened again */
    SYNCD_STORE_UNREADABLE,      /* its journal is gone, or cannot be opened: store/rescue.h */
    SYNCD_STORE_DISPLACED,       /* its files were removed or replaced: store/displaced.h */
    SYNCD_STORE_DAMAGED,         /* the head of an own feed does not hold; sticky */
    SYNCD_STORE_KEYLESS,         /* the device's key is gone: nothing can be signed */
    SYNCD_STORE_ROLLED_BACK,     /* its log lost its end: `store adopt` goes on without it */
    SYNCD_STORE_INSPECTING,
} SyncdStoreCondition;

SyncdStoreCondition syncd_store_condition(const SyncdStore *store);
const char *
syncd_store_condition_name(SyncdStoreCondition condition); /* "writable", "machine-changed" … */
/* What was said of the write that failed; NULL: none did. */
const char *syncd_store_write_fault(const SyncdStore *store);
bool syncd_store_is_new(const SyncdStore *store); /* has no entry yet: needs its first entries */
bool syncd_store_is_indexing(
    const SyncdStore *store); /* the index is being rebuilt: lookups give Busy */
/* There is no index, or it takes no more: lookups give the reason. */
bool syncd_store_lacks_index(const SyncdStore *store);
/* The reason; NULL when there is one. */
const GError *syncd_store_index_problem(const SyncdStore *store);
/* The last commit found no room on the disk, and nothing large was written since. */
bool syncd_store_lacks_room(const SyncdStore *store);
const char *syncd_store_device_id(const SyncdStore *store);
/* The device's key: it signs the heads. */
const SyncdSigner *syncd_store_signer(const SyncdStore *store);
/* Why the file of the device's key is of no use, a sentence; NULL: it is, or it is gone. */
const char *syncd_store_device_key_fault(const SyncdStore *store);
guint64
syncd_store_sequence(const SyncdStore *store); /* pos of the newest committed entry, 0 for none */
guint64 syncd_store_last_ms(const SyncdStore *store); /* its hybrid logical time, 0 for none */

/* Why the journal could not be opened; NULL: it is. */
const GError *syncd_store_unreadable(const SyncdStore *store);
/* That it is: nobody takes what stands in for it for a log that has nothing. JournalCorrupt. */
bool syncd_store_check_readable(const SyncdStore *store, GError **error);

/* ---- files of others ---- */

/* A small file that lives with the state and is no part of the log, published whole. `name` has at
 * most one folder in front. The state must take writing. */
bool syncd_store_keep(SyncdStore *store, const char *name, SyncdBytes bytes, GError **error);
/* The same of what is said of the daemon and not of the log: also where only the journal's files
 * are not in their place any more, or are damaged. */
bool syncd_store_keep_of_run(SyncdStore *store, const char *name, SyncdBytes bytes, GError **error);
/* NotFound when there is none; the result ends in a NUL that is not counted. */
char *syncd_store_kept(SyncdStore *store, const char *name, size_t max, size_t *ret_size,
                       GError **error);

/* Gets a file of the state directory, by its name there. */
typedef void (*SyncdStoredFunc)(void *data, const char *name, guint64 bytes);

/* ---- scopes ---- */

/* "device", "public", "profile", "workspace", "org" or "vault". The device scope has an empty name.
 */
typedef struct {
    char *id;
    char *class;
    char *name;
} SyncdScope;

void syncd_scope_free(SyncdScope *scope);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdScope, syncd_scope_free)

/* Found by class and name. `*ret_scope` NULL when there is none. */
bool syncd_store_find_scope(SyncdStore *store, const char *class, const char *name,
                            SyncdScope **ret_scope, GError **error);
/* Borrowed; NULL for an id that is not known. */
const SyncdScope *syncd_store_scope(SyncdStore *store, const char *scope_id);
/* Whether syncd_store_open_scope() would. Changes nothing. */
bool syncd_store_may_open_scope(SyncdStore *store, const char *class, const char *name,
                                GError **error);
/* Makes the scope's key and opens this device's feed in it, as part of the turn. */
bool syncd_store_open_scope(SyncdStore *store, const char *class, const char *name,
                            const char *actor, SyncdScope **ret_scope, GError **error);

/* ---- writing ---- */

/* Refuses when nothing may be appended. */
bool syncd_store_may_write(SyncdStore *store, GError **error);

/* A chunk of kept content that is a row of the journal: store/chunks.h. */
typedef struct {
    SyncdHash name;
    SyncdBytes bytes;
} SyncdDraftRow;

typedef struct {
    const char *kind;
    const char *actor;
    const char *op;     /* NULL: a new id */
    const char *object; /* "" for none; the same for the next two */
    const char *decision;
    const char *engine;
    const char *lane;
    const char *schema_id;
    guint64 schema_version;
    const char *idempotency_key; /* NULL for none; it must then also be in `meta` */
    const SyncdHash *parents;
    unsigned n_parents;
    SyncdBytes meta;    /* canonical JSON object */
    SyncdBytes content; /* kept byte for byte */
    const SyncdDraftRow *rows;
    guint n_rows;
} SyncdDraft;

typedef struct {
    char *op;
    guint64 pos;
    guint64 seq;
    SyncdHash leaf;
} SyncdReceipt;

void syncd_receipt_clear(SyncdReceipt *receipt);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdReceipt, syncd_receipt_clear)

bool syncd_store_append(SyncdStore *store, const char *scope_id, const SyncdDraft *draft,
                        SyncdReceipt *ret_receipt, GError **error);
/* The entry that carried this key first, in the log or in the open turn; `*ret_pos` 0 when there is
 * none. */
bool syncd_store_find_key(SyncdStore *store, const char *actor, const char *scope_id,
                          const char *key, guint64 *ret_pos, GError **error);

typedef struct {
    guint64 first; /* pos */
    guint64 last;
    GPtrArray *kinds; /* char *, each kind once */
    guint n_operations;
    guint64 first_operation;
    guint64 last_operation;
} SyncdCommit;

void syncd_commit_clear(SyncdCommit *commit);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdCommit, syncd_commit_clear)

bool syncd_store_has_turn(const SyncdStore *store);
bool syncd_store_turn_is_full(const SyncdStore *store);
bool syncd_store_commit(SyncdStore *store, SyncdCommit *ret_commit, GError **error);
void syncd_store_discard(SyncdStore *store);

/* Whether so much waits for work() that it should not wait for a pause. */
bool syncd_store_is_pressed(const SyncdStore *store);
/* What can wait: projecting, rebuilding, moving the WAL. True while there is more to do. Each call
 * is short. */
bool syncd_store_work(SyncdStore *store);
/* Makes the index anew beside the one that serves (remake.c): begins it, or goes on; `*ret_more`
 * false: it is done. When it fails it is given up, and the index there is goes on: NoSpace before
 * it takes what the log needs, or the space set aside. There must be no open turn. */
bool syncd_store_step_remake(SyncdStore *store, bool *ret_more, GError **error);
/* Does all of it now. */
bool syncd_store_settle(SyncdStore *store, GError **error);

/* Records that this machine owns the state now, and continues every own feed in a new epoch.
 * Commits. Of a log whose WAL is damaged a copy is made first, with its WAL. */
bool syncd_store_adopt(SyncdStore *store, const char *actor, GError **error);
/* The name of that copy in the state directory; NULL: there was nothing to copy. */
const char *syncd_store_set_aside_at_adoption(const SyncdStore *store);

/* ---- reading ---- */

typedef struct {
    guint64 pos;
    char *text; /* the header's text, NUL-terminated */
    size_t size;
    SyncdHeader header; /* a view of it */
} SyncdEntry;

void syncd_entry_clear(SyncdEntry *entry);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdEntry, syncd_entry_clear)

/* Only committed entries, or entries of the open turn, are found. NotFound. */
bool syncd_store_read(SyncdStore *store, guint64 pos, SyncdEntry *ret_entry, GError **error);
/* By operation id; `*ret_pos` 0 when there is none. The open turn counts. */
bool syncd_store_find_op(SyncdStore *store, const char *op, guint64 *ret_pos, GError **error);

typedef struct {
    char *meta; /* NUL-terminated JSON text */
    size_t meta_size;
    char *content; /* NUL-terminated, but may contain NULs */
    size_t content_size;
} SyncdBody;

void syncd_body_clear(SyncdBody *body);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdBody, syncd_body_clear)

/* Opens the body and fetches its chunks. JournalCorrupt when it is not what the header says;
 * NotFound when its key is not here, or when it was purged: by what and when, says the message. */
bool syncd_store_read_body(SyncdStore *store, const SyncdEntry *entry, SyncdBody *ret_body,
                           GError **error);

/* How much of an entry is read when many are. */
typedef enum {
    SYNCD_READ_HEADER,
    SYNCD_READ_BODY,
} SyncdReadDepth;

/* All of it is valid until the next one is read. */
typedef struct {
    SyncdEntry entry; /* the text has no NUL at its end here */
    SyncdBody body;
    const GError *unreadable; /* why there is no body; NULL when there is one */
    guint64 purged_by;        /* the entry that took the body; 0: none did */
    bool lost;                /* a repair gave the body up */
} SyncdRow;

/* Reads in the order of the positions until `take` returns false. JournalCorrupt for a header that
 * is not what was asked for. */
bool syncd_store_read_many(SyncdStore *store, const guint64 *positions, guint n,
                           SyncdReadDepth depth, bool (*take)(void *data, const SyncdRow *row),
                           void *data, GError **error);

typedef enum { SYNCD_NEWEST_FIRST, SYNCD_OLDEST_FIRST } SyncdOrder;

/* All conditions hold together; NULL and 0 mean any. */
typedef struct {
    SyncdOrder order;
    unsigned limit;
    const char *kind;
    bool operations_only; /* kinds that are an operation type */
    const char *actor;
    const char *scope_id;
    const char *object;
    const char *op;
    guint64 after;      /* pos greater than this */
    guint64 since_ms;   /* time at or after */
    guint64 until_ms;   /* time before */
    const char *cursor; /* of an earlier page with the same conditions; NULL or "" for the first */
} SyncdQuery;

/* Positions (guint64) in order. `*ret_cursor` is "" at the end. A page may be shorter than the
 * limit and still have a cursor: each call examines a bounded number of rows. InvalidArgs for a
 * cursor of another query. */
bool syncd_store_query(SyncdStore *store, const SyncdQuery *query, GArray **ret_positions,
                       char **ret_cursor, GError **error);

/* Names that the first entry keeps, each family for itself within a scope: "replay" (operation,
 * line feed, key). `*ret_pos` 0 for a name that nobody took. The open turn counts. `scope_id` NULL:
 * in any scope. */
bool syncd_store_find_name(SyncdStore *store, const char *family, const char *name,
                           const char *scope_id, guint64 *ret_pos, GError **error);
/* Appends the positions of all that took the name, each in its scope; committed ones only. */
bool syncd_store_list_name(SyncdStore *store, const char *family, const char *name,
                           GArray *positions, GError **error);
/* Where a decision of that id was recorded first, of whatever policy: its inputs and its outcome
 * are the same in all. `*ret_pos` 0: nowhere. The open turn counts. */
bool syncd_store_find_decision(SyncdStore *store, const char *id, guint64 *ret_pos, GError **error);
/* How many entries of a kind there are since a time, and how many of them are the actor's. Stops
 * counting at `max`. The open turn counts. */
bool syncd_store_count_recent(SyncdStore *store, const char *kind, const char *actor,
                              guint64 since_ms, guint max, guint *ret_all, guint *ret_actor,
                              GError **error);

/* ---- registries ---- */

/* Another number whenever a registry may answer otherwise than before: answers may be kept as long
 * as it stands. Never 0. */
guint64 syncd_store_registries(const SyncdStore *store);

/* What is known of a record without its document, which the entry at `pos` holds. */
typedef struct {
    const SyncdFamily *family;
    char *id;
    char *state;
    char *scope; /* the scope's id */
    char *owner; /* the actor that registered it */
    char *columns[SYNCD_N_COLUMNS];
    guint64 first; /* where it was registered */
    guint64 pos;
} SyncdRecordRow;

void syncd_record_row_clear(SyncdRecordRow *row);
void syncd_record_row_free(SyncdRecordRow *row);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdRecordRow, syncd_record_row_clear)

/* The open turn counts. */
bool syncd_store_find_record(SyncdStore *store, const SyncdFamily *family, const char *id,
                             SyncdRecordRow *ret_row, bool *ret_found, GError **error);
/* The actor of an identity ("uid:1000"). Of several it is one that is not revoked, and the one that
 * was registered first. The open turn counts. */
bool syncd_store_find_identity(SyncdStore *store, const char *identity, SyncdRecordRow *ret_row,
                               bool *ret_found, GError **error);

/* All conditions hold together; NULL means any. */
typedef struct {
    const SyncdFamily *family;
    const char *state;
    const char *scope_id;
    const char *columns[SYNCD_N_COLUMNS];
    const char *viewer; /* only what this actor registered, or is */
    const char *cursor;
    unsigned limit;
} SyncdRecordQuery;

/* Committed records in the order of their ids: SyncdRecordRow. As with syncd_store_query(), a page
 * may be shorter than the limit and still have a cursor. */
bool syncd_store_list_records(SyncdStore *store, const SyncdRecordQuery *query,
                              GPtrArray **ret_rows, char **ret_cursor, GError **error);
/* All of them, in no order and whatever the query says of pages; the open turn counts. For what a
 * change has to be held against, where that is few. */
bool syncd_store_find_records(SyncdStore *store, const SyncdRecordQuery *query,
                              GPtrArray **ret_rows, GError **error);
/* The id of the actor of an identity; NULL when there is none. */
bool syncd_store_find_actor(SyncdStore *store, const char *identity, char **ret_actor_id,
                            GError **error);
/* Whether this decision of this policy is recorded already, in the log or in the open turn. */
bool syncd_store_has_decision(SyncdStore *store, const char *policy_digest, const char *decision_id,
                              bool *ret_has, GError **error);

/* ---- tasks: what becomes of operations ---- */

typedef struct {
    guint64 pos; /* of the entry that enqueued the operation */
    unsigned rank;
    SyncdLifecycle state;
    guint attempt;
    guint waits, blockers; /* parents that are not finished; that failed */
    guint replays;
    bool lost; /* the last lease ended without a result */
    guint64 ready_ms;
    guint64 moved, moved_ms; /* the entry that moved it last */
    bool adds;               /* the operation was the first entry about its object */
} SyncdTask;

/* The open turn counts. `*ret_found` false for what is no operation with a task. */
bool syncd_store_find_task(SyncdStore *store, const char *op, SyncdTask *ret_task, bool *ret_found,
                           GError **error);
/* The same where the operation's entry is known, which spares looking for it. */
bool syncd_store_find_task_at(SyncdStore *store, guint64 pos, const char *op, SyncdTask *ret_task,
                              bool *ret_found, GError **error);

/* Whether it is offered and was not claimed for longer than its lane allows. */
bool syncd_task_is_stale(const SyncdTask *task, guint64 now_ms);
/* Whether the open turn, or what is not projected yet, moves it. */
bool syncd_store_is_moving(const SyncdStore *store, const char *op);
typedef enum {
    SYNCD_TASKS_ALL,     /* in the order in which they were enqueued, as are the others but … */
    SYNCD_TASKS_OFFERED, /* … these: in the order in which they are handed out */
    SYNCD_TASKS_RUNNING,
    SYNCD_TASKS_FAILED,
} SyncdTaskWalk;

/* All conditions hold together. */
typedef struct {
    SyncdTaskWalk which;
    const char *scope_id, *actor, *object; /* NULL: any */
    int rank, state;                       /* negative: any */
    guint64 ready_ms;                      /* may be claimed by then; 0: any */
    guint64 stale_ms;                      /* stale by then; 0: any */
    guint64 after_pos;                     /* where an earlier walk ended … */
    int after_rank;                        /* … and, of those OFFERED, in which rank; -1: begin */
    bool (*fits)(void *data, const char *scope_id); /* with the walk's data; NULL: any scope */
} SyncdTaskQuery;

/* Gets each task that is examined; false ends the walk. It must not change the store. */
typedef bool (*SyncdTaskFunc)(void *data, const char *op, const SyncdTask *task, bool matches);
#define SYNCD_STORE_TASKS_EXAMINED 20000u /* at most, by one walk */
/* Examines a bounded number of committed tasks. What is moved in the open turn comes as if it were
 * not: ask syncd_store_find_task(). */
bool syncd_store_walk_tasks(SyncdStore *store, const SyncdTaskQuery *query, SyncdTaskFunc func,
                            void *data, GError **error);
#define SYNCD_STORE_OBJECT_TASKS 1000u
/* How it stands with the newest operations about an object, so many at most. */
typedef struct {
    unsigned operations;
    unsigned retrying; /* that are offered again, having been tried */
    unsigned blocked;  /* that wait for one that failed */
    unsigned failed;
} SyncdObjectTasks;

/* Committed ones only. */
bool syncd_store_count_object_tasks(SyncdStore *store, const char *object,
                                    SyncdObjectTasks *ret_tasks, GError **error);
/* When the next pending task that waits for its time may be claimed; 0: there is none. */
bool syncd_store_next_delay(SyncdStore *store, guint64 after_ms, guint64 *ret_ms, GError **error);

/* What became of an object that somebody wanted deleted. */
typedef struct {
    SyncdDeletionState state;
    guint64 version; /* of the object */
    guint64 moved;   /* the entry that moved it last */
} SyncdDeletion;

/* The open turn counts. */
bool syncd_store_find_deletion(SyncdStore *store, const char *scope_id, const char *object,
                               SyncdDeletion *ret_deletion, bool *ret_found, GError **error);

/* Whether an operation in that scope was ever about the object: what the daemon did about it, in
 * this device's own scope, records none. The open turn counts. */
bool syncd_store_has_object(SyncdStore *store, const char *scope_id, const char *object,
                            bool *ret_has, GError **error);

/* Of an object that was purged with its record, in whatever scope that was: its id stays taken.
 * Until the purge is cleared up after, the record itself says so. */
bool syncd_store_find_purged_record(SyncdStore *store, const char *object,
                                    SyncdDeletion *ret_deletion, bool *ret_found, GError **error);

/* The first ones are the tasks that are in each state of SyncdTaskState now. */
typedef enum {
    SYNCD_LANE_ENTRIES = SYNCD_N_TASK_STATES,
    SYNCD_LANE_OPERATIONS,
    SYNCD_LANE_ATTEMPTS,
    SYNCD_LANE_LOST,
    SYNCD_LANE_REPLAYED,
    SYNCD_LANE_RECONCILED,
    /* Those above, of operations alone that were the first entry about their object. */
    SYNCD_LANE_OF_ADDS,
    /* Objects by the lane that they began in, and by what became of them. Files are in `normal`. */
    SYNCD_LANE_OBJECTS = 2 * SYNCD_LANE_OF_ADDS, /* there are now */
    SYNCD_LANE_TOMBSTONES,                       /* are deleted */
    SYNCD_LANE_PURGED,                           /* and nothing is left of them */
    /* What needs no task, as it was done when it was written. */
    SYNCD_LANE_REGISTERED, /* records of objects */
    SYNCD_LANE_AMENDED,
    SYNCD_LANE_FILES_ADDED, /* that were found to be so in a workspace */
    SYNCD_LANE_FILES_CHANGED,
    SYNCD_LANE_FILES_DELETED,
    SYNCD_N_LANE_COUNTERS,
} SyncdLaneCounter;

/* By the lane's rank. Committed entries only. */
bool syncd_store_lane_counts(SyncdStore *store, gint64 counts[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS],
                             GError **error);

/* ---- heads and proofs ---- */

typedef struct {
    char *device, *scope, *origin, *note, *verifier_key;
    guint64 epoch;
    guint64 size;
    SyncdHash root;
    bool own;
} SyncdHead;

void syncd_head_free(SyncdHead *head);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdHead, syncd_head_free)

/* The committed head of this device's current feed in a scope. NotFound. */
SyncdHead *syncd_store_head(SyncdStore *store, const char *scope_id, GError **error);
GPtrArray *syncd_store_heads(SyncdStore *store); /* SyncdHead, all feeds */
/* Keeps the scope's head as a permanent checkpoint, in a transaction of its own. */
bool syncd_store_keep_head(SyncdStore *store, const char *scope_id, const char *reason,
                           GError **error);
/* Whether the committed head of its feed covers the entry as it was read. JournalCorrupt. */
bool syncd_store_check_entry(SyncdStore *store, const SyncdEntry *entry, SyncdHash *ret_leaf,
                             GError **error);
/* The audit path (SyncdHash) of an entry in the committed head of its feed. */
bool syncd_store_prove(SyncdStore *store, const SyncdEntry *entry, SyncdHead **ret_head,
                       SyncdHash *ret_leaf, GArray **ret_path, GError **error);
guint64 syncd_store_journal_bytes(SyncdStore *store);

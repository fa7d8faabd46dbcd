-- What becomes of operations: tasks, who waits for whom, and what each lane holds.

-- Operations are named by their ids, so this lookup is there from the first row on; those that are made later come last.
CREATE UNIQUE INDEX entry_by_op ON entry (op);

CREATE TABLE task (
    pos INTEGER PRIMARY KEY,                        -- the entry that enqueued the operation, which has one task
    rank INTEGER NOT NULL,                          -- of its lane: a lower one is handed out first
    operation INTEGER NOT NULL,                     -- state of the operation (domain/lifecycle.h)
    task INTEGER NOT NULL,                          -- state of the task
    attempt INTEGER NOT NULL,                       -- how often it was claimed since it was enqueued or replayed
    waits INTEGER NOT NULL,                         -- parents that are not finished
    blockers INTEGER NOT NULL,                      -- parents that failed
    replays INTEGER NOT NULL,                       -- how often it was replayed
    lost INTEGER NOT NULL,                          -- 1: the last lease ended without a result
    ready_ms INTEGER NOT NULL,                      -- not to be claimed before
    moved INTEGER NOT NULL,                         -- the entry that moved it last
    moved_ms INTEGER NOT NULL,                      -- that entry's time
    adds INTEGER NOT NULL                           -- 1: the operation was the first entry about its object
) STRICT;

CREATE TABLE dependency (
    child INTEGER NOT NULL,                         -- task.pos
    parent INTEGER NOT NULL,                        -- task.pos
    PRIMARY KEY (child, parent)
) STRICT, WITHOUT ROWID;
CREATE INDEX dependency_by_parent ON dependency (parent);

CREATE TABLE name (
    family TEXT NOT NULL,                           -- what kind of name it is: "replay", "remote" …
    name TEXT NOT NULL,
    scope INTEGER NOT NULL,                         -- word.id
    pos INTEGER NOT NULL,                           -- the first entry that took the name
    PRIMARY KEY (family, name, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE lane_count (
    rank INTEGER NOT NULL,
    counter INTEGER NOT NULL,                       -- SyncdLaneCounter of store/store.h
    count INTEGER NOT NULL,
    PRIMARY KEY (rank, counter)
) STRICT, WITHOUT ROWID;

CREATE TABLE deletion (
    scope INTEGER NOT NULL,                         -- word.id
    object TEXT NOT NULL,
    state INTEGER NOT NULL,                         -- domain/deletion.h
    version INTEGER NOT NULL,                       -- of the object; a restored one is the next
    pos INTEGER NOT NULL,                           -- the entry that moved it last
    PRIMARY KEY (scope, object)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 3;

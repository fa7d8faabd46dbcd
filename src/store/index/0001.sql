-- Projections of the log. Nothing here is true that the journal does not say; the file can be deleted at any moment.
-- Rows are made in the order of pos, so that a rebuild gives the same rows with the same ids.

CREATE TABLE cursor (
    feed INTEGER PRIMARY KEY,                       -- journal.feed.id
    size INTEGER NOT NULL,                          -- leaves of that feed that are projected here
    root BLOB NOT NULL                              -- root of the tree at that size
) STRICT;

CREATE TABLE word (
    id INTEGER PRIMARY KEY,                         -- short stand-in for a text that repeats
    text TEXT NOT NULL UNIQUE                       -- a kind, an actor's id or a scope's id
) STRICT;

CREATE TABLE entry (
    pos INTEGER PRIMARY KEY,                        -- journal.entry.pos
    op TEXT NOT NULL,
    kind INTEGER NOT NULL,                          -- word.id
    actor INTEGER NOT NULL,                         -- word.id
    scope INTEGER NOT NULL,                         -- word.id
    object TEXT NOT NULL,
    ms INTEGER NOT NULL                             -- milliseconds of the hybrid logical clock
) STRICT;

CREATE TABLE idempotency (
    actor INTEGER NOT NULL,                         -- word.id
    scope INTEGER NOT NULL,                         -- word.id
    key TEXT NOT NULL,
    pos INTEGER NOT NULL,                           -- the first entry that carried the key
    PRIMARY KEY (actor, scope, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE tally (
    kind INTEGER PRIMARY KEY,                       -- word.id
    count INTEGER NOT NULL                          -- entries of that kind
) STRICT;

CREATE TABLE scope (
    id TEXT PRIMARY KEY,
    class TEXT NOT NULL,
    name TEXT NOT NULL,
    pos INTEGER NOT NULL,                           -- the entry that opened it first
    UNIQUE (class, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (
    policy TEXT NOT NULL,                           -- digest of the policy that decided
    id TEXT NOT NULL,
    pos INTEGER NOT NULL,
    PRIMARY KEY (policy, id)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;

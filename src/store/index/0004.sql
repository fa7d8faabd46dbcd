-- Files of workspaces. A place in the log is written as one number: pos * 4096 + the number of the file in the entry's document.

CREATE TABLE file (
    id INTEGER PRIMARY KEY,                         -- the place that made it
    scope INTEGER NOT NULL,                         -- word.id
    folder INTEGER NOT NULL,                        -- file.id of the folder it is in; 0: it is the workspace's own
    name BLOB NOT NULL,
    kind INTEGER NOT NULL,                          -- domain/file.h
    mode INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL,                         -- nanoseconds since 1970
    hash BLOB,                                      -- SHA-256 of its bytes, of a symlink of its target; NULL: not known
    version INTEGER NOT NULL,                       -- of what is in it, from 1
    changed INTEGER NOT NULL,                       -- the newest place that is about it
    live INTEGER NOT NULL,                          -- 0: it was deleted
    found INTEGER NOT NULL                          -- 1: its name is in search
) STRICT;

CREATE TABLE file_change (
    file INTEGER NOT NULL,                          -- file.id
    place INTEGER NOT NULL,                         -- what changed it
    version INTEGER NOT NULL,                       -- which it was then
    PRIMARY KEY (file, place)
) STRICT, WITHOUT ROWID;

-- The versions of files whose content is kept.
CREATE TABLE content (
    file INTEGER NOT NULL,                          -- file.id
    version INTEGER NOT NULL,
    place INTEGER NOT NULL,                         -- what said so
    size INTEGER NOT NULL,
    chunks BLOB NOT NULL,                           -- names of the chunks, 32 bytes each, in their order
    PRIMARY KEY (file, version)
) STRICT, WITHOUT ROWID;

-- Who needs a chunk: as long as there is such a row of `content`. Others go with content_dropped.
CREATE TABLE content_chunk (
    name BLOB NOT NULL,
    file INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

-- Chunks that a version needed which is dropped: what nobody needs is to be removed.
CREATE TABLE content_dropped (
    id INTEGER PRIMARY KEY,
    name BLOB NOT NULL,
    small INTEGER NOT NULL                          -- it is a row of the journal; 0: a file of blobs/
) STRICT;

-- Files whose bytes are not those that are recorded, though nothing said that they had changed.
CREATE TABLE mismatch (
    file INTEGER PRIMARY KEY,                       -- file.id
    told INTEGER NOT NULL,                          -- the place that said so
    found_size INTEGER NOT NULL,
    found_mtime INTEGER NOT NULL,                   -- a change that has another one ends it
    found_hash BLOB NOT NULL                        -- SHA-256 of the bytes that are there
) STRICT;

-- What the file system showed when the file was read last. This is no projection: it is where a scan need not read again, and is
-- empty after a rebuild; only an index that is made beside another takes it over.
CREATE TABLE seen (
    file INTEGER PRIMARY KEY,                       -- file.id
    device INTEGER NOT NULL,                        -- 0: that of the workspace's own folder
    inode INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL,
    ctime INTEGER NOT NULL,
    born INTEGER NOT NULL                           -- 0: the file system does not say
) STRICT;
-- What is found by its words (domain/search.h). A row of search has nothing but words, and is: of a file that exists, its name, by
-- file.id; of all else what search_text says, by the entry's pos * 4096.
CREATE VIRTUAL TABLE search USING fts5(words, content='', columnsize=0, detail=none, tokenize=ascii);
CREATE TABLE search_text (
    id INTEGER PRIMARY KEY,                         -- pos * 4096 of the entry that registered it, or was the first about it
    family TEXT NOT NULL,                           -- of the record; '': an object that operations are about
    record TEXT NOT NULL,                           -- record.id, or the object's
    words TEXT NOT NULL                             -- what search has of it
) STRICT;
CREATE TABLE object (
    scope INTEGER NOT NULL,                         -- word.id
    object TEXT NOT NULL,                           -- each that operations are about, or that is registered
    rank INTEGER NOT NULL,                          -- of the lane of the first of them
    found INTEGER NOT NULL,                         -- 1: its id is in search
    PRIMARY KEY (scope, object)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 4;

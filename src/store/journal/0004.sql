-- Content of files that is kept: a chunk of its own for each that is small, beside the entry that names it (docs/format.md 6.2).
-- It goes when no version needs it any more.

CREATE TABLE content (
    name BLOB PRIMARY KEY,                          -- SHA-256 of the bytes
    bytes BLOB NOT NULL                             -- as in a file of blobs/
) STRICT;

CREATE TRIGGER content_update BEFORE UPDATE ON content BEGIN SELECT RAISE(ABORT, 'content is written once'); END;

PRAGMA user_version = 4;

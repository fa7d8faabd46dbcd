-- The log. docs/format.md section 7 says what each column means and what a verifier demands of it.
-- Entries, bodies, feeds, checkpoints and tiles are written once: the triggers refuse everything else, also
-- INSERT OR REPLACE, which deletes the old row without asking the DELETE trigger.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE feed (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    scope TEXT NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    base_size INTEGER NOT NULL DEFAULT 0,           -- leaves that a snapshot replaces; none yet
    base_frontier BLOB NOT NULL DEFAULT x'',
    base_snapshot BLOB NOT NULL DEFAULT x'',
    UNIQUE (device, scope, epoch)
) STRICT;

CREATE TABLE entry (
    pos INTEGER PRIMARY KEY,                        -- order of arrival on this device
    feed INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    header BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_by_seq ON entry (feed, seq);

CREATE TABLE body (
    pos INTEGER PRIMARY KEY,                        -- that of its entry
    blob BLOB NOT NULL
) STRICT;

CREATE TABLE head (
    feed INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    frontier BLOB NOT NULL,                         -- roots of the full subtrees that make up the tree
    tail BLOB NOT NULL,                             -- leaf hashes after the last full tile
    note TEXT NOT NULL
) STRICT;

CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY,
    feed INTEGER NOT NULL,
    size INTEGER NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;

CREATE TABLE tile (
    feed INTEGER NOT NULL,
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (feed, level, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER feed_update BEFORE UPDATE ON feed BEGIN SELECT RAISE(ABORT, 'feeds are written once'); END;
CREATE TRIGGER feed_delete BEFORE DELETE ON feed BEGIN SELECT RAISE(ABORT, 'feeds are never deleted'); END;
CREATE TRIGGER feed_insert BEFORE INSERT ON feed
WHEN EXISTS (SELECT 1 FROM feed WHERE id = NEW.id
             OR (device = NEW.device AND scope = NEW.scope AND epoch = NEW.epoch))
BEGIN SELECT RAISE(ABORT, 'feed exists'); END;

CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are written once'); END;
CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER entry_insert BEFORE INSERT ON entry
WHEN EXISTS (SELECT 1 FROM entry WHERE pos = NEW.pos)
  OR EXISTS (SELECT 1 FROM entry WHERE feed = NEW.feed AND seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'entry exists'); END;

CREATE TRIGGER body_update BEFORE UPDATE ON body BEGIN SELECT RAISE(ABORT, 'bodies are written once'); END;
CREATE TRIGGER body_delete BEFORE DELETE ON body BEGIN SELECT RAISE(ABORT, 'bodies are never deleted'); END;
CREATE TRIGGER body_insert BEFORE INSERT ON body
WHEN EXISTS (SELECT 1 FROM body WHERE pos = NEW.pos)
BEGIN SELECT RAISE(ABORT, 'body exists'); END;

CREATE TRIGGER head_update BEFORE UPDATE ON head
WHEN NEW.feed <> OLD.feed OR NEW.size < OLD.size
BEGIN SELECT RAISE(ABORT, 'heads only grow'); END;
CREATE TRIGGER head_delete BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'heads are never deleted'); END;
CREATE TRIGGER head_insert BEFORE INSERT ON head
WHEN EXISTS (SELECT 1 FROM head WHERE feed = NEW.feed)
BEGIN SELECT RAISE(ABORT, 'head exists'); END;

CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoints are written once'); END;
CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;
CREATE TRIGGER checkpoint_insert BEFORE INSERT ON checkpoint
WHEN EXISTS (SELECT 1 FROM checkpoint WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'checkpoint exists'); END;

CREATE TRIGGER tile_update BEFORE UPDATE ON tile BEGIN SELECT RAISE(ABORT, 'tiles are written once'); END;
CREATE TRIGGER tile_delete BEFORE DELETE ON tile BEGIN SELECT RAISE(ABORT, 'tiles are never deleted'); END;
CREATE TRIGGER tile_insert BEFORE INSERT ON tile
WHEN EXISTS (SELECT 1 FROM tile WHERE feed = NEW.feed AND level = NEW.level AND number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'tile exists'); END;

PRAGMA user_version = 1;

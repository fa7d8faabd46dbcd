-- An entry, its stored body and the tiles that it completes are one row: a commit ends in fewer pages that the next one
-- writes again, and reading an entry is one step.

DROP TRIGGER entry_update;
DROP TRIGGER entry_delete;
DROP TRIGGER entry_insert;
DROP INDEX entry_by_seq;
ALTER TABLE entry RENAME TO entry_1;

CREATE TABLE entry (
    pos INTEGER PRIMARY KEY,                        -- order of arrival on this device
    feed INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    header BLOB NOT NULL,
    tiles BLOB,                                     -- those that this entry completes, from level 0 up; NULL for none
    body BLOB                                       -- as it is stored; NULL is for one that was purged
) STRICT;

-- A tile of a level is complete with each entry whose number, counted from 1, is a multiple of the leaves under it.
INSERT INTO entry
SELECT pos, feed, seq, header,
       CASE WHEN (seq + 1) % 32 = 0 THEN (
           SELECT CAST(group_concat(hashes, '') AS BLOB)
           FROM (SELECT hashes FROM tile
                 WHERE tile.feed = entry_1.feed AND level <= 11 AND (entry_1.seq + 1) % (32 << 5 * level) = 0
                   AND number = (entry_1.seq + 1) / (32 << 5 * level) - 1
                 ORDER BY level))
       END,
       blob
FROM entry_1 LEFT JOIN body USING (pos) ORDER BY pos;
CREATE UNIQUE INDEX entry_by_seq ON entry (feed, seq);

DROP TABLE entry_1;
DROP TABLE body;
DROP TABLE tile;

CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are written once'); END;
CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER entry_insert BEFORE INSERT ON entry
WHEN EXISTS (SELECT 1 FROM entry WHERE pos = NEW.pos)
  OR EXISTS (SELECT 1 FROM entry WHERE feed = NEW.feed AND seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'entry exists'); END;

PRAGMA user_version = 2;

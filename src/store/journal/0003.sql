-- A body may be taken away: by an entry that says so, and with a row here that names it. All else of an entry stays.

CREATE TABLE purge (
    pos INTEGER PRIMARY KEY,                        -- the entry whose body is gone
    by INTEGER NOT NULL                             -- the later entry that took it
) STRICT;

DROP TRIGGER entry_update;
CREATE TRIGGER entry_update BEFORE UPDATE ON entry
WHEN NEW.body IS NOT NULL OR NEW.pos <> OLD.pos OR NEW.feed <> OLD.feed OR NEW.seq <> OLD.seq
  OR NEW.header <> OLD.header OR NEW.tiles IS NOT OLD.tiles
  OR NOT EXISTS (SELECT 1 FROM purge WHERE pos = OLD.pos)
BEGIN SELECT RAISE(ABORT, 'entries are written once'); END;

CREATE TRIGGER purge_update BEFORE UPDATE ON purge BEGIN SELECT RAISE(ABORT, 'purges are written once'); END;
CREATE TRIGGER purge_delete BEFORE DELETE ON purge BEGIN SELECT RAISE(ABORT, 'purges are never deleted'); END;
CREATE TRIGGER purge_insert BEFORE INSERT ON purge
WHEN NEW.by <= NEW.pos OR EXISTS (SELECT 1 FROM purge WHERE pos = NEW.pos)
BEGIN SELECT RAISE(ABORT, 'purge exists'); END;

-- From now on what is freed is overwritten; what earlier versions freed is overwritten here.
CREATE TABLE zero (bytes BLOB NOT NULL) STRICT;
INSERT INTO zero
WITH RECURSIVE freed (pages) AS (
    SELECT freelist_count FROM pragma_freelist_count UNION ALL SELECT pages - 16 FROM freed WHERE pages > 16)
SELECT zeroblob(16 * 4092) FROM freed WHERE pages > 0;
DROP TABLE zero;

PRAGMA user_version = 3;

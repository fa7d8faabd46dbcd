-- What a repair could not bring back (docs/format.md 7.3): it is named here, and everything else goes on.

CREATE TABLE lost (
    pos INTEGER PRIMARY KEY,                        -- the entry whose body is gone …
    leaf BLOB                                       -- … and its header too, of which this is the hash; NULL: it is there
) STRICT;

CREATE TRIGGER lost_update BEFORE UPDATE ON lost BEGIN SELECT RAISE(ABORT, 'losses are written once'); END;
CREATE TRIGGER lost_delete BEFORE DELETE ON lost BEGIN SELECT RAISE(ABORT, 'losses are never deleted'); END;
CREATE TRIGGER lost_insert BEFORE INSERT ON lost
WHEN EXISTS (SELECT 1 FROM lost WHERE pos = NEW.pos)
BEGIN SELECT RAISE(ABORT, 'loss exists'); END;

PRAGMA user_version = 5;

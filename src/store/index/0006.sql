CREATE INDEX entry_by_actor ON entry (actor);
PRAGMA user_version = 6;

CREATE INDEX entry_by_kind ON entry (kind);
PRAGMA user_version = 7;

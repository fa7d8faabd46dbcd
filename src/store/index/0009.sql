CREATE INDEX entry_by_ms ON entry (ms);
PRAGMA user_version = 9;

CREATE INDEX entry_by_scope ON entry (scope);
PRAGMA user_version = 8;

CREATE INDEX entry_by_object ON entry (object) WHERE object <> '';
PRAGMA user_version = 5;

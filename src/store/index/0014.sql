CREATE INDEX file_by_name ON file (folder, name) WHERE live = 1;
PRAGMA user_version = 14;

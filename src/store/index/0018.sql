-- What was deleted, by its last name.
CREATE INDEX file_deleted ON file (name) WHERE live = 0;
PRAGMA user_version = 18;

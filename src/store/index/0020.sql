CREATE INDEX task_failed ON task (pos) WHERE task = 3;
PRAGMA user_version = 20;

CREATE INDEX task_running ON task (pos) WHERE task = 1;
PRAGMA user_version = 11;
